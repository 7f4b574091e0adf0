"""Images a second against the batch size, and where the time of a step goes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    OURS,
    PAPER,
    THIRD,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def throughput(rates: Mapping[int, float], parts: Mapping[str, float]) -> Figure:
    """What a training step does in a second, and what it spends the second on.

    Args:
        rates: Images/s by batch size.
        parts: Seconds of a step by name, such as "forward".

    Raises:
        FercourseError: Nothing was measured.
    """
    if not rates or not parts:
        raise FercourseError("Throughput needs a measured rate and a measured part at least.")
    figure = new_figure(height=2.9)
    left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
    sizes = sorted(rates)
    left.plot(sizes, [rates[size] for size in sizes], "-o", color=OURS)
    left.set_xscale("log", base=2)
    left.set_xticks(sizes, [str(size) for size in sizes])
    left.minorticks_off()
    left.set(xlabel="faces a batch", ylabel="faces a second")
    left.set_ylim(bottom=0)
    light_grid(left)

    total = sum(parts.values())
    names = list(parts)
    colours = (TRAIN, OURS, PAPER, THIRD)
    shares = [100 * parts[name] / total for name in names]
    right.barh(names, shares, color=[colours[k % 4] for k in range(len(names))], height=0.62)
    for k, share in enumerate(shares):
        right.annotate(
            f"{share:.0f} %",
            (share, k),
            xytext=(4, 0),
            va="center",
            fontsize=8,
            textcoords="offset points",
        )
    right.invert_yaxis()
    right.margins(x=0.18)
    right.tick_params(axis="y", length=0)
    right.set_xlabel("share of a step's time (%)")
    light_grid(right, "x")
    best = max(sizes, key=lambda size: rates[size])
    times, longest = rates[best] / rates[sizes[0]], max(parts, key=lambda name: parts[name])
    headline(
        figure,
        f"Batches of {best} are fastest here, {times:.1f} times as fast as batches of {sizes[0]}; "
        f"{longest} takes {max(shares):.0f} % of a step",
    )
    return figure


@course_style()
def averaging(plain: list[float], averaged: list[float]) -> Figure:
    """Validation accuracy of the weights and of their moving average, epoch by epoch.

    Args:
        plain: Fractions, one an epoch.
        averaged: Likewise.

    Raises:
        FercourseError: Other numbers of epochs, or none.
    """
    if len(plain) != len(averaged) or not plain:
        raise FercourseError(f"{len(plain)} and {len(averaged)} epochs cannot be compared.")
    figure = new_figure(height=2.8)
    axes = figure.add_subplot()
    for values, line, colour, label in (
        (plain, "--s", TRAIN, "weights as they are"),
        (averaged, "-o", OURS, "their moving average"),
    ):
        axes.plot([100 * value for value in values], line, ms=4, color=colour, label=label)
    axes.set(xlabel="epoch", ylabel="validation accuracy (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)
    light_grid(axes)
    drops = [sum(max(0.0, a - b) for a, b in pairwise(v)) for v in (plain, averaged)]
    headline(
        figure,
        f"The weights fell back by {100 * drops[0]:.1f} points in all, their average by "
        f"{100 * drops[1]:.1f}",
    )
    return figure
