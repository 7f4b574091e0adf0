"""The same weights judged twice on the same faces."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.plots.style import GREY, OURS, course_style, headline, light_grid, new_figure
from fercourse.plots.training.patient_panels import NARROW


@course_style()
def patient_twice(pairs: ArrayLike, twice: tuple[float, float], name: str) -> Figure:
    """A point a face: the first answer's probability, at the first judgement and at the second.

    Args:
        pairs: Probabilities (N, 2).
        twice: Accuracy at both judgements, in [0, 1].
        name: Of the patient.
    """
    first, second = np.asarray(pairs, dtype=float).T
    figure = new_figure(3.0, NARROW)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, label="equal")
    axes.plot(first, second, "o", color=OURS, markersize=4, alpha=0.6, label="a validation face")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set(xlabel="answer's probability, first time", ylabel="the second time")
    axes.legend(loc="upper left")
    light_grid(axes, "both")
    apart = np.abs(first - second).max()
    headline(
        figure,
        f"{name}: {twice[0]:.1%} right, judged again {twice[1]:.1%}; "
        f"a probability moves by up to {apart:.2f}",
    )
    return figure
