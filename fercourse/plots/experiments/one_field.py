"""Methods on one field: the paper's claims beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
from fercourse.runs.findings import Gain
from fercourse.runs.table2 import Standing


@course_style()
def one_field(fields: Mapping[str, Sequence[Standing]], finding: str) -> Figure:
    """Accuracy of methods, a panel a data set, a row a method.

    Diamond: the paper's claim, with the 95 % interval that its Sta over ten runs leaves. Dot: ours,
    with the wider of its 95 % intervals over seeds and over test faces; hollow where it is one run.

    Args:
        fields: By data set's title, see :func:`fercourse.runs.table2.standings`; the same methods
            in the same order.
        finding: What the figure shows.

    Raises:
        FercourseError: There is nothing to show, or the methods differ.
    """
    rows = list(fields.values())
    if not rows or not rows[0]:
        raise FercourseError("there is no method to show: fercourse run table2 measures them.")
    titles = [s.title for s in rows[0]]
    if any([s.title for s in others] != titles for others in rows):
        raise FercourseError("the methods differ from one data set to another.")
    figure = new_figure(height=1.25 + 0.36 * len(titles))
    panels = figure.subplots(1, len(fields), sharey=True, squeeze=False)[0]
    for axes, (name, found) in zip(panels, fields.items(), strict=True):
        for k, standing in enumerate(found):
            _row(axes, k, standing)
        axes.set_title(name)
        axes.set_xlabel("test accuracy, %")
        axes.tick_params(axis="y", length=0)
        light_grid(axes, "both")
        low, high = axes.get_xlim()
        axes.set_xlim(low, min(101.5, high + 0.05 * (high - low)))
    panels[0].set_yticks(range(len(titles)), titles)
    panels[0].set_ylim(len(titles) - 0.4, -0.6)
    shown = [s for found in rows for s in found]
    kinds = {
        "the paper's claim": (any(s.claimed for s in shown), "D", PAPER, "white"),
        "measured, mean of runs": (any(s.runs > 1 for s in shown), "o", OURS, OURS),
        "measured, one run": (any(s.runs == 1 for s in shown), "o", OURS, "white"),
    }
    handles = [
        panels[0].plot([], [], marker, color=colour, mfc=face, mew=1.6, ms=6, label=text)[0]
        for text, (there, marker, colour, face) in kinds.items()
        if there
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    headline(figure, finding)
    return figure


def _row(axes: Axes, k: int, standing: Standing) -> None:
    if standing.claimed:
        _point(axes, standing.claimed, k - 0.16, "D", PAPER, "white")
    if standing.measured:
        face = OURS if standing.runs > 1 else "white"
        _point(axes, standing.measured, k + 0.12, "o", OURS, face)
    else:
        axes.annotate(
            standing.why,
            (0.03, k + 0.2),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            color=GREY,
        )
    axes.axhline(k + 0.5, color=INK, linewidth=0.2)


def _point(axes: Axes, gain: Gain, y: float, marker: str, colour: str, face: str) -> None:
    mean, low, high = (100 * v for v in (gain.mean, gain.low, gain.high))
    axes.errorbar(
        mean,
        y,
        xerr=[[mean - low], [high - mean]],
        fmt=marker,
        ms=6,
        mew=1.6,
        mfc=face,
        color=colour,
        capsize=2.5,
        elinewidth=1.6,
    )
