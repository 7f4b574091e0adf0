"""What data do to a number: rare classes, wrong labels, people on both sides of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.labels import Expression
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
from fercourse.runs.statistics import wilson


@course_style()
def recalls(
    counts: Sequence[int], recall: Mapping[str, Sequence[float]], tested: Sequence[int]
) -> Figure:
    """Recall of each class with its 95 % interval (Wilson), for several ways of training.

    Args:
        counts: Training faces a class, (K,).
        recall: By the way's name, (K,), in [0, 1]; the first is what the others compare with.
        tested: Test faces a class, (K,).

    Raises:
        FercourseError: There is no way of training, or more than three.
    """
    if not 1 <= len(recall) <= 3:
        raise FercourseError(f"one to three ways of training are compared, not {len(recall)}.")
    figure = new_figure(height=2.9)
    axes = figure.add_subplot()
    at, width = np.arange(len(counts)), 0.8 / len(recall)
    for k, (name, values) in enumerate(recall.items()):
        place = at + (k - (len(recall) - 1) / 2) * width
        axes.bar(
            place,
            values,
            0.9 * width,
            color=(GREY, OURS, THIRD)[k],
            hatch=("", "///", "...")[k],
            edgecolor="white",
            label=name,
        )
        ends = [wilson(round(v * n), n) for v, n in zip(values, tested, strict=True)]
        reach = [
            [max(0, v - low), max(0, high - v)] for v, (low, high) in zip(values, ends, strict=True)
        ]
        axes.errorbar(place, values, np.transpose(reach), fmt="none", color=INK, elinewidth=1)
    axes.set_xticks(at, [f"{Expression(k).title}\n{n}" for k, n in enumerate(counts)])
    axes.tick_params(axis="x", length=0)
    axes.set(xlabel="class, and its training faces", ylabel="recall", ylim=(0, 1))
    axes.legend(ncols=len(recall), loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    light_grid(axes)
    one, other = next(iter(recall)), list(recall)[-1]
    rare = int(np.argmin(counts))
    n = tested[rare]
    headline(
        figure,
        f"{Expression(rare).title}, the rarest: {round(recall[one][rare] * n)} of {n} test faces "
        f"recognised {one}, {round(recall[other][rare] * n)} {other}",
    )
    return figure


@course_style()
def label_noise(
    shares: Sequence[float], true: Sequence[float], noisy: Sequence[float], classes: int = 7
) -> Figure:
    """Accuracy of a model trained on noisy labels, by true labels and by noisy ones.

    Args:
        shares: Of wrong labels, in training and test alike, (S,).
        true: Accuracy by true test labels, (S,).
        noisy: By noisy ones, (S,).
        classes: K.

    Raises:
        FercourseError: There is no share, or not one accuracy of each kind for each.
    """
    if not len(shares) == len(true) == len(noisy) or not len(shares):
        raise FercourseError(
            f"every share needs both accuracies; there are {len(shares)}, {len(true)} and "
            f"{len(noisy)} of them."
        )
    figure = new_figure(height=2.8, width=5.6)
    axes = figure.add_subplot()
    x = np.asarray(shares)
    axes.plot(x, 1 - x, color=PAPER, linestyle="--", label="a perfect model, by the noisy labels")
    axes.plot(x, true, "o-", color=OURS, label="ours, by the true labels")
    axes.plot(x, noisy, "s-", color=TRAIN, label="ours, by the noisy labels")
    axes.axhline(1 / classes, color=GREY, linewidth=0.9, linestyle=":", label="chance")
    axes.set(xlabel="share of wrong labels", ylabel="test accuracy", ylim=(0, 1.03))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    light_grid(axes)
    worst = int(np.argmax(np.asarray(true) - noisy))
    headline(
        figure,
        f"With {x[worst]:.0%} wrong labels the model is right for {true[worst]:.0%} of the faces "
        f"and seems to be for {noisy[worst]:.0%}",
    )
    return figure


@course_style()
def fold_leak(accuracy: Mapping[str, Mapping[str, float]], classes: int = 7) -> Figure:
    """The same models under two or three ways of cutting folds.

    Args:
        accuracy: By the model's name, then by the way of cutting, in [0, 1].
        classes: K.

    Raises:
        FercourseError: There is no model, or not the same two or three ways for each.
    """
    ways = list(next(iter(accuracy.values()), ()))
    if len(ways) not in (2, 3) or any(list(values) != ways for values in accuracy.values()):
        raise FercourseError(
            "fold_leak compares the same two or three ways of cutting for each model."
        )
    figure = new_figure(height=0.75 + 0.62 * len(accuracy), width=6.2)
    axes = figure.add_subplot()
    for row, values in enumerate(accuracy.values()):
        axes.plot(list(values.values()), [row] * len(values), color=GREY, linewidth=1.2, zorder=1)
    marks = ((PAPER, "D", 6), (OURS, "o", -13), (THIRD, "s", 6))
    for way, (colour, marker, above) in zip(ways, marks, strict=False):
        found = [values[way] for values in accuracy.values()]
        axes.scatter(found, range(len(found)), s=45, c=colour, marker=marker, label=way, zorder=2)
        for row, value in enumerate(found):
            axes.annotate(
                f"{value:.0%}",
                (value, row),
                (0, above),
                ha="center",
                fontsize=8,
                textcoords="offset points",
            )
    axes.axvline(1 / classes, color=GREY, linewidth=0.9, linestyle=":")
    axes.set_yticks(range(len(accuracy)), list(accuracy))
    axes.set(xlabel="accuracy over ten folds (dotted: chance)", xlim=(0, 1.05))
    axes.set_ylim(len(accuracy) - 0.5, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.1)
    gaps = {name: values[ways[0]] - values[ways[-1]] for name, values in accuracy.items()}
    name = max(gaps, key=lambda name: gaps[name])
    headline(
        figure,
        f"{ways[0].capitalize()} are worth {100 * gaps[name]:.0f} points to {name}, against "
        f"{ways[-1]}",
    )
    return figure
