"""One unit of a block on a face: what it could see, and what it listens to."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import MATRIX, OURS, PAPER, course_style, headline, new_figure


@course_style()
def unit_field(
    face: Tensor, heard: Tensor, middle: tuple[float, float], could: int, half: int, unit: str
) -> Figure:
    """A face with a unit's two squares, and the influence of every pixel.

    Args:
        face: uint8 (H, W).
        heard: Squared gradient of the unit for each pixel, (H, W).
        middle: Where the unit lies: y and x, pixels.
        could: Side of the square it depends on at all, pixels.
        half: Side of the square around it that holds half of the influence.
        unit: What it is called, such as "C4, row 2, column 3 of 6".
    """
    size = len(face)
    figure = new_figure(height=3.5)
    panels = figure.subplots(1, 2)
    picture(panels[0], face)
    # The fourth root shows the faint rim beside the strong middle.
    panels[1].imshow(np.asarray(heard) ** 0.25, cmap=MATRIX)
    bare(panels[1])
    for axes in panels:
        for side, style, colour, width in ((could, "--", PAPER, 1.8), (half, "-", OURS, 2.4)):
            low = [max(0.0, at - side / 2) for at in middle]  # y, x
            high = [min(float(size), at + side / 2) for at in middle]
            corner = (low[1] - 0.5, low[0] - 0.5)  # pixel 0 is drawn from -0.5 on
            extent = (high[1] - low[1], high[0] - low[0])
            axes.add_patch(
                Rectangle(corner, *extent, fill=False, lw=width + 1.6, ls="-", edgecolor="white")
            )
            axes.add_patch(Rectangle(corner, *extent, fill=False, lw=width, ls=style, ec=colour))
        axes.plot(middle[1] - 0.5, middle[0] - 0.5, "o", color="white", mec="black", ms=5)
    panels[0].set_xlabel("dashed: could see; solid: half of what it listens to")
    panels[1].set_xlabel("bright: listens more (fourth root)")
    seen = np.prod([min(size, m + could / 2) - max(0.0, m - could / 2) for m in middle]) / size**2
    headline(
        figure,
        f"{unit}: its rule's square of {could} pixels covers {seen:.0%} of the face; half of what "
        f"it listens to lies in {half} × {half} pixels",
    )
    return figure
