"""One face, and many, answered without some parts of the fused vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.labels import Expression
from fercourse.plots.answer_bars import answer_bars, changed
from fercourse.plots.overlay import picture
from fercourse.plots.style import INK, OURS, course_style, headline, light_grid, new_figure


@course_style()
def silence(
    face: Tensor,
    label: int,
    before: Sequence[float],
    after: Sequence[float],
    quiet: Sequence[str],
    right: tuple[float, float],
    count: int,
) -> Figure:
    """A face's probabilities with all parts and without some, and the accuracy over others.

    Args:
        face: uint8 (H, W).
        label: What it expresses.
        before: Probabilities (K,) with all parts.
        after: Those with some silenced.
        quiet: These parts.
        right: Share of the other faces answered rightly, before and after.
        count: How many faces those are.
    """
    figure = new_figure(height=2.7)
    shown, bars, many = figure.subplots(1, 3, width_ratios=[0.8, 1.1, 0.7])
    picture(shown, face)
    shown.set_title(Expression(label).title, loc="center")
    answer_bars(bars, before, after, ("all parts", "what is left"), label)
    error = 100 * np.sqrt([p * (1 - p) / count for p in right])
    heights = 100 * np.array(right)
    many.bar(
        [0, 1], heights, 0.6, color=["white", OURS], edgecolor=[INK, OURS], yerr=error, ecolor=INK
    )
    for x, height in enumerate(heights):
        many.annotate(
            f"{height:.0f}", (x, 4), ha="center", color="white" if x else INK, fontweight="bold"
        )
    many.axhline(100 / 7, color=INK, linewidth=0.8, linestyle=":")
    many.set_xlabel("dotted: guessing")
    many.set_xticks([0, 1], ["all parts", "what is left"])
    many.set(xlim=(-0.5, 1.5), ylim=(0, 106), ylabel="faces answered rightly (%)")
    many.set_title(f"{count} validation faces")
    light_grid(many)
    headline(figure, _in_words(before, after, quiet, right, count))
    return figure


def _in_words(
    before: Sequence[float],
    after: Sequence[float],
    quiet: Sequence[str],
    right: tuple[float, float],
    count: int,
) -> str:
    if not quiet:
        return (
            f"With all parts: {changed(before)}; {100 * right[0]:.0f} % of {count} faces are right"
        )
    lost = f"{round(100 * (right[1] - right[0])):+d}".replace("-", "−")  # an integer has no −0
    return f"Without {', '.join(quiet)}: {changed(before, after)}; {lost} points over {count} faces"
