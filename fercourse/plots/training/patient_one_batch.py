"""Can an untrained net of this recipe learn one batch by heart?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from fercourse.plots.style import GREY, OURS, PALE, course_style, headline, light_grid, new_figure
from fercourse.plots.training.patient_panels import LOW, NARROW, above, short

FLOOR, TOP = 1e-3, 1e3


@course_style()
def patient_one_batch(losses: Sequence[float], name: str, usual: Sequence[float]) -> Figure:
    """Cross-entropy of one batch before each step on it, log scale.

    Args:
        losses: The patient's.
        name: Of the patient.
        usual: A healthy run's, drawn behind.
    """
    figure = new_figure(LOW, NARROW)
    axes = figure.subplots()
    axes.axhline(math.log(7), color=PALE, linewidth=1.0, label="ln 7: knows nothing")
    for label, values, colour, line in (
        ("healthy", usual, GREY, "--"),
        (name, losses, OURS, "-"),
    ):
        within = [min(max(value, FLOOR), TOP) for value in values]
        axes.plot(range(len(within)), within, line, color=colour, linewidth=1.6, label=label)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="step, always on the same 16 faces", ylabel="cross-entropy")
    light_grid(axes)
    above(axes)
    headline(
        figure,
        f"{name}: after {len(losses) - 1} steps on one batch its cross-entropy is "
        f"{short(losses[-1])}, healthy is {short(usual[-1])}",
    )
    return figure
