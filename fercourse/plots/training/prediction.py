"""What was predicted, beside what came out."""

from __future__ import annotations

from matplotlib.figure import Figure

from fercourse.plots.style import GREY, INK, OURS, PAPER, course_style, headline, new_figure


@course_style()
def prediction(what: str, low: float, high: float, measured: float, score: float) -> Figure:
    """A predicted interval as a bar, and the measurement as a diamond on or beside it.

    Args:
        what: Was measured, with its unit.
        low: The interval's lower end.
        high: Its upper end.
        measured: What came out.
        score: Of the interval: its width and ten times the miss.
    """
    figure = new_figure(height=1.5)
    axes = figure.subplots()
    held = low <= measured <= high
    if held:
        said = "inside the interval"
    else:
        miss = low - measured if measured < low else measured - high
        said = f"{miss:.3g} {'below' if measured < low else 'above'} the interval"
    headline(figure, f"Measured {measured:.3g}: {said}, score {score:.3g} (low is good)")
    axes.plot([low, high], [0, 0], color=GREY, linewidth=9, solid_capstyle="butt", zorder=1)
    axes.plot(measured, 0, "D", color=OURS if held else PAPER, markersize=9, zorder=2)
    # Outwards from the ends, so that the two numbers of a narrow interval do not meet.
    for value, away, side in ((low, -2, "right"), (high, 2, "left")):
        axes.annotate(f"{value:.3g}", (value, 0), (away, -16), textcoords="offset points", ha=side)
    axes.annotate(
        "measured", (measured, 0), (0, 10), textcoords="offset points", ha="center", color=INK
    )
    margin = 0.12 * (max(high, measured) - min(low, measured)) or 1.0
    axes.set(xlim=(min(low, measured) - margin, max(high, measured) + margin), ylim=(-1, 1))
    axes.set(xlabel=what, yticks=[])
    axes.spines["left"].set_visible(False)
    return figure
