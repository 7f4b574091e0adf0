"""Accuracy against severity, what cures give, and whether components help in bad weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PAPER,
    THIRD,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.findings import Gain
from fercourse.runs.weather_row import WeatherRow

_COLOURS, _MARKERS = (OURS, PAPER, THIRD, TRAIN), "osD^vPX"


@course_style()
def weather_curves(
    named: Mapping[str, Sequence[WeatherRow]], titles: Mapping[str, str], finding: str
) -> Figure:
    """Accuracy at severities 0 to 5, a panel a corruption, a line a recogniser.

    Lines are means over runs; the band reaches from the worst run to the best.

    Args:
        named: Repetitions by recogniser's title; up to seven.
        titles: Of corruptions, in the order of the panels.
        finding: What the figure shows.
    """
    if not named or not all(named.values()):
        raise FercourseError(
            "there is no run in bad weather to show: fercourse weather makes them."
        )
    columns = 4
    lines = -(-(len(titles) + 1) // columns)
    figure = new_figure(height=0.7 + 1.75 * lines)
    grid = figure.subplots(lines, columns, sharey=True).flat
    x = np.arange(6)
    handles = []
    for axes, (kind, title) in zip(grid, titles.items(), strict=False):
        handles = []
        for k, (name, rows) in enumerate(named.items()):
            curves = 100 * np.array([row.curve(kind) for row in rows])  # (runs, 6)
            classic = not rows[0].variant.startswith("model")
            (line,) = axes.plot(
                x,
                curves.mean(0),
                marker=_MARKERS[k],
                ms=3.5,
                color=GREY if classic else _COLOURS[k % len(_COLOURS)],
                linestyle=":" if classic else "-",
                linewidth=1.3,
                label=name,
            )
            if len(rows) > 1:
                axes.fill_between(
                    x, curves.min(0), curves.max(0), color=line.get_color(), alpha=0.15, linewidth=0
                )
            handles.append(line)
        axes.set_title(title)
        axes.set_xticks(x)
        light_grid(axes)
    flat = list(figure.axes)
    for axes in flat[len(titles) :]:
        axes.set_axis_off()
    flat[len(titles)].legend(handles=handles, loc="center left", fontsize=7.5, borderaxespad=0)
    for axes in flat[: len(titles)]:
        axes.set_xlabel("severity (0: clear)")
    for row in range(lines):
        flat[row * columns].set_ylabel("accuracy, %")
    headline(figure, finding)
    return figure


@course_style()
def weather_gains(groups: Mapping[str, Mapping[str, Gain]], xlabel: str, finding: str) -> Figure:
    """Differences in points with their 95 % intervals, a panel a group, a row a comparison.

    Blue where the interval leaves 0 out, grey where it does not; hollow where there is none.

    Args:
        groups: Gains in fractions, by panel's title and by comparison; the same rows in each.
        xlabel: Of what the differences are.
        finding: What the figure shows.
    """
    if not groups or not all(groups.values()):
        raise FercourseError("there is no difference to show.")
    rows = list(next(iter(groups.values())))
    figure = new_figure(height=1.1 + 0.27 * len(rows))
    panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, (title, gains) in zip(panels, groups.items(), strict=True):
        axes.axvline(0, color=INK, linewidth=0.8)
        for k, name in enumerate(rows):
            gain = gains.get(name)
            if gain is None:
                continue
            mean, low, high = (100 * v for v in (gain.mean, gain.low, gain.high))
            known = low == low
            clear = known and (low > 0 or high < 0)
            colour = (OURS if mean > 0 else PAPER) if clear else GREY
            if known:
                axes.plot([low, high], [k, k], color=colour, linewidth=1.6)
            axes.plot(
                mean,
                k,
                "o" if mean >= 0 else "s",
                color=colour,
                ms=5,
                mfc=colour if known else "white",
            )
        axes.set_title(title)
        axes.set_xlabel(xlabel)
        axes.tick_params(axis="y", length=0)
        light_grid(axes, "both")
    panels[0].set_yticks(range(len(rows)), rows)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    headline(figure, finding)
    return figure
