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
    are single seeds.

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
    for one in steps:
        y, x = rows[one.step.name], 100 * one.accuracy
        on_path, label = one in path, "kept" if one in path else "not kept"
        axes.plot(
            x,
            y,
            "o" if on_path else "X",
            color=OURS if on_path else GREY,
            markersize=7,
            linestyle="none",
            label=None if label in labels else label,
        )
        labels.add(label)
        seeds = [100 * value for value in one.accuracies]
        axes.plot(seeds, [y] * len(seeds), "|", color=INK, markersize=6, linestyle="none")
        if one.gain:
            axes.annotate(
                points(one.gain.mean),
                (max([x, *seeds]), y),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    axes.set_yticks(list(rows.values()), [one.step.title for one in steps])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.14)
    axes.set_xlabel("validation accuracy (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderaxespad=0.2)
    light_grid(axes, "x")
    gained = path[-1].accuracy - path[0].accuracy
    many = f"{len(path) - 1} of {len(steps) - 1} changes gain {points(gained)} points"
    headline(figure, f"In the same minutes, {many}")
    return figure
