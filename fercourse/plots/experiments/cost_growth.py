"""How the time of a face grows with its size, the network's width and the batch, and of a photo."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    OURS,
    PAPER,
    THIRD,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.performance import Growth

_PANELS = {
    "size": ("side of a face (pixels)", "a face's time, {:g} pixels: 1"),
    "width": ("width of the network", "a face's time, width {:g}: 1"),
    "batch": ("faces in a step", "a face's time, steps of {:g}: 1"),
    "faces": ("faces in a photograph", "a photograph's time, {:g} face: 1"),
}
_LOOKS = {"training": ("o-", OURS), "prediction": ("s--", PAPER), "reading": ("^-", THIRD)}


@course_style()
def cost_growth(growth: Sequence[Growth]) -> Figure:
    """Time against each number that it grows with, relative to one of its values; bars: quartiles.

    Args:
        growth: At least one of each kind: size, width, batch and faces; of size and width one in
            training.

    Raises:
        FercourseError: A kind is missing.
    """
    missing = [by for by in _PANELS if by not in {g.by for g in growth}]
    if missing:
        raise FercourseError(f"Growth of cost was not measured by {', '.join(missing)}.")
    figure = new_figure(height=4.8)
    for axes, by in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        _panel(axes, [g for g in growth if g.by == by])
    figure.axes[0].legend(loc="upper left")
    figure.axes[3].legend(loc="upper left")
    side, width = (
        next(g for g in growth if (g.by, g.use) == (by, "training")).exponent
        for by in ("size", "width")
    )
    each = next(g for g in growth if g.by == "faces").each
    headline(
        figure,
        f"Training a face takes time as its side to the power {side:.1f} and as the network's "
        f"width to the power {width:.1f}; each further face in a photograph adds "
        f"{100 * each:.0f} % to it",
    )
    return figure


def _panel(axes: Axes, lines: Sequence[Growth]) -> None:
    across, up = _PANELS[lines[0].by]
    for growth in lines:
        style, colour = _LOOKS[growth.use]
        values = [value for value, _ in growth.points]
        times = [s.median for _, s in growth.points]
        beyond = [
            [s.median - s.low for _, s in growth.points],
            [s.high - s.median for _, s in growth.points],
        ]
        axes.errorbar(values, times, beyond, fmt=style, color=colour, ms=4, label=growth.use)
    axes.set(xlabel=across, ylabel=up.format(lines[0].reference))
    if lines[0].by != "faces":
        values = sorted({value for growth in lines for value, _ in growth.points})
        above = [*values[1:], math.inf]
        ticks = [v for v, after in zip(values, above, strict=True) if after > 1.19 * v]  # legible
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
    light_grid(axes)
