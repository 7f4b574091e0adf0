"""How far a step moves each part of the net, and whose gradient moves it."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercourse.plots.style import GREY, OURS, course_style, headline, light_grid, new_figure
from fercourse.plots.training.patient_panels import above, short

Parts = Mapping[str, float]


@course_style()
def patient_gradients(
    steps: Parts, drowning: Parts, name: str, usual: tuple[Parts, Parts]
) -> Figure:
    """Two panels, a dot a part of the net, log scale; a healthy run's are grey.

    Args:
        steps: By part, the norm of a step over that of the weights it moves.
        drowning: By part, the norm of the whole loss's gradient over that of cross-entropy's.
        name: Of the patient.
        usual: Both of a healthy run.
    """
    figure = new_figure(3.1)
    left, right = figure.subplots(1, 2, sharey=True)
    _dots(left, steps, usual[0], name)
    left.set(xlabel="a step, as a share of the weights", xscale="log")
    left.set_xlim(min(1e-5, *steps.values()) / 2, max(1.0, *steps.values()) * 2)
    _dots(right, drowning, usual[1], name)
    right.set(xlabel="gradient of the whole loss / of cross-entropy", xscale="log")
    right.set_xlim(0.3, max(30.0, *drowning.values()) * 2)
    left.invert_yaxis()
    above(left)
    right.set_title(" ")
    low, high = min(steps.values()), max(steps.values())
    headline(
        figure,
        f"{name}: a step moves the weights by {low:.1g} to {high:.1g} of themselves; the whole "
        f"loss pulls up to {short(max(drowning.values()))} times as hard as cross-entropy",
    )
    return figure


def _dots(axes: Axes, values: Parts, usual: Parts, name: str) -> None:
    at = range(len(values))
    axes.plot([usual[part] for part in values], at, "o", color=GREY, mfc="white", label="healthy")
    axes.plot(list(values.values()), at, "o", color=OURS, markersize=4, label=name)
    axes.set_yticks(at, list(values))
    light_grid(axes, "both")
