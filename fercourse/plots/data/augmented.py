"""One face and what augmentation makes of it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.augment import FLIPS, ROTATIONS
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import GREY, INK, course_style, headline, new_figure

ROWS, COLUMNS = len(FLIPS), len(ROTATIONS)
GAP = 0.06
"""Between pictures of the sheet, share of a picture's side."""


@course_style()
def augmented(face: ArrayLike, turned: ArrayLike, results: ArrayLike, policy: str) -> Figure:
    """The face and one turned by hand at the left, fifteen results at the right.

    Args:
        face: uint8 (H, H).
        turned: uint8 (H, H), by hand.
        results: uint8 (15, H, H); for "paper" in the order of ``fercourse.augment.FIFTEEN``.
        policy: "paper", "light" or "course".
    """
    face, results = np.asarray(face), np.asarray(results)
    figure = new_figure(height=3.7)
    figure.set_layout_engine("none")  # places are fixed, so that it redraws fast
    for bottom, image, title in ((0.44, face, "the face"), (0.01, turned, "turned by hand")):
        axes = figure.add_axes((0.005, bottom, 0.195, 0.37))
        picture(axes, image)
        axes.set_title(title)
    axes = figure.add_axes((0.29, 0.01, 0.705, 0.80))
    if policy == "paper":  # by rotation, then flip: columns, then rows
        results = results.reshape(COLUMNS, ROWS, *face.shape).swapaxes(0, 1)
        _paper_labels(axes, face.shape[0])
    else:
        results = results.reshape(ROWS, COLUMNS, *face.shape)
        axes.set_title(f"fifteen draws from the {policy} policy")
    axes.imshow(_sheet(results), cmap="gray", vmin=0, vmax=255)
    axes.set_anchor("SW")
    bare(axes)
    headline(figure, _in_words(face, results, policy))
    describe(
        figure,
        "One face, the same turned by hand, and fifteen results in three rows of five",
    )
    return figure


def _sheet(images: np.ndarray) -> np.ndarray:
    """uint8 (rows, columns, H, H) to one picture, white between them."""
    rows, columns, side, _ = images.shape
    step = round((1 + GAP) * side)
    sheet = np.full((rows, step, columns, step), 255, dtype=np.uint8)
    sheet[:, :side, :, :side] = images.transpose(0, 2, 1, 3)
    return sheet.reshape(rows * step, columns * step)[: side - step, : side - step]


def _paper_labels(axes: Axes, side: int) -> None:
    step = round((1 + GAP) * side)
    for k, angle in enumerate(ROTATIONS):
        text = f"{angle:+.0f}°".replace("-", "−") if angle else "0°"
        axes.text(k * step + side / 2, -0.05 * side, text, ha="center", va="bottom", color=INK)
    for k, text in enumerate(("as is", "left to\nright", "upside\ndown")):
        axes.text(-0.08 * side, k * step + side / 2, text, ha="right", va="center", color=GREY)


def _in_words(face: np.ndarray, results: np.ndarray, policy: str) -> str:
    change = np.abs(results.astype(float) - face).mean()
    if policy == "paper":
        said = "The paper's fifteen: five rotations, three flips; a third stand on their heads. "
    else:
        said = f"The {policy} policy never draws the same twice, and no face upside down. "
    return said + f"On average a pixel changes by {change:.0f} of 255 grey levels"
