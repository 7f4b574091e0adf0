"""What bad weather costs, and whether anything helps: corruption errors and paired differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from fercourse.errors import FercourseError
from fercourse.runs.findings import Gain
from fercourse.runs.statistics import mean_interval
from fercourse.runs.weather_row import WeatherRow


def corruption_errors(
    rows: Sequence[WeatherRow], baseline: Sequence[WeatherRow]
) -> dict[str, float]:
    """CE by corruption: errors of a recogniser over those of a baseline, summed over severities.

    Hendrycks and Dietterich (2019) divide by AlexNet's, so that corruptions of unequal difficulty
    count alike; here plain VGG16 stands there. 1 is as many errors as it makes.

    Args:
        rows: Repetitions of one recogniser.
        baseline: Repetitions of the baseline, on the same faces.
    """

    def errors(found: Sequence[WeatherRow], kind: str) -> float:
        return float(
            np.mean([len(row.right[kind]) * row.n - sum(row.right[kind]) for row in found])
        )

    _comparable([*rows, *baseline])
    return {kind: errors(rows, kind) / errors(baseline, kind) for kind in rows[0].right}


def mean_corruption_error(rows: Sequence[WeatherRow], baseline: Sequence[WeatherRow]) -> float:
    """mCE: the mean of :func:`corruption_errors`."""
    return float(np.mean(list(corruption_errors(rows, baseline).values())))


def difference(
    rows: Sequence[WeatherRow],
    first: str,
    second: str,
    of: Callable[[WeatherRow], float] = lambda row: row.bad,
) -> Gain | None:
    """By how much the second variant is above the first, paired by seed, without cures.

    Args:
        rows: Of one recipe and data set.
        first: A variant.
        second: Another.
        of: What is compared; the mean accuracy in bad weather by default.

    Returns:
        Mean and Student's interval over the seeds that both have; of a single pair, for accuracy in
        bad weather, the interval over faces; None where they share no seed.
    """
    by_seed = [
        {row.seed: row for row in rows if row.variant == name and row.cure == "none"}
        for name in (first, second)
    ]
    seeds = sorted(by_seed[0].keys() & by_seed[1].keys())
    if not seeds:
        return None
    pairs = [(by_seed[0][seed], by_seed[1][seed]) for seed in seeds]
    gains = [of(b) - of(a) for a, b in pairs]
    if len(gains) > 1:
        return Gain(float(np.mean(gains)), *mean_interval(gains))
    return Gain(gains[0], *_over_faces(*pairs[0], of))


def gain_by_cure(rows: Sequence[WeatherRow], variant: str, cure: str, kind: str) -> Gain | None:
    """By how much a cure raises a variant's mean accuracy over the severities of a corruption.

    Args:
        rows: Of one recipe and data set.
        variant: "model1".
        cure: Of :data:`fercourse.weather.CURES`.
        kind: A corruption, or "clear" for clear air.
    """
    mine = [row for row in rows if row.variant == variant]
    without = {row.seed: row.mean(kind) for row in mine if row.cure == "none"}
    cured = {row.seed: row.mean(kind) for row in mine if row.cure == cure}
    gains = [cured[seed] - without[seed] for seed in sorted(cured.keys() & without.keys())]
    if not gains:
        return None
    return Gain(float(np.mean(gains)), *mean_interval(gains))


def recipes(rows: Sequence[WeatherRow], dataset: str) -> list[list[WeatherRow]]:
    """The networks of a data set, a list a recipe, those with most runs first."""
    found: dict[str, list[WeatherRow]] = {}
    for row in rows:
        if row.dataset == dataset and row.variant.startswith("model"):
            found.setdefault(row.recipe, []).append(row)
    return sorted(found.values(), key=len, reverse=True)


def _over_faces(
    a: WeatherRow, b: WeatherRow, of: Callable[[WeatherRow], float]
) -> tuple[float, float]:
    """Of one pair of runs: how far the faces leave it open. A face's copies are not independent."""
    if not math.isclose(of(a), a.bad):
        return math.nan, math.nan
    steps = (b.per_face - a.per_face) / a.copies
    return mean_interval(steps)


def _comparable(rows: Sequence[WeatherRow]) -> None:
    if len({(row.faces, row.weather, row.n) for row in rows}) != 1:
        raise FercourseError("these rows are of different faces or weather: nothing to compare.")
