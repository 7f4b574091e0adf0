"""The speedrun's steps: what each change made of the same minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    course_style,
    headline,
    light_grid,
    new_figure,
    points,
)

if TYPE_CHECKING:
    from fercourse.experiments.speedrun import Tried


@course_style()
def speedrun(steps: Sequence[Tried]) -> Figure:
    """Validation accuracy of every step at equal cost, from the base at the top downwards.

    Kept steps are joined by a line; the others are where a change of the step before led. Ticks
    are single seeds. A base far below all others is a number at the left edge.

    Args:
        steps: Of :func:`fercourse.experiments.speedrun.tried`, the base among them.

    Raises:
        FercourseError: There is no base, or nothing beside it.
    """
    path = [one for one in steps if one.verdict in ("the base", "kept", "kept for now")]
    if len(steps) < 2 or not path or path[0].step.of is not None:
        raise FercourseError(
            "the speedrun has no two steps to compare: run `fercourse run speedrun`."
        )
    figure = new_figure(height=1.4 + 0.29 * len(steps))
    axes = figure.add_subplot()
    rows = {one.step.name: y for y, one in enumerate(steps)}
    axes.plot(
        [100 * one.accuracy for one in path],
        [rows[one.step.name] for one in path],
        color=OURS,
        linewidth=1.4,
    )
    labels = set()
    # A base far below all that follows would press it into a corner.
    others = [100 * value for one in steps for value in one.accuracies if one.step.of]
    left = min(others) - 0.15 * (max(others) - min(others)) - 0.5
    for one in steps:
        y, x = rows[one.step.name], 100 * one.accuracy
        label = one.verdict if one in path[1:] else "not kept" if one.step.of else None
        axes.plot(
            x,
            y,
            "o" if one in path else "X",
            color=OURS if one in path else GREY,
            markerfacecolor="white" if one.verdict == "kept for now" else None,
            markersize=7,
            linestyle="none",
            label=None if label in labels else label,
        )
        labels.add(label)
        seeds = [100 * value for value in one.accuracies]
        axes.plot(seeds, [y] * len(seeds), "|", color=INK, markersize=6, linestyle="none")
        if x < left:
            said, at = f"◂ {x:.1f}", left
        elif one.gain:
            said, at = points(one.gain.mean), max([x, *seeds])
        else:
            continue
        axes.annotate(
            said,
            (at, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    axes.set_yticks(list(rows.values()), [one.step.title for one in steps])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(left, max(others) + 0.2 * (max(others) - left))
    axes.set_xlabel("validation accuracy (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, borderaxespad=0.2)
    light_grid(axes, "x")
    gained = path[-1].accuracy - path[0].accuracy
    many = f"{len(path) - 1} of {len(steps) - 1} changes gain {points(gained).lstrip('+')} points"
    headline(figure, f"In the same minutes, {many}")
    return figure
