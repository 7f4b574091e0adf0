"""Class weights and the focal loss: what they do to the rarest class, and to all faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fercourse.datasets.registry import known
from fercourse.labels import Expression
from fercourse.markdown import table
from fercourse.runs.findings import Gain
from fercourse.runs.row import Row
from fercourse.runs.statistics import mean_interval

_FIELDS = ("loss.class_weights", "loss.focal")


def rare_tables(rows: Sequence[Row]) -> list[str]:
    """A Markdown table for each recipe that plan ``rare`` was run with.

    Args:
        rows: Measured runs of any plan; the plain ones may be another's.
    """
    recipes = {row.group_key(*_FIELDS): row for row in rows if row.plan == "rare"}
    return [
        _table(example, [row for row in rows if row.group_key(*_FIELDS) == recipe])
        for recipe, example in recipes.items()
    ]


def _table(example: Row, rows: list[Row]) -> str:
    by_loss: dict[tuple[float, float], dict[int, Row]] = {}
    for row in rows:
        loss = row.run.loss
        by_loss.setdefault((loss.class_weights, loss.focal), {})[row.seed] = row
    plain = by_loss.get((0.0, 0.0), {})
    rarest = int(np.sum(example.confusion, axis=1).argmin())
    lines = []
    for loss, runs in sorted(by_loss.items()):
        shared = sorted(set(runs) & set(plain))
        gains = [runs[s].test_accuracy - plain[s].test_accuracy for s in shared]
        lines.append(
            (
                _called(*loss),
                len(runs),
                _mean([row.test_accuracy for row in runs.values()]),
                "" if loss == (0.0, 0.0) or not gains else _points(gains),
                _mean([_balanced(row) for row in runs.values()]),
                _mean([row.recall[rarest] or 0.0 for row in runs.values()]),
            )
        )
    name = Expression(rarest).title.lower()
    head = ("cross-entropy", "seeds", "accuracy", "against plain, points, 95 % interval")
    head += ("mean over classes", name)
    first = next(iter((plain or by_loss[sorted(by_loss)[0]]).values()))
    return (
        f"**Rare classes**, {known(example.dataset).title}, {first.variant}, {first.recipe}; "
        f"per cent of the test faces. {name.capitalize()} is the rarest. Weights are the share of "
        f"a class to the power of minus the exponent.\n\n{table(head, lines, 'lrrrrr')}"
    )


def _called(weights: float, focal: float) -> str:
    if focal:
        return f"focal, exponent {focal:g}"
    return f"class weights, exponent {weights:g}" if weights else "plain"


def _balanced(row: Row) -> float:
    """The mean recall of the classes that have test faces."""
    return float(np.mean([recall for recall in row.recall if recall is not None]))


def _mean(values: list[float]) -> str:
    return f"{100 * np.mean(values):.1f}"


def _points(gains: list[float]) -> str:
    return str(Gain(float(np.mean(gains)), *mean_interval(gains)))
