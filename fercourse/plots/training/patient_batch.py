"""Faces of one training batch as the net gets them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.labels import BASIC
from fercourse.plots.overlay import picture
from fercourse.plots.style import WIDTH, course_style, headline, new_figure, tight


@course_style()
def patient_batch(sheet: ArrayLike, labels: Sequence[int], name: str) -> Figure:
    """Two rows of faces, after augmentation, each under the label it is trained with.

    Args:
        sheet: uint8 (2 H, N / 2 * H), the faces row by row.
        labels: N of them.
        name: Of the patient.
    """
    rows = np.split(np.asarray(sheet), 2)
    columns = len(labels) // 2
    faces = [face for row in rows for face in np.split(row, columns, axis=1)]
    figure = new_figure(2 * (WIDTH / columns + 0.22) + 0.35)
    panels = figure.subplots(2, columns).ravel()
    tight(figure, 0.03)
    for axes, face, label in zip(panels, faces, labels, strict=True):
        picture(axes, face)
        axes.set_title(BASIC[label].title, loc="center", fontweight="normal", fontsize=8.5)
    headline(figure, f"{name}: {len(labels)} faces of a training batch, with their labels")
    return figure
