"""What Table 1's components cost, relative to the plain trunk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.config import PARTS
from fercourse.errors import FercourseError
from fercourse.plots.style import OURS, TRAIN, course_style, headline, light_grid, new_figure

NAMES = ("1  VGG16", *(f"{part.row}  + {part.title}" for part in PARTS if part.row))


@course_style()
def component_costs(parameters: Sequence[int], flops: Sequence[int]) -> Figure:
    """Parameters and operations of Table 1's six models, as growth over model 1.

    Args:
        parameters: Of models 1 to 6.
        flops: Of one face's forward pass, of models 1 to 6.

    Raises:
        FercourseError: Not six numbers each.
    """
    if len(parameters) != 6 or len(flops) != 6:
        raise FercourseError(
            f"Table 1 has six models, not {len(parameters)} and {len(flops)} numbers."
        )
    figure = new_figure(height=2.9)
    panels = figure.subplots(1, 2, sharey=True)
    models = np.arange(6)
    growth = []
    for axes, values, name, colour in (
        (panels[0], parameters, "parameters", OURS),
        (panels[1], flops, "operations", TRAIN),
    ):
        more = 100 * (np.array(values) / values[0] - 1)
        growth.append(more)
        axes.barh(models, more, color=colour, height=0.62)
        for k, value in enumerate(more):
            axes.annotate(
                f"{value:+.2f} %".replace("-", "−"),
                (max(value, 0), k),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_xlabel(f"{name} beyond model 1 (%)")
        axes.margins(x=0.25)
        axes.tick_params(axis="y", length=0)
        light_grid(axes, "x")
    panels[0].set_yticks(models, NAMES)
    panels[0].invert_yaxis()
    cheaper = [NAMES[k + 1][5:] for k in range(5) if flops[k + 1] < flops[k]]
    step = ", ".join(cheaper) or "no step"
    headline(
        figure,
        f"The whole framework takes {growth[1][-1]:.1f} % more operations and "
        f"{growth[0][-1]:.1f} % more parameters than VGG16; {step} makes it cheaper",
    )
    return figure
