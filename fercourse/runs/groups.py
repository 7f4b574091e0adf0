"""Which runs may stand in one table, and what counts as one run.

A ledger fills up. Whoever runs a plan a second time, with fewer epochs, has two recipes of each
model in it, and averaging over both, or pairing one with the other, would compare recipes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from fercourse.config import COMPONENTS
from fercourse.errors import FercourseError
from fercourse.runs.measured import LABELS, Measured
from fercourse.runs.row import Row
from fercourse.runs.summaries import pool_folds

SWITCHES = (*(f"model.{name}" for name in COMPONENTS), "model.architecture")
"""What makes a network one of Table 1's models, or a rival: the rest is the recipe."""

Key = TypeVar("Key", bound=Hashable)
Line = TypeVar("Line", bound=Measured)


def grouped(pairs: Iterable[tuple[Key, Line]]) -> dict[Key, list[Line]]:
    """Rows by a key, both in the order in which they first appear."""
    groups: dict[Key, list[Line]] = {}
    for key, row in pairs:
        groups.setdefault(key, []).append(row)
    return groups


def group_by_config(rows: Sequence[Row]) -> list[list[Row]]:
    """Runs that differ in the network, seed and fold alone, a list a recipe.

    Args:
        rows: Of a ledger.

    Returns:
        Most models first, then most effort, then most runs.
    """
    groups = grouped((row.group_key(*SWITCHES), row) for row in rows)
    return sorted(groups.values(), key=_rank)


def whole_seeds(rows: Sequence[Line]) -> tuple[list[Line], int]:
    """One row a seed: of a cross-validation its folds pooled, of other data sets the row itself.

    Folds share training faces, and so are no independent runs.

    Args:
        rows: Repetitions of one experiment.

    Returns:
        The rows, and how many folds were left out because their seed lacks others.
    """
    whole, spare = [], 0
    for mine in grouped((row.seed, row) for row in rows).values():
        try:
            whole += pool_folds(mine)
        except FercourseError:
            spare += len(mine)
    return whole, spare


def _rank(group: list[Row]) -> tuple[int, int, int]:
    models = {row.variant for row in group}
    return -len(models), LABELS.index(group[0].label), -len(group)
