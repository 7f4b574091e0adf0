"""What the examinations of a patient cost, and which were ordered."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from matplotlib.figure import Figure

from fercourse.plots.style import FADED, OURS, course_style, headline, light_grid, new_figure
from fercourse.plots.training.patient_panels import NARROW


@course_style()
def patient_prices(prices: Mapping[str, int], ordered: Collection[str], name: str) -> Figure:
    """A bar an examination, as long as its price; dark where it was ordered.

    Args:
        prices: By examination.
        ordered: Some of these.
        name: Of the patient.
    """
    figure = new_figure(3.0, NARROW)
    axes = figure.subplots()
    colours = [OURS if examination in ordered else FADED for examination in prices]
    axes.barh(range(len(prices)), list(prices.values()), color=colours, height=0.7)
    axes.set_yticks(range(len(prices)), list(prices))
    axes.invert_yaxis()
    axes.set_xlabel("price (points)")
    light_grid(axes, "x")
    spent = sum(prices[examination] for examination in ordered)
    headline(
        figure, f"{name}: {len(ordered)} of {len(prices)} examinations ordered, for {spent} points"
    )
    return figure
