"""How far a difference between runs can be trusted: intervals, and paired tests over seeds.

All take and return fractions in [0, 1]; a difference of 0.01 is one point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import (
    accuracy,
    binomial_error,
    mean_accuracy,
    recall_per_class,
    stability,
)
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.row import Row

if TYPE_CHECKING:
    import pandas as pd


EXACT = 14
"""Pairs up to which the sign-flip test goes through all 2^n cases; above, it draws."""

DRAWS = 20_000

LARGEST = 1_000_000
"""Images up to which an accuracy given as a float is taken back to the k / N it came from."""


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean of N independent runs; (nan, nan) for one run.

    Here the spread divides by N - 1, unlike Sta: the interval is about all possible runs.
    """
    x = np.asarray(values, dtype=np.float64)
    return _t_interval(float(x.mean()), float(x.std(ddof=0)), len(x), confidence)


def wilson(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of one accuracy, correct / n; stays inside [0, 1].

    Raises:
        FercourseError: Not 0 <= correct <= n, or n < 1.
    """
    from scipy.stats import binomtest

    if n < 1 or not 0 <= correct <= n:
        raise FercourseError(f"{correct} correct of {n} images is no count.")
    interval = binomtest(int(correct), int(n)).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Paired:
    """A paired comparison of two variants over the same n seeds.

    Attributes:
        n: Pairs.
        mean: Mean difference, second minus first.
        low: Lower end of its 95 % interval (Student's t); nan for n = 1.
        high: Upper end.
        p_t: Two-sided p of the paired t test; nan for n = 1.
        p_flip: Two-sided p of the exact sign-flip permutation test, which assumes no normal
            distribution; by simulation above :data:`EXACT` pairs.
        p_least: The smallest p_flip that n pairs can give, 2 / 2^n: 0.25 for three seeds, so that
            a large p over few seeds says little. Simulated, no smaller than two in its draws.
    """

    n: int
    mean: float
    low: float
    high: float
    p_t: float
    p_flip: float
    p_least: float

    def __str__(self) -> str:
        """In points: "+0.42 points (95 % CI 0.10 to 0.74, n = 10, p = 0.016)"."""
        if self.n == 1:
            return f"{100 * self.mean:+.2f} points (one seed: no interval)"
        return (
            f"{100 * self.mean:+.2f} points (95 % CI {100 * self.low:.2f} to {100 * self.high:.2f}"
            f", n = {self.n}, p = {self.p_flip:.2g})"
        )


def paired(first: Sequence[float | Fraction], second: Sequence[float | Fraction]) -> Paired:
    """Compare two variants run with the same seeds: ``first[i]`` and ``second[i]`` share one.

    Pairing removes what the seeds have in common (batches and folds; of Table 1 the initial trunk
    too, from model 1 to 2 and among models 3 to 6). Two-sided tests.

    An accuracy is k right of N images. Sums of floats that should tie do not, so the sign flips
    are summed in whole numbers: of images, or of their smallest common part where N differs.

    Args:
        first: Fractions in [0, 1], or the floats nearest to k / N with N up to :data:`LARGEST`.
        second: Likewise, as many.

    Raises:
        FercourseError: The lengths differ or are 0.
    """
    from scipy.stats import permutation_test, ttest_1samp

    if len(first) != len(second) or not len(first):
        raise FercourseError(
            f"a paired test needs two lists of one length, not {len(first)} and {len(second)} runs."
        )
    differences = [_counted(b) - _counted(a) for a, b in zip(first, second, strict=True)]
    parts = math.lcm(*(step.denominator for step in differences))
    parts = min(parts, 2**53)  # finer than that are floats which count nothing; int64 holds sums
    steps = np.array([round(step * parts) for step in differences], dtype=np.int64)
    values = np.array([float(step) for step in differences])
    n = len(steps)
    least = min(1.0, 2.0 ** (1 - n)) if n <= EXACT else 2 / (DRAWS + 1)
    low, high = mean_interval(values)
    if not steps.any():
        return Paired(n, 0.0, low, high, 1.0 if n > 1 else math.nan, 1.0, least)
    constant = bool(np.ptp(steps) == 0)
    p_t = math.nan if n == 1 else 0.0
    if n > 1 and not constant:
        tested: Any = ttest_1samp(values, 0)  # SciPy annotates a tuple, without its names
        p_t = float(tested.pvalue)
    p_flip = 1.0
    if n > 1:
        p_flip = permutation_test(
            (steps,),
            lambda x, axis: x.sum(axis=axis),
            permutation_type="samples",
            n_resamples=2**EXACT if n <= EXACT else DRAWS,
            vectorized=True,
            rng=np.random.default_rng(0),
        ).pvalue
    mean = float(sum(differences) / n)
    return Paired(n, mean, low, high, p_t, float(p_flip), least)


def _counted(value: float | Fraction) -> Fraction:
    """The k / N that a float was rounded from."""
    exact = value if isinstance(value, Fraction) else Fraction(float(value))
    return exact.limit_denominator(LARGEST)


def compare(rows: Sequence[Row], first: str, second: str, metric: str = "test_accuracy") -> Paired:
    """Paired comparison of variant ``second`` with ``first`` over the seeds (and folds) both have.

    Raises:
        FercourseError: They share no seed, or a variant has two runs of one seed.
    """
    values = [_by_seed(rows, variant, metric) for variant in (first, second)]
    shared = sorted(values[0].keys() & values[1].keys())
    if not shared:
        raise FercourseError(f"no seed has both {first!r} and {second!r}: nothing to pair.")
    return paired(*([of[seed] for seed in shared] for of in values))


def summarise(
    rows: Sequence[Entry],
    group_by: Sequence[str] = ("dataset", "variant"),
    metric: str = "test_accuracy",
) -> pd.DataFrame:
    """Mean and spread of a metric for each group of rows that have it.

    ``label`` always belongs to the groups: a claim is never averaged with a measurement.

    Args:
        rows: Of a ledger.
        group_by: Fields, or dotted config names such as "loss.weight".
        metric: A field that holds a fraction.

    Returns:
        One line a group, in order of first appearance, with ``n`` (runs), ``mean`` (eq. 8),
        ``sta`` (eq. 9), ``low`` and ``high`` (95 % interval of the mean over runs; of the paper's
        claims from its Sta and N), and ``binomial`` (standard error of the mean accuracy from the
        finite test set; nan where its size is unknown).
    """
    import pandas as pd

    names = list(dict.fromkeys(("label", *group_by)))
    groups: dict[tuple, list[Entry]] = {}
    for row in rows:
        for name in names:
            if isinstance(row.value(name), dict | list):
                raise FercourseError(f"rows cannot be grouped by {name!r}: it is no single value.")
        if _number(row, metric) is not None:
            groups.setdefault(tuple(row.value(name) for name in names), []).append(row)
    lines = [(*group, *_describe(members, metric)) for group, members in groups.items()]
    columns = [*names, "n", "mean", "sta", "low", "high", "binomial"]
    return pd.DataFrame(lines, columns=columns)


def pool_folds(rows: Sequence[Row]) -> list[Row]:
    """Join the folds of one cross-validation: each face is tested once, in one of them.

    Returns:
        One row a seed, variant and way of cutting, its confusion matrix the sum over the folds;
        rows without folds as they are. For counting only: a pooled row is not for the ledger.

    Raises:
        FercourseError: A fold is there twice, or folds are missing.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        name = row.run.without("data.fold") if row.folded else row.key
        groups.setdefault((row.label, row.variant, name, row.folded), []).append(row)
    return [_pool(folds) if folded else folds[0] for (*_, folded), folds in groups.items()]


def _pool(folds: list[Row]) -> Row:
    first = folds[0]
    there = sorted(row.run.data.fold for row in folds)
    if there != list(range(first.run.data.folds)):
        raise FercourseError(
            f"{first.variant}, seed {first.seed}: has folds {there}, where each of "
            f"0..{first.run.data.folds - 1} is needed once; run the missing ones first."
        )
    confusion = np.sum([row.confusion for row in folds], axis=0)
    return replace(
        first,
        key=f"{first.key}-pooled",
        splits={"test": int(confusion.sum())},
        val_accuracy=mean_accuracy([row.val_accuracy for row in folds]),
        test_accuracy=accuracy(confusion),
        test_accuracy_clean=None,
        test_accuracy_flip=None,
        test_accuracy_flip_clean=None,
        recall=[None if math.isnan(r) else float(r) for r in recall_per_class(confusion)],
        confusion=confusion.tolist(),
        seconds=sum(row.seconds for row in folds),
        note=f"{len(folds)} folds pooled",
    )


def _describe(rows: Sequence[Entry], metric: str) -> tuple[int, float, float, float, float, float]:
    """n, mean, sta, low, high, binomial of one group."""
    values = [row.value(metric) for row in rows]
    n, mean, sta = len(values), mean_accuracy(values), stability(values)
    if isinstance(rows[0], Claim):
        if len(rows) > 1:
            raise FercourseError(
                f"claims {rows[0].key} and {rows[1].key} fall into one group; group by more fields."
            )
        n = rows[0].runs or 1
        sta = math.nan if rows[0].stability is None else rows[0].stability
    sizes = [_tested(row, metric) for row in rows if isinstance(row, Row)]
    binomial = (
        binomial_error(mean, round(float(np.mean(sizes)))) if sizes and all(sizes) else math.nan
    )
    return n, mean, sta, *_t_interval(mean, sta, n, 0.95), binomial


def _number(row: Entry, metric: str) -> float | None:
    value = row.value(metric)
    if value is not None and not isinstance(value, int | float):
        raise FercourseError(f"{metric!r} is no number to average; take test_accuracy, for one.")
    return value


def independent(row: Row, split: str = "test") -> int:
    """How many images a split is worth; 0 where the row has no such split.

    CK+ has three peak frames of each sequence, nearly one picture: they count as one. That they
    share people too is left out.
    """
    return round(row.splits.get(split, 0) / known(row.dataset).frames)


def share(row: Row, metric: str) -> float | Fraction:
    """A metric of a row; an accuracy as the k / N it was counted from, for :func:`paired`.

    Validation accuracies are recorded in single precision, from which N is not found again.
    """
    value, n = row.value(metric), row.splits.get(_split(metric))
    if n and "accuracy" in metric and math.isclose(round(value * n), value * n, rel_tol=1e-6):
        return Fraction(round(value * n), n)
    return value


def _tested(row: Row, metric: str) -> int:
    """How many independent images a metric of a row was measured on."""
    return independent(row, _split(metric))


def _split(metric: str) -> str:
    return "val" if metric == "val_accuracy" else "test_clean" if "clean" in metric else "test"


def _t_interval(mean: float, sta: float, n: int, confidence: float) -> tuple[float, float]:
    """mean +- t s / sqrt(N), with s = Sta sqrt(N / (N - 1))."""
    from scipy.stats import t

    if n < 2:
        return math.nan, math.nan
    half = t.ppf((1 + confidence) / 2, n - 1) * sta / math.sqrt(n - 1)
    return float(mean - half), float(mean + half)


def _by_seed(
    rows: Sequence[Row], variant: str, metric: str
) -> dict[tuple[int, int], float | Fraction]:
    found: dict[tuple[int, int], float | Fraction] = {}
    for row in rows:
        if row.variant != variant or _number(row, metric) is None:
            continue
        at = row.pair_key[:2]
        if at in found:
            raise FercourseError(
                f"{variant!r} has two runs of seed {row.seed}, fold {at[1]}: "
                "filter the rows to one data set, plan and label first."
            )
        found[at] = share(row, metric)
    return found
