"""Measured credits of the components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.config import PARTS
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
from fercourse.runs.statistics import mean_interval


@course_style()
def component_credits(credits: Mapping[str, Sequence[float]]) -> Figure:
    """Each component's credit: a dot a seed, the mean, and its 95 % interval over seeds.

    Args:
        credits: By the component's switch, one credit a seed, fractions; see
            :func:`fercourse.runs.credit.shapley`.

    Raises:
        FercourseError: There is no component, or no seed.
    """
    if not credits or not all(map(len, credits.values())):
        raise FercourseError("credits need every combination of one seed at least.")
    titles = {part.switch: part.title for part in PARTS}
    figure = new_figure(height=1.0 + 0.42 * len(credits))
    axes = figure.add_subplot()
    clear = []
    for k, (name, values) in enumerate(credits.items()):
        low, high = mean_interval(values)
        mean = float(np.mean(values))
        axes.plot([100 * v for v in values], [k + 0.22] * len(values), "o", ms=3.5, color=GREY)
        axes.errorbar(
            100 * mean,
            k,
            xerr=None if np.isnan(low) else [[100 * (mean - low)], [100 * (high - mean)]],
            fmt="o",
            ms=6,
            color=OURS,
            mfc="white" if np.isnan(low) else OURS,
            capsize=3,
        )
        if low > 0 or high < 0:
            clear.append(f"{titles[name]} {points(mean)}")
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.set_yticks(range(len(credits)), [titles[name] for name in credits])
    axes.set_ylim(len(credits) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("credit: points of test accuracy, mean over all orders (grey: seeds)")
    light_grid(axes, "x")
    n = len(next(iter(credits.values())))
    found = ", ".join(clear) or "none is clear of zero"
    headline(figure, f"Credits over {n} seed{'s' * (n > 1)}: {found}")
    return figure
