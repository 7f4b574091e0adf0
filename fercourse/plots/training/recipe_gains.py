"""What each change of a recipe gained, beside what a change of the seed alone would."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import stdev
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from scipy.stats import t as student

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    course_style,
    headline,
    light_grid,
    new_figure,
    points,
)
from fercourse.runs.statistics import Paired

if TYPE_CHECKING:
    from fercourse.experiments.trials import Trial


@course_style()
def recipe_gains(trials: Sequence[Trial], base: Sequence[float]) -> Figure:
    """Gain of each trial over the base, over the seeds both have, and the band of mere chance.

    The band holds 95 % of the differences between two runs of the base: t times the square root of
    2 times the standard deviation over its seeds. With few seeds it is wide, since the deviation
    itself is hardly known.

    Args:
        trials: Of :func:`fercourse.pages.recipes.compare_recipes`; those that changed one
            setting and share a seed with the base are drawn.
        base: Validation accuracy of the base's seeds, fractions; two at least.

    Raises:
        FercourseError: No trial can be drawn, or the base has fewer than two seeds.
    """
    drawn = [(t, t.gain) for t in trials if len(t.changed) == 1 and t.gain]
    if not drawn or len(base) < 2:
        raise FercourseError(
            "a recipe's gains need one trial at least and two seeds of its base: "
            "run the plans recipe and table1."
        )
    drawn.sort(key=lambda pair: pair[1].mean)
    chance = 100 * float(student.ppf(0.975, len(base) - 1)) * sqrt(2) * stdev(base)
    figure = new_figure(height=1.5 + 0.27 * len(drawn))
    axes = figure.add_subplot()
    axes.axvspan(
        -chance,
        chance,
        color=GREY,
        alpha=0.18,
        lw=0,
        label=f"95 % of differences between seeds (from {len(base)})",
    )
    axes.axvline(0, color=INK, linewidth=0.9)
    gains = [100 * gain.mean for _, gain in drawn]
    for y, gain in enumerate(gains):
        colour = OURS if abs(gain) > chance else GREY
        axes.plot([0, gain], [y, y], color=colour, linewidth=1.4)
        axes.plot(gain, y, "o", color=colour, ms=6)
        axes.annotate(
            points(gain / 100),
            (gain, y),
            xytext=(7 if gain >= 0 else -7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            ha="left" if gain >= 0 else "right",
        )
    axes.set_yticks(range(len(drawn)), [_name(*pair) for pair in drawn])
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.12)
    axes.set_xlabel("gain in validation accuracy (points)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2)
    light_grid(axes, "x")
    beyond = sum(abs(gain) > chance for gain in gains)
    change = "changes accuracy" if beyond == 1 else "change accuracy"
    headline(figure, f"{beyond} of {len(drawn)} settings {change} by more than another seed would")
    return figure


def _name(trial: Trial, gain: Paired) -> str:
    ((name, value),) = trial.changed.items()
    return f"{name} = {value}" + (f", {gain.n} seeds" if gain.n > 1 else "")
