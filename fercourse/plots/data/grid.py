"""What the data look like: faces of every class, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.plots.alternative import describe
from fercourse.plots.style import course_style, headline, new_figure

if TYPE_CHECKING:
    from fercourse.datasets.faces import Faces


@course_style()
def sample_grid(faces: Faces, per_class: int = 5, seed: int = 0) -> Figure:
    """Some faces of every class, one column a class.

    Args:
        faces: Any split.
        per_class: Rows.
        seed: Of the draw; a class with fewer faces leaves its column short.

    Raises:
        FercourseError: There are no faces.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    counts = faces.counts(len(Expression))
    classes = [expression for expression in Expression if counts[expression]]
    side, gap = faces.size, max(2, faces.size // 16)
    step = side + gap
    sheet = np.full((per_class * step - gap, len(classes) * step - gap), 255, dtype=np.uint8)
    rng = np.random.default_rng(seed)
    for column, expression in enumerate(classes):
        at = np.flatnonzero(faces.labels.numpy() == expression)
        at = rng.permutation(at)[:per_class]
        for row, image in enumerate(faces.images[at].numpy()):
            height, width = (min(length, side) for length in image.shape)
            sheet[row * step : row * step + height, column * step : column * step + width] = image[
                :height, :width
            ]
    figure = new_figure(height=7.0 * sheet.shape[0] / sheet.shape[1] + 0.65)
    axes = figure.add_subplot()
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks(
        [column * step + side / 2 for column in range(len(classes))],
        [f"{expression.title}\n{counts[expression]:,}" for expression in classes],
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    headline(
        figure,
        f"{len(faces):,} faces of {side} × {side} pixels in {len(classes)} classes: "
        f"{per_class} drawn at random from each",
    )
    describe(
        figure,
        "Faces in columns: "
        + ", ".join(f"{expression.title}, {counts[expression]:,} faces" for expression in classes),
    )
    return figure
