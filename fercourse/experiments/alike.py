"""Which runs may stand in one table: those that differ in Table 1's switches, seed and fold alone.

A ledger fills up. Whoever runs a plan a second time, with fewer epochs, has two recipes of each
model in it, and averaging over both, or pairing one with the other, would compare recipes.
"""

from __future__ import annotations

from collections.abc import Sequence

from fercourse.config import COMPONENTS, RunConfig
from fercourse.experiments.row import LABELS, Row

_MODEL6 = {f"model.{name}": True for name in COMPONENTS}


def likeness(row: Row) -> tuple[object, ...]:
    """Equal for two measured runs of Table 1 that one recipe made on the same faces."""
    return row.dataset, row.label, anywhere(row).change(**_MODEL6, seed=0), faces(row)


def faces(row: Row) -> object:
    """What is equal for runs on the same copy of a data set.

    On CK+ a fingerprint tells the cut as well, and each seed cuts folds of its own: there it is the
    number of faces, by which the copies in use differ.
    """
    if row.dataset != "ckplus":
        return row.faces
    return sum(row.splits[name] for name in ("train", "val", "test"))


def alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Measured runs grouped by recipe: most models first, then most effort, then most runs.

    Args:
        rows: Of a ledger; the paper's claims among them are left out.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.label != "paper":
            groups.setdefault(likeness(row), []).append(row)
    return sorted(groups.values(), key=_rank)


def _rank(group: list[Row]) -> tuple[int, int, int]:
    models = {row.variant for row in group}
    return -len(models), LABELS.index(group[0].label), -len(group)


def anywhere(row: Row) -> RunConfig:
    """The run without its place: on CK+ a seed has folds of its own (plan ``table1``)."""
    return row.run.change(**({"data.fold": 0, "data.seed": 0} if row.dataset == "ckplus" else {}))
