"""How far accuracies scatter: over runs, over test sets, over folds, and among the best of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.plots.style import (
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
from fercourse.runs.row import Row
from fercourse.runs.statistics import wilson
from fercourse.runs.summaries import independent, pool_folds

_COLOURS = (OURS, PAPER, THIRD, TRAIN)


@course_style()
def accuracy_histograms(
    samples: Mapping[str, Sequence[float] | np.ndarray], finding: str
) -> Figure:
    """Simulated or measured accuracies, a histogram a sample, one above the other.

    Args:
        samples: Name to accuracies, fractions (n,).
        finding: The headline; compute its numbers from the samples.

    Raises:
        FercourseError: There is no sample, an empty one, or more than four.
    """
    if not 1 <= len(samples) <= len(_COLOURS) or not all(map(len, samples.values())):
        raise FercourseError(f"one to four samples with values are needed, not {list(samples)}.")
    values = {name: 100 * np.asarray(sample, dtype=float) for name, sample in samples.items()}
    everything = np.concatenate(list(values.values()))
    bins = np.linspace(everything.min(), everything.max(), 45)
    figure = new_figure(height=0.85 + 1.15 * len(values))
    panels = figure.subplots(len(values), 1, sharex=True, squeeze=False)[:, 0]
    for axes, colour, (name, sample) in zip(panels, _COLOURS, values.items(), strict=False):
        axes.hist(sample, bins, color=colour, alpha=0.8)
        axes.axvline(sample.mean(), color=INK, lw=1)
        axes.set_title(
            f"{name}: mean {sample.mean():.2f}, standard deviation {sample.std():.2f}",
            fontweight="normal",
        )
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(labelbottom=axes is panels[-1])
    panels[-1].set_xlabel("accuracy (%)")
    headline(figure, finding)
    return figure


@course_style()
def fold_protocols(rows: Sequence[Row]) -> Figure:
    """CK+ cut into folds at random and by subject: each fold, and all folds pooled with Wilson's
    95 % interval.

    Args:
        rows: Measured runs of one variant on CK+, all folds of both cuts.

    Raises:
        FercourseError: One of the two cuts has no rows, or folds are missing.
    """
    figure = new_figure(height=2.5)
    axes = figure.add_subplot()
    pooled = {}
    for at, by in enumerate(("subject", "random")):
        folds = [row for row in rows if row.value("data.by") == by]
        if not folds:
            raise FercourseError(f"no row has folds by {by}: run that plan first.")
        one = pooled[by] = pool_folds(folds)[0]
        n = independent(one)
        low, high = (100 * end for end in wilson(round(one.test_accuracy * n), n))
        mean = 100 * one.test_accuracy
        axes.errorbar(
            mean,
            at,
            xerr=[[mean - low], [high - mean]],
            fmt="D",
            ms=7,
            capsize=4,
            color=OURS,
            zorder=3,
            label=None if at else "all folds pooled, 95 % interval",
        )
        axes.plot(
            [100 * row.test_accuracy for row in folds],
            [at - 0.25] * len(folds),
            "o",
            ms=5,
            color=INK,
            alpha=0.55,
            mew=0,
            label=None if at else "one fold",
        )
    axes.set_yticks([0, 1], ["no person\nin two folds", "at random"])
    axes.set_ylim(-0.6, 1.45)
    axes.set_xlabel("test accuracy on CK+ (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, ncols=2)
    light_grid(axes, "x")
    gain = 100 * (pooled["random"].test_accuracy - pooled["subject"].test_accuracy)
    headline(
        figure,
        f"The same network scores {gain:.1f} points more where it may have seen the "
        "person in training",
    )
    return figure
