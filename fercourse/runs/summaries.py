"""Rows of the ledger, counted together: means and spreads, folds pooled, variants compared.

Which numbers can be trusted how far is in :mod:`fercourse.runs.statistics`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import (
    binomial_error,
    mean_accuracy,
    stability,
)
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry, field_types
from fercourse.runs.measured import Measured, counted
from fercourse.runs.statistics import Paired, paired, t_interval

if TYPE_CHECKING:
    import pandas as pd

Line = TypeVar("Line", bound=Measured)


def compare(
    rows: Sequence[Measured], first: str, second: str, metric: str = "test_accuracy"
) -> Paired:
    """Paired comparison of variant ``second`` with ``first`` over the seeds (and folds) both have.

    Folds share training images, which the interval allows for; see
    :func:`fercourse.runs.statistics.paired`.

    Raises:
        FercourseError: They share no seed, or a variant has two runs of one seed.
    """
    values = [_by_seed(rows, variant, metric) for variant in (first, second)]
    shared = sorted(values[0].keys() & values[1].keys())
    if not shared:
        raise FercourseError(f"no seed has both {first!r} and {second!r}: nothing to pair.")
    folds = {row.data.folds for row in rows if row.variant == first and row.folded}
    overlap = 1 / (min(folds) - 1) if folds else 0.0
    return paired(*([of[seed] for seed in shared] for of in values), overlap=overlap)


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


def pool_folds(rows: Sequence[Line]) -> list[Line]:
    """Join the folds of one cross-validation: each face is tested once, in one of them.

    Returns:
        One row a seed, variant and way of cutting, its confusion matrix the sum over the folds;
        rows without folds as they are. For counting only: a pooled row is not for the ledger.

    Raises:
        FercourseError: A fold is there twice, or folds are missing.
    """
    groups: dict[tuple[object, ...], list[Line]] = {}
    for row in rows:
        name = row.cross_validation if row.folded else row.key
        groups.setdefault((row.label, row.variant, name, row.folded), []).append(row)
    return [_pool(folds) if folded else folds[0] for (*_, folded), folds in groups.items()]


def _pool(folds: list[Line]) -> Line:
    first = folds[0]
    there = sorted(row.data.fold for row in folds)
    if there != list(range(first.data.folds)):
        raise FercourseError(
            f"{first.variant}, seed {first.seed}: has folds {there}, where each of "
            f"0..{first.data.folds - 1} is needed once; run the missing ones first."
        )
    confusion = np.sum([row.confusion for row in folds], axis=0)
    # Both views, where a row has more than one.
    flips = {name: None for name in field_types(type(first)) if "flip" in name}
    return replace(
        first,
        **flips,
        key=f"{first.key}-pooled",
        splits={"test": int(confusion.sum())},
        val_accuracy=mean_accuracy([row.val_accuracy for row in folds]),
        test_accuracy_clean=None,
        **counted(confusion.tolist()),
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
    sizes = [_tested(row, metric) for row in rows if isinstance(row, Measured)]
    binomial = (
        binomial_error(mean, round(float(np.mean(sizes)))) if sizes and all(sizes) else math.nan
    )
    return n, mean, sta, *t_interval(mean, sta, n), binomial


def _number(row: Entry, metric: str) -> float | None:
    value = row.value(metric)
    if value is not None and not isinstance(value, int | float):
        raise FercourseError(f"{metric!r} is no number to average; take test_accuracy, for one.")
    return value


def independent(row: Measured, split: str = "test") -> int:
    """How many images a split is worth; 0 where the row has no such split.

    CK+ has three peak frames of each sequence, nearly one picture: they count as one. That they
    share people too is left out.
    """
    return round(row.splits.get(split, 0) / known(row.dataset).frames)


def share(row: Measured, metric: str) -> float | Fraction:
    """A metric of a row; an accuracy as the k / N it was counted from, for :func:`paired`.

    Validation accuracies are recorded in single precision, from which N is not found again.
    """
    value, n = row.value(metric), row.splits.get(_split(metric))
    if n and "accuracy" in metric and math.isclose(round(value * n), value * n, rel_tol=1e-6):
        return Fraction(round(value * n), n)
    return value


def _tested(row: Measured, metric: str) -> int:
    """How many independent images a metric of a row was measured on."""
    return independent(row, _split(metric))


def _split(metric: str) -> str:
    return "val" if metric == "val_accuracy" else "test_clean" if "clean" in metric else "test"


def _by_seed(
    rows: Sequence[Measured], variant: str, metric: str
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
