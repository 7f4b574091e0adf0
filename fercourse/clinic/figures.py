"""Each examination as a figure."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from fercourse import plots
from fercourse.clinic.bank import recorded
from fercourse.clinic.examine import Chart, from_png

DRAWN: dict[str, Callable[[Chart, str, Chart], Figure]] = {
    "accuracy": lambda c, name, usual: plots.patient_accuracy(c.history, name, usual.history),
    "losses": lambda c, name, usual: plots.patient_losses(c.history, name, usual.history),
    "confusion": lambda c, name, usual: plots.patient_matrix(c.confusion, name),
    "judge twice": lambda c, name, usual: plots.patient_twice(c.pairs, c.twice, name),
    "batch": lambda c, name, usual: plots.patient_batch(
        from_png(c.batch["picture"]), c.batch["labels"], name
    ),
    "one batch by heart": lambda c, name, usual: plots.patient_one_batch(
        c.one_batch, name, usual.one_batch
    ),
    "gradients": lambda c, name, usual: plots.patient_gradients(
        c.steps, c.drowning, name, (usual.steps, usual.drowning)
    ),
    "strips": lambda c, name, usual: plots.patient_strips(c.strips, name, usual.strips),
    "worst faces": lambda c, name, usual: plots.patient_worst(
        from_png(c.worst["picture"]),
        c.worst["labels"],
        c.worst["answers"],
        c.worst["sure"],
        c.worst["apart"],
        name,
    ),
    "where it looks": lambda c, name, usual: plots.patient_map(c.looks, name),
}


def draw(examination: str, chart: Chart, name: str) -> Figure:
    """What one examination found, the healthy reference beside it where that helps."""
    return DRAWN[examination](chart, name, recorded("healthy"))


def whole(chart: Chart, name: str) -> Figure:
    """Curves, matrix, map and a second judgement on one sheet."""
    return plots.patient_chart(chart.history, chart.confusion, chart.looks, chart.twice, name)
