"""Whether the values of a setting differ: one test and one threshold for every sweep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fercourse.labels import BASIC
from fercourse.runs.groups import grouped, whole_seeds
from fercourse.runs.row import Row
from fercourse.runs.statistics import Blocked, blocked, shared_level

SWEEPS = 4
"""Judged by the course: both halves of Fig. 6, on drawn faces and on photographs."""

LEVEL = shared_level(SWEEPS)
"""What p must be below before the values of a sweep are said to differ."""


def judge_sweep(
    rows: Sequence[Row], parameter: str, metric: str = "val_accuracy"
) -> Blocked | None:
    """Analysis of variance over the values of a setting, the seeds as blocks.

    Args:
        rows: Measured runs that differ in this setting, seed and fold alone.
        parameter: A config name: "loss.weight".
        metric: A field that holds a fraction; a sweep chooses, so it looks at validation.

    Returns:
        None where fewer than two seeds have a run of every value.
    """
    of_value = grouped((row.value(parameter), row) for row in rows)
    columns = [
        {row.seed: row.value(metric) for row in whole_seeds(runs)[0]}
        for _, runs in sorted(of_value.items())
    ]
    seeds = sorted(set.intersection(*(set(column) for column in columns))) if columns else []
    if len(seeds) < 2 or len(columns) < 2:
        return None
    return blocked(np.array([[column[seed] for column in columns] for seed in seeds]))


def verdict(found: Blocked | None) -> str:
    """In words: "no difference shown (p = 0.47, 3 seeds; one would need p below 0.0125)"."""
    if found is None:
        return "too few seeds to say whether the values differ"
    told = f"p = {found.p:.2g}, {found.seeds} seeds"
    if found.p < LEVEL:
        return f"the values differ ({told}; {LEVEL:g} was asked for)"
    return f"no difference shown ({told}; one would need p below {LEVEL:g})"


def at_chance(row: Row) -> bool:
    """Whether a run never learned: guessing among seven classes is right once in seven times."""
    return row.val_accuracy < 2 / len(BASIC)
