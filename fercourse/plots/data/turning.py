"""How far a face may be turned and still be found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import GREY, OURS, course_style, headline, light_grid, new_figure


@course_style()
def turned(angles: Sequence[float], probability: Sequence[float], threshold: float = 0.9) -> Figure:
    """The detector's probability against the angle a picture was turned by.

    Args:
        angles: Degrees, rising, with 0 among them.
        probability: Of the best box, in [0, 1]; 0 where nothing was found.
        threshold: What counts as found.

    Raises:
        FercourseError: No angle was tried.
    """
    if not len(angles):
        raise FercourseError("no angle was tried.")
    angle, chance = np.asarray(angles, dtype=float), np.asarray(probability, dtype=float)
    lost = np.abs(angle[chance < threshold])
    figure = new_figure(height=2.6)
    axes = figure.add_subplot()
    axes.plot(angle, chance, "o-", color=OURS, markersize=4)
    axes.axhline(threshold, color=GREY, linewidth=0.9, linestyle="--")
    axes.annotate(
        f"threshold\n{threshold:g}",
        (1.01, threshold),
        va="center",
        fontsize=8,
        xycoords=("axes fraction", "data"),
    )
    axes.set(
        xlabel="picture turned by (degrees, clockwise)",
        ylabel="probability of a face",
        ylim=(-0.05, 1.08),
        xticks=np.arange(-180, 181, 60),
    )
    light_grid(axes)
    headline(
        figure,
        f"A face is found at {np.mean(chance >= threshold):.0%} of the angles tried"
        + (f"; the first loss is at {lost.min():.0f} degrees" if len(lost) else ""),
    )
    return figure
