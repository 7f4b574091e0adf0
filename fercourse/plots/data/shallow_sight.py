"""What two methods with hand-made features see of a face: triangles, and motion."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError
from fercourse.plots.alternative import describe
from fercourse.plots.data.sheets import PHOTO_DPI, bare, picture
from fercourse.plots.style import OURS, PAPER, course_style, headline, new_figure, tight


@course_style()
def landmark_triangles(image: ArrayLike, points: ArrayLike, triangles: ArrayLike) -> Figure:
    """A face, its landmarks, and the triangles whose shapes are measured.

    Args:
        image: uint8 (H, W).
        points: (L, 2), x and y in pixels.
        triangles: (T, 3), which landmarks each joins.
    """
    points, triangles = np.asarray(points), np.asarray(triangles)
    figure = new_figure(3.1, 6.0)
    figure.png_dpi = PHOTO_DPI
    panels = figure.subplots(1, 2)
    tight(figure, 0.03)
    for axes in panels:
        bare(axes)
        picture(axes, image)
        axes.plot(*points.T, "o", color=PAPER, ms=3)
    panels[1].triplot(*points.T, triangles, color=OURS, linewidth=0.9)
    panels[0].set_xlabel("landmarks")
    panels[1].set_xlabel("and triangles")
    pairs = len(points) * (len(points) - 1) // 2
    headline(
        figure,
        f"{len(points)} landmarks make {pairs:,} distances and {len(triangles)} triangles",
    )
    describe(
        figure,
        "One face twice: with dots on its landmarks, and with lines that join them to triangles",
    )
    return figure


@course_style()
def motion_arrows(rest: ArrayLike, peak: ArrayLike, flow: ArrayLike, step: int = 3) -> Figure:
    """A face at rest, at its peak, and where each place went in between.

    Args:
        rest: uint8 (H, W).
        peak: uint8 (H, W).
        flow: (2, H, W), pixels down and right.
        step: Pixels between arrows.

    Raises:
        FercourseError: Flow and pictures differ in size.
    """
    rest, peak, flow = np.asarray(rest), np.asarray(peak), np.asarray(flow)
    if rest.shape != peak.shape or flow.shape != (2, *rest.shape):
        raise FercourseError(
            f"rest {rest.shape}, peak {peak.shape} and flow {flow.shape} do not belong together."
        )
    figure = new_figure(2.75)
    figure.png_dpi = PHOTO_DPI
    panels = figure.subplots(1, 3)
    tight(figure, 0.03)
    for axes, image, name in zip(
        panels, (rest, peak, rest), ("at rest", "peak", "flow between the two"), strict=True
    ):
        bare(axes)
        picture(axes, image)
        axes.set_xlabel(name)
    y, x = np.mgrid[step // 2 : rest.shape[0] : step, step // 2 : rest.shape[1] : step]
    down, right = flow[:, y, x]
    panels[2].quiver(x, y, right, -down, color=PAPER, scale=0.5 * rest.shape[1], width=0.006)
    length = np.hypot(*flow)
    far = np.unravel_index(length.argmax(), length.shape)[0] / rest.shape[0]
    place = "upper" if far < 1 / 3 else "middle" if far < 2 / 3 else "lower"
    headline(
        figure,
        f"Places move by {length.mean():.1f} pixels on average; the farthest, {length.max():.1f}, "
        f"lies in the {place} third",
    )
    describe(
        figure,
        "A face at rest, the same at its peak, and arrows over the face that say where each "
        "place moved",
    )
    return figure
