"""What is lost where a strip of every face is covered."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from fercourse.plots.style import GREY, OURS, course_style, headline, light_grid, new_figure
from fercourse.plots.training.patient_panels import NARROW, above


@course_style()
def patient_strips(strips: Sequence[float], name: str, usual: Sequence[float]) -> Figure:
    """Validation accuracy by the strip in grey, from the top of the picture to its bottom.

    Args:
        strips: Accuracies in [0, 1]: with nothing covered, then with each strip.
        name: Of the patient.
        usual: A healthy run's.
    """
    bare, covered = 100 * strips[0], [100 * value for value in strips[1:]]
    height = 48 // len(covered)
    rows = [f"{k * height} to {(k + 1) * height - 1}" for k in range(len(covered))]
    at = range(len(covered))
    figure = new_figure(2.8, NARROW)
    axes = figure.subplots()
    axes.barh(at, covered, color=OURS, height=0.7, label=name)
    axes.plot(
        [100 * value for value in usual[1:]], at, "o", color=GREY, mfc="white", label="healthy"
    )
    axes.axvline(bare, color=OURS, linewidth=1.0, linestyle="--", label="nothing covered")
    axes.set_yticks(at, rows)
    axes.invert_yaxis()
    axes.set(xlim=(0, 103), xlabel="validation accuracy (%)", ylabel="rows in grey")
    light_grid(axes, "x")
    above(axes)
    worst = min(at, key=lambda k: covered[k])
    headline(
        figure,
        f"{name}: {bare:.1f} % right; covering rows {rows[worst]} costs most and leaves "
        f"{covered[worst]:.1f} %",
    )
    return figure
