"""One step of Table 1: what a component adds, in the paper and here, with its error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PAPER,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.claim import PAPER as PAPER_LABEL
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.findings import claimed_gain
from fercourse.runs.groups import group_by_config
from fercourse.runs.row import Row
from fercourse.runs.summaries import compare


class Change(NamedTuple):
    """A difference of mean accuracy, second model minus first, in points.

    Attributes:
        source: "paper", or the rows' label.
        dataset: As in the ledger.
        mean: Points.
        low: Lower end of the 95 % interval; nan where there is none.
        high: Upper end.
        n: Runs of each model.
        recipe: How they were trained, for tables; empty for the paper.
        folds: Whether the runs are folds.
    """

    source: str
    dataset: str
    mean: float
    low: float
    high: float
    n: int
    recipe: str = ""
    folds: bool = False


def changes(rows: Sequence[Entry], first: int, second: int) -> list[Change]:
    """What model ``second`` of Table 1 adds to ``first``: the claims, then each recipe's runs.

    The paper's interval is Welch's, from its Acc, Sta and N = 10; ours is paired over seeds.

    Args:
        rows: Of a ledger, variants "model1" to "model6".
        first: Row of Table 1.
        second: The row it is compared with.
    """
    a, b = f"model{first}", f"model{second}"
    claims = {
        (row.dataset, row.variant): row
        for row in rows
        if isinstance(row, Claim) and row.variant in (a, b) and row.test_accuracy is not None
    }
    measured = [row for row in rows if isinstance(row, Row) and row.variant in (a, b)]
    found = [
        _claimed(dataset, claims[dataset, a], claims[dataset, b])
        for dataset, variant in claims
        if variant == a and (dataset, b) in claims
    ]
    for members in group_by_config(measured):
        places = [{row.pair_key for row in members if row.variant == name} for name in (a, b)]
        if places[0] & places[1]:
            pair = compare(members, a, b)
            one = members[0]
            change = Change(
                one.label,
                one.dataset,
                100 * pair.mean,
                100 * pair.low,
                100 * pair.high,
                pair.n,
                one.recipe,
                one.folded,
            )
            found.append(change)
    return found


@course_style()
def ablation_step(rows: Sequence[Entry], first: int, second: int) -> Figure:
    """Changes of accuracy with their 95 % intervals, a line each; see :func:`changes`.

    A hollow circle is a single run, of which no interval can be given. Drawn faces, whose tiny nets
    scatter by tens of points, are shown where there is nothing else.

    Raises:
        FercourseError: No data set has both models.
    """
    found = changes(rows, first, second)
    found = [change for change in found if not known(change.dataset).drawn] or found
    if not found:
        raise FercourseError(f"no rows have both model {first} and model {second}.")
    names = _names(found)
    figure = new_figure(height=1.15 + 0.34 * len("\n".join(names).splitlines()))
    axes = figure.add_subplot()
    for k, change in enumerate(found):
        claimed = change.source == PAPER_LABEL
        colour = PAPER if claimed else OURS
        if np.isfinite(change.low):
            axes.hlines(k, change.low, change.high, color=colour, linewidth=2)
        axes.plot(
            change.mean,
            k,
            "D" if claimed else "o",
            color=colour,
            ms=6,
            mfc="white" if claimed or change.n == 1 else colour,
        )
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlabel(f"model {second} minus model {first}: test accuracy, points (95 % interval)")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_color(GREY)
    light_grid(axes, "x")
    clear = dict.fromkeys(_whose(c) for c in found if c.low > 0 or c.high < 0)
    text = f"clear of zero for {' and '.join(clear)}" if clear else "not clear of zero"
    headline(figure, f"Model {first} to {second}: the change of accuracy is {text}")
    return figure


def _claimed(dataset: str, first: Claim, second: Claim) -> Change:
    gain = claimed_gain(first, second)
    mean, low, high = (100 * end for end in (gain.mean, gain.low, gain.high))
    return Change(PAPER_LABEL, dataset, mean, low, high, second.runs or 1)


def _called(dataset: str) -> str:
    title = known(dataset).title
    return title.lower() if known(dataset).drawn else title


def _whose(change: Change) -> str:
    whose = "the paper" if change.source == PAPER_LABEL else f"ours ({change.source})"
    by = " by folds" if change.folds else ""
    return f"{whose} on {_called(change.dataset)}{by}"


def _names(changes: Sequence[Change]) -> list[str]:
    """A line each; where two recipes were run on one data set, a second line tells them apart."""
    times = Counter(map(_whose, changes))
    names = [(_whose(c), f", n = {c.n}", c.recipe) for c in changes]
    return [f"{who}{n}\n{recipe}" if times[who] > 1 else who + n for who, n, recipe in names]
