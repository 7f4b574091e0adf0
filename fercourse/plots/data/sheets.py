"""Pictures side by side, with or without boxes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import OURS, PAPER, WIDTH, course_style, headline, new_figure, tight

PHOTO_DPI = 120


@course_style()
def pictures(
    images: Mapping[str, ArrayLike], finding: str, columns: int = 5, width: float = WIDTH
) -> Figure:
    """Grey pictures in rows, each under its name, what they show above all of them.

    Args:
        images: uint8 (H, W) by name, of about equal shape.
        finding: What the figure shows.
        columns: Pictures a row.
        width: Of the figure, inches.

    Raises:
        FercourseError: There is no picture.
    """
    if not images:
        raise FercourseError("there is no picture to show.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    lines = 1 + max(name.count("\n") for name in images)
    figure = new_figure(rows * (0.92 * width / columns + 0.16 * lines) + 0.3, width)
    figure.png_dpi = PHOTO_DPI
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    tight(figure, 0.03)
    for panel in axes:
        bare(panel)
    for panel, (name, image) in zip(axes, images.items(), strict=False):
        picture(panel, image)
        panel.set_title(name, loc="center", fontweight="normal", fontsize=8)
    headline(figure, finding)
    describe(
        figure,
        f"Pictures: {', '.join(images)}",
    )
    return figure


@course_style()
def boxed(
    image: ArrayLike,
    panels: Mapping[str, ArrayLike],
    finding: str,
    truth: ArrayLike | None = None,
    points: Sequence[ArrayLike] = (),
) -> Figure:
    """One picture, once for each set of boxes.

    Args:
        image: uint8 (H, W) or (H, W, 3).
        panels: Boxes (N, 4), left, top, right, bottom in pixels, by the panel's name.
        finding: What the figure shows.
        truth: Boxes (M, 4) drawn dashed in every panel.
        points: Landmarks (N, 5, 2) drawn into the last panel.

    Raises:
        FercourseError: There is no panel.
    """
    if not panels:
        raise FercourseError("there is no set of boxes to show.")
    image = np.asarray(image)
    tall = image.shape[0] / image.shape[1]
    columns = len(panels)
    width = WIDTH if columns > 1 else 3.6
    figure = new_figure(tall * 0.95 * width / columns + 0.52, width)
    figure.png_dpi = PHOTO_DPI
    axes = figure.subplots(1, columns, squeeze=False)[0]
    tight(figure, 0.03)
    for panel, (name, boxes) in zip(axes, panels.items(), strict=True):
        picture(panel, image)
        for box in np.asarray([] if truth is None else truth):
            panel.add_patch(_rectangle(box, PAPER, 1.4, "--"))
        for box in np.asarray(boxes):
            panel.add_patch(_rectangle(box, OURS, 1.0, "-"))
        panel.set_title(name, loc="center", fontweight="normal", fontsize=8)
    for five in points:
        axes[-1].plot(*np.asarray(five).T, "o", color=OURS, mec="white", mew=0.8, ms=5)
    headline(figure, finding)
    describe(
        figure,
        "The same picture with boxes drawn into it: "
        + "; ".join(f"{name}, {len(np.asarray(boxes))} boxes" for name, boxes in panels.items())
        + ("; dashed where the faces are" if truth is not None else ""),
    )
    return figure


def _rectangle(box: ArrayLike, colour: str, line: float, style: str) -> Rectangle:
    left, top, right, bottom = np.asarray(box, dtype=float)
    return Rectangle(
        (left, top),
        right - left,
        bottom - top,
        fill=False,
        edgecolor=colour,
        linewidth=line,
        linestyle=style,
    )
