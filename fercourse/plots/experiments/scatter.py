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
from fercourse.runs.findings import by_cut
from fercourse.runs.row import Row
from fercourse.runs.statistics import wilson
from fercourse.runs.summaries import independent

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


_CUTS = {
    "subject": "no person\nin two folds",
    "sequence": "no recording\nin two folds",
    "random": "at random",
}
_MODELS = {1: ("plain VGG16", TRAIN, "s"), 6: ("model 6", OURS, "D")}


@course_style()
def fold_protocols(rows: Sequence[Row]) -> Figure:
    """CK+ cut into folds in several ways: all folds pooled, with Wilson's 95 % interval, which
    counts the frames of a recording as one.

    Args:
        rows: Measured runs on CK+; see :func:`fercourse.runs.findings.by_cut`.

    Raises:
        FercourseError: Neither model has whole folds of two cuts.
    """
    found = {model: by_cut(rows, model) for model in _MODELS}
    found = {model: cuts for model, cuts in found.items() if len(cuts) > 1}
    if not found:
        raise FercourseError(
            "no model was run under two cuts: fercourse run table1-random does it."
        )
    shown = [by for by in _CUTS if any(by in cuts for cuts in found.values())]
    figure = new_figure(height=1.2 + 0.6 * len(shown))
    axes = figure.add_subplot()
    for k, (model, cuts) in enumerate(found.items()):
        name, colour, marker = _MODELS[model]
        for by, pooled in cuts.items():
            n = independent(pooled)
            low, high = (100 * end for end in wilson(round(pooled.test_accuracy * n), n))
            mean = 100 * pooled.test_accuracy
            at = shown.index(by) + 0.26 * (k - (len(found) - 1) / 2)
            axes.errorbar(
                mean,
                at,
                xerr=[[mean - low], [high - mean]],
                fmt=marker,
                ms=6,
                capsize=4,
                color=colour,
                label=f"{name}, ten folds pooled, 95 % CI" if by == next(iter(cuts)) else None,
            )
            axes.annotate(
                f"{mean:.1f}",
                (high, at),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=colour,
            )
    axes.set_yticks(range(len(shown)), [_CUTS[by] for by in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("test accuracy on CK+ (%)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, ncols=2)
    light_grid(axes, "x")
    headline(figure, _cuts_in_words(found))
    return figure


def _cuts_in_words(found: Mapping[int, Mapping[str, Row]]) -> str:
    model, cuts = next(iter(found.items()))
    score = {by: 100 * row.test_accuracy for by, row in cuts.items()}
    name = _MODELS[model][0]
    if {"subject", "random"} <= score.keys():
        text = f"Random folds give {name} {score['random'] - score['subject']:.1f} points"
        if "sequence" in score:
            text += (
                f": {score['sequence'] - score['subject']:.1f} from people it has seen, "
                f"{score['random'] - score['sequence']:.1f} from near-copies of the test frames"
            )
        return text
    low, high = min(score, key=score.__getitem__), max(score, key=score.__getitem__)
    return f"The cut alone moves {name} by {score[high] - score[low]:.1f} points"
