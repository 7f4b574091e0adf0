"""How a run went, and what it confuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import seaborn
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import recall_per_class
from fercourse.labels import Expression
from fercourse.plots.style import (
    GREY,
    INK,
    MATRIX,
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
def learning_curves(history: Sequence[dict[str, Any]]) -> Figure:
    """Accuracy, loss, learning rate and, where it trains with them, eq. 5's two terms.

    Args:
        history: One dict an epoch with ``epoch``, ``lr``, ``train_ce``, ``train_center``,
            ``train_island`` (excess of eq. 6 over its bound), ``train_accuracy``, ``val_loss`` and
            ``val_accuracy`` (fractions). None or nan leaves a gap.

    Raises:
        FercourseError: No epoch was validated.
    """
    if not history:
        raise FercourseError("the history has no epoch: train for at least one.")
    curve = {
        name: np.array([np.nan if e.get(name) is None else e[name] for e in history], dtype=float)
        for name in (
            "epoch",
            "lr",
            "train_ce",
            "train_center",
            "train_island",
            "train_accuracy",
            "val_loss",
            "val_accuracy",
        )
    }
    if np.isnan(curve["val_accuracy"]).all():
        raise FercourseError("no epoch of the history has a validation accuracy.")
    epochs = curve["epoch"]
    joint = np.nan_to_num(curve["train_center"]).any() or np.nan_to_num(curve["train_island"]).any()
    best = int(np.nanargmax(curve["val_accuracy"]))

    figure = new_figure(height=4.6)
    mosaic: list[Any] = [["accuracy", "loss"], ["rate", "terms" if joint else "rate"]]
    panels = figure.subplot_mosaic(mosaic, height_ratios=[1.7, 1], sharex=True)
    marker = "o" if len(epochs) == 1 else None
    training: Any = {"color": TRAIN, "linestyle": "--", "marker": marker and "s"}

    axes = panels["accuracy"]
    axes.plot(epochs, 100 * curve["train_accuracy"], label="training", **training)
    axes.plot(epochs, 100 * curve["val_accuracy"], color=OURS, marker=marker, label="validation")
    axes.plot(
        epochs[best],
        100 * curve["val_accuracy"][best],
        "o",
        color=OURS,
        ms=7,
        mec="white",
        label=f"kept: epoch {epochs[best]:.0f}",
    )
    axes.set_ylabel("accuracy (%)")

    axes = panels["loss"]
    axes.plot(epochs, curve["train_ce"], label="training", **training)
    axes.plot(epochs, curve["val_loss"], color=OURS, marker=marker, label="validation")
    axes.set_ylabel("cross-entropy")

    axes = panels["rate"]
    axes.plot(epochs, curve["lr"], color=INK, marker=marker)
    axes.set_ylabel("learning rate")
    axes.set_ylim(bottom=0)

    if joint:
        axes = panels["terms"]
        axes.plot(epochs, curve["train_center"], color=THIRD, marker=marker, label="centre")
        axes.plot(
            epochs,
            curve["train_island"],
            color=PAPER,
            linestyle="--",
            marker=marker and "s",
            label="island, above its bound",
        )
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.set_ylabel("terms of eq. 5")
    for name, axes in panels.items():
        light_grid(axes)
        axes.tick_params(labelbottom=True)
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axes.axvline(epochs[best], color=GREY, linewidth=0.8, linestyle=":")
        if name in ("rate", "terms"):
            axes.set_xlabel("epoch")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(
                loc="lower left",
                bbox_to_anchor=(-0.02, 0.99),
                borderaxespad=0,
                ncols=3,
                columnspacing=0.9,
                handlelength=1.2,
            )
    headline(figure, _run_in_words(curve, best))
    return figure


def _run_in_words(curve: dict[str, np.ndarray], best: int) -> str:
    epochs, val = curve["epoch"], curve["val_accuracy"]
    text = f"Best validation accuracy {100 * val[best]:.1f} % at epoch {epochs[best]:.0f}"
    gap = 100 * (curve["train_accuracy"][best] - val[best])
    if np.isnan(gap):
        return text
    if gap <= 0:
        return f"{text}; training accuracy, on augmented faces, is {-gap:.1f} points lower"
    text += f", where training accuracy is {gap:.1f} points ahead"
    lowest = int(np.nanargmin(curve["val_loss"])) if np.isfinite(curve["val_loss"]).any() else best
    if curve["val_loss"][best] > 1.05 * curve["val_loss"][lowest]:
        text += f"; validation loss has risen since epoch {epochs[lowest]:.0f}"
    return text


@course_style()
def confusion(
    matrix: ArrayLike,
    counts: bool = False,
    classes: Sequence[str] | None = None,
    claimed: Sequence[float | None] | None = None,
) -> Figure:
    """A confusion matrix as in Fig. 7 and 8: each row is a true class and sums to 100 %.

    Args:
        matrix: Counts, (K, K), row = truth, column = answer.
        counts: Write the number of images into the cells; colours stay per cent of the row.
        classes: K names; by default those of :class:`fercourse.Expression`.
        claimed: The recalls that somebody else gives, (K,), fractions or None, in a column beside.

    Raises:
        FercourseError: The matrix is not square, is empty, or has another number of classes.
    """
    matrix = np.asarray(matrix)
    recall_per_class(matrix)  # which refuses what is no matrix of counts
    names = list(classes) if classes is not None else [e.title for e in Expression][: len(matrix)]
    if len(names) != len(matrix):
        raise FercourseError(f"{len(names)} class names for {len(matrix)} classes.")
    present = matrix.sum(axis=1)
    share = 100 * matrix / np.where(present, present, 1)[:, None]
    figure = new_figure(height=4.9, width=6.3 if claimed is None else 7.0)
    axes = figure.add_subplot()
    seaborn.heatmap(
        share,
        ax=axes,
        annot=matrix if counts else share,
        fmt="d" if counts else ".1f",
        annot_kws={"size": 9},
        cmap=MATRIX,
        norm=PowerNorm(0.6, vmin=0, vmax=100),  # so that mistakes of some per cent stand out
        square=True,
        linewidths=0.6,
        mask=np.broadcast_to(present[:, None] == 0, share.shape),
        xticklabels=names,
        yticklabels=[f"{name} ({n:,})" for name, n in zip(names, present, strict=True)],
        cbar_kws={
            "label": "share of the true class (%)",
            "shrink": 0.85,
            "pad": 0.05 if claimed is None else 0.15,
        },
    )
    for text in axes.texts:
        column, row = (int(position) for position in text.get_position())
        text.set_color("white" if share[row, column] < 35 else "black")
    if claimed is not None:
        said = ["recall in\nthe paper", *(f"{100 * r:.1f}" if r else "not given" for r in claimed)]
        for row, text in enumerate(said):
            axes.text(len(names) + 0.15, row - 0.5, text, va="center", color=PAPER, fontsize=9)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", labelrotation=0 if len(names) <= 7 else 30)
    axes.tick_params(axis="y", labelrotation=0)
    axes.set_xlabel("answered")
    axes.set_ylabel("true class (images)")
    headline(figure, _mistakes_in_words(matrix, names))
    return figure


def _mistakes_in_words(matrix: np.ndarray, names: list[str]) -> str:
    """The class of the lowest recall, with its interval, and whether that is clear of the next."""
    present = matrix.sum(axis=1)
    right = np.diag(matrix)
    text = f"{100 * right.sum() / present.sum():.1f} % right"
    if right.sum() == present.sum():
        return text
    order = sorted(np.flatnonzero(present), key=lambda k: right[k] / present[k])
    hardest = order[0]
    low, high = (100 * end for end in wilson(int(right[hardest]), int(present[hardest])))
    others = np.where(np.arange(len(names)) == hardest, -1, matrix[hardest])
    text += f". Lowest recall: {names[hardest]}, {100 * right[hardest] / present[hardest]:.0f} % "
    text += f"({low:.0f} to {high:.0f} by its {present[hardest]:,} images)"
    if len(order) > 1:
        above = wilson(int(right[order[1]]), int(present[order[1]]))[0]
        if 100 * above < high:
            text += f", not clearly below {names[order[1]]}"
    return f"{text}; most often taken for {names[int(others.argmax())]}"
