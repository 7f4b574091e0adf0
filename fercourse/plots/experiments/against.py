"""The paper's gains beside the measured ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PAPER,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.findings import Finding, Gain


@course_style()
def claimed_against_measured(answers: Sequence[Finding]) -> Figure:
    """What each claim of the paper was measured to be, a row a question, in points of accuracy.

    Diamond: the paper's gain, with the 95 % interval that its Sta over ten runs leaves. Dot: ours,
    with the 95 % interval of the paired differences; hollow where single pairs give no interval.

    Args:
        answers: See :func:`fercourse.runs.findings.findings`.

    Raises:
        FercourseError: There is no answer.
    """
    if not answers:
        raise FercourseError("no claim has been measured yet: fercourse run table1 does it.")
    figure = new_figure(height=0.9 + 0.66 * len(answers))
    axes = figure.add_subplot()
    for k, answer in enumerate(answers):
        words = ("the paper, 95 % CI", "measured here, 95 % CI") if k == 0 else ("", "")
        if answer.claimed:
            _gain(axes, answer.claimed, k - 0.17, PAPER, "D", words[0])
        _gain(axes, answer.measured, k + 0.17, OURS, "o", words[1])
        scope = axes.annotate(
            f"{answer.where}: {answer.scope}",
            (0, k + 0.4),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        scope.set_in_layout(False)  # or a long one would narrow the panel
    axes.axvline(0, color=INK, linewidth=0.9)
    names = [answer.question.replace(": ", ":\n") for answer in answers]
    axes.set_yticks(range(len(answers)), names)
    axes.set_ylim(len(answers) - 0.4, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("points of test accuracy gained")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.3 * (high - low))  # room for the numbers
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, ncols=2)
    light_grid(axes, "x")
    headline(figure, in_words(answers))
    return figure


def in_words(answers: Sequence[Finding]) -> str:
    """The finding in a sentence, for a figure or a page."""
    sentences = []
    asked = [answer for answer in answers if answer.claimed]
    if asked:
        claims = [100 * answer.claimed.mean for answer in asked if answer.claimed]
        shown = sum(answer.measured.low > 0 for answer in asked)
        beyond = sum(claim > 100 * a.measured.high for claim, a in zip(claims, asked, strict=True))
        reach = " to ".join(dict.fromkeys(f"{end:+.1f}" for end in (min(claims), max(claims))))
        sentences.append(
            f"Claimed: {reach} points. Measured: {shown or 'no'} "
            f"gain{'s' * (shown > 1)} shown of {len(asked)}; {_of(beyond, len(asked))} outside our "
            "interval"
        )
    alone = [
        f"{answer.short} {100 * answer.measured.mean:+.1f}" for answer in answers if answer.short
    ]
    if alone:
        sentences.append(f"without any component: {', '.join(alone)}")
    return "; ".join(sentences)


def _of(some: int, all_: int) -> str:
    if some == all_:
        return "every claim lies" if all_ > 1 else "the claim lies"
    return f"{some} of {all_} claims lie{'s' * (some == 1)}"


def _gain(axes: Axes, gain: Gain, y: float, colour: str, marker: str, label: str) -> None:
    bare = math.isnan(gain.low)
    reach = None if bare else [[100 * (gain.mean - gain.low)], [100 * (gain.high - gain.mean)]]
    axes.errorbar(
        100 * gain.mean,
        y,
        xerr=reach,
        fmt=marker,
        ms=6.5,
        mew=1.6,
        mfc="white" if bare or marker == "D" else colour,
        color=colour,
        capsize=3,
        elinewidth=1.8,
        label=label or None,
    )
    edge = 100 * (gain.mean if bare else gain.high)
    axes.annotate(
        f"{gain}{' no interval' if bare else ''}",
        (edge, y),
        (9, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=colour,
        fontweight="bold",
    )
