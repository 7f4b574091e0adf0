"""A run on one sheet, for the clinic: curves, confusion matrix, and where it looks."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.plots.style import course_style, headline, new_figure
from fercourse.plots.training.patient_panels import (
    History,
    draw_accuracy,
    draw_losses,
    draw_map,
    draw_matrix,
)


@course_style()
def patient_chart(
    history: History,
    confusion: ArrayLike,
    looks: ArrayLike,
    twice: tuple[float, float],
    name: str,
) -> Figure:
    """Accuracy, losses, the confusion matrix, the occlusion map, and a second judgement.

    Args:
        history: One dict an epoch, as :func:`fercourse.train` writes it.
        confusion: Counts (K, K), row = validation label, column = answer.
        looks: By how much a grey square makes the answer's probability fall, (P, P).
        twice: Validation accuracy of the same weights, judged two times over, in [0, 1].
        name: Of the patient.
    """
    figure = new_figure(height=5.4)
    panels = figure.subplot_mosaic(
        [["accuracy", "loss"], ["matrix", "looks"]], height_ratios=[1, 1.25]
    )
    draw_accuracy(panels["accuracy"], history)
    draw_losses(panels["loss"], history)
    draw_matrix(panels["matrix"], np.asarray(confusion))
    draw_map(figure, panels["looks"], 100 * np.asarray(looks))
    first, second = twice
    headline(
        figure,
        f"{name}: validation accuracy of the kept weights {first:.1%}; "
        f"of the same weights, judged again, {second:.1%}",
    )
    return figure
