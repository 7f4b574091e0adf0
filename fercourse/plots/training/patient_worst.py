"""The faces a run is worst at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.labels import BASIC
from fercourse.plots.overlay import picture
from fercourse.plots.style import course_style, headline, new_figure, tight

ROWS = (
    "training faces\nof highest loss",
    "validation faces\nof highest loss",
    "most alike\nin training",
)


@course_style()
def patient_worst(
    sheet: ArrayLike,
    labels: Sequence[int],
    answers: Sequence[int],
    sure: Sequence[float],
    apart: Sequence[float],
    name: str,
) -> Figure:
    """Three rows of N faces: the worst in training, the worst in validation, the latter's likeness.

    Args:
        sheet: uint8 (3 H, N * H).
        labels: Of the first two rows' faces.
        answers: Theirs.
        sure: The answers' probabilities.
        apart: Mean grey levels between a validation face and its likeness.
        name: Of the patient.
    """
    columns = len(apart)
    faces = [np.split(row, columns, axis=1) for row in np.split(np.asarray(sheet), len(ROWS))]
    figure = new_figure(5.2)
    panels = figure.subplots(len(ROWS), columns)
    tight(figure, 0.03)
    for i, row in enumerate(panels):
        for j, axes in enumerate(row):
            picture(axes, faces[i][j])
            k = i * columns + j
            text = f"{apart[j]:.0f} grey levels apart"
            if i < 2:
                label, answer = BASIC[labels[k]].title, BASIC[answers[k]].title
                text = f"label {label},\nanswer {answer} ({100 * sure[k]:.0f} %)"
            axes.set_title(text, loc="center", fontweight="normal", fontsize=7.5)
        row[0].set_ylabel(ROWS[i], fontsize=8.5)
    wrong = sum(a != b for a, b in zip(labels[:columns], answers[:columns], strict=True))
    headline(
        figure,
        f"{name}: of the {columns} training faces of highest loss {wrong} are answered otherwise "
        "than labelled",
    )
    return figure
