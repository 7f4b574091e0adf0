"""What a patient's chart is put together from, and each part as a figure of its own.

A headline reports and does not diagnose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import ArrayLike

from fercourse.labels import BASIC
from fercourse.plots.style import (
    GREY,
    INK,
    MATRIX,
    OURS,
    THIRD,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)

History = Sequence[Mapping[str, float]]
"""One dict an epoch, as :func:`fercourse.train` writes it."""

NARROW, LOW = 4.6, 2.7
"""Inches: of a figure of one panel."""


@course_style()
def patient_accuracy(history: History, name: str, usual: History | None = None) -> Figure:
    """Accuracy over the epochs, on both splits; ``usual`` is a healthy run's, drawn behind."""
    figure = new_figure(LOW, NARROW)
    draw_accuracy(figure.subplots(), history, usual)
    last = history[-1]
    headline(
        figure,
        f"{name}: after {len(history)} epochs training {last['train_accuracy']:.1%}, "
        f"validation {last['val_accuracy']:.1%}",
    )
    return figure


@course_style()
def patient_losses(history: History, name: str, usual: History | None = None) -> Figure:
    """Losses over the epochs, log scale: the total, and cross-entropy on both splits."""
    figure = new_figure(LOW, NARROW)
    draw_losses(figure.subplots(), history, usual)
    last = history[-1]
    headline(
        figure,
        f"{name}: in the last epoch total {short(last['train_loss'])}, cross-entropy "
        f"{short(last['train_ce'])} in training and {short(last['val_loss'])} in validation",
    )
    return figure


@course_style()
def patient_matrix(confusion: ArrayLike, name: str) -> Figure:
    """The confusion matrix of the validation faces, counts (K, K), as shares of its rows."""
    counts = np.asarray(confusion)
    figure = new_figure(3.4, NARROW)
    draw_matrix(figure.subplots(), counts)
    share = np.trace(counts) / counts.sum()
    headline(figure, f"{name}: {share:.1%} of the validation faces answered as labelled")
    return figure


@course_style()
def patient_map(looks: ArrayLike, name: str) -> Figure:
    """Where a grey square makes the answer's probability fall, (P, P) in [-1, 1]."""
    falls = 100 * np.asarray(looks)
    figure = new_figure(3.0, NARROW)
    draw_map(figure, figure.subplots(), falls)
    row, column = np.unravel_index(falls.argmax(), falls.shape)
    step = 40 / (len(falls) - 1)
    headline(
        figure,
        f"{name}: a grey square costs most, {falls.max():.0f} points, with its corner at row "
        f"{row * step:.0f}, column {column * step:.0f}",
    )
    return figure


def draw_accuracy(axes: Axes, history: History, usual: History | None = None) -> None:
    """The panel of :func:`patient_accuracy`."""
    epochs, train, val = _columns(history, "epoch", "train_accuracy", "val_accuracy")
    if usual is not None:
        at, healthy = _columns(usual, "epoch", "val_accuracy")
        axes.plot(at, 100 * healthy, "--", color=GREY, linewidth=1.2, label="healthy")
    _lines(axes, epochs, {"training": (100 * train, TRAIN), "validation": (100 * val, OURS)})
    axes.set(ylabel="accuracy (%)", ylim=(-3, 103))
    _finish(axes)


def draw_losses(axes: Axes, history: History, usual: History | None = None) -> None:
    """The panel of :func:`patient_losses`."""
    epochs, ce, total, val = _columns(history, "epoch", "train_ce", "train_loss", "val_loss")
    if usual is not None:
        at, healthy = _columns(usual, "epoch", "val_loss")
        axes.plot(at, healthy, "--", color=GREY, linewidth=1.2, label="healthy")
    lines = {"total": (total, THIRD), "training CE": (ce, TRAIN), "validation CE": (val, OURS)}
    _lines(axes, epochs, lines)
    axes.set_yscale("log")
    values = np.concatenate([ce, total, val])
    wide = values.max() > 30 * values.min()
    axes.yaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_ylabel("loss")
    _finish(axes)


def draw_matrix(axes: Axes, counts: np.ndarray) -> None:
    """The panel of :func:`patient_matrix`."""
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap=MATRIX, vmin=0, vmax=100)
    for i, j in zip(*np.nonzero(share.round()), strict=True):
        axes.text(
            j,
            i,
            f"{share[i, j]:.0f}",
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if share[i, j] < 55 else "black",
        )
    names = [e.title for e in BASIC]
    axes.set_xticks(range(len(names)), [name[:3] for name in names])
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, labelsize=8)
    axes.set_xlabel("answered")
    axes.set_ylabel("validation label")
    axes.set_title("share of each label (%)", fontweight="normal", color=INK)


def draw_map(figure: Figure, axes: Axes, falls: np.ndarray) -> None:
    """The panel of :func:`patient_map`, in points."""
    top = max(5.0, falls.max())
    image = axes.imshow(falls, cmap=MATRIX, vmin=0, vmax=top, extent=(0, 48, 48, 0))
    axes.set(xticks=[0, 24, 48], yticks=[0, 24, 48], xlabel="pixel", ylabel="pixel")
    axes.set_title("where a grey square hurts", fontweight="normal", color=INK)
    figure.colorbar(image, ax=axes, label="answer's probability\nfalls by (points)", shrink=0.9)


def short(value: float) -> str:
    """Two digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def above(axes: Axes, **settings: Any) -> None:
    """The legend in one line above the panel, out of its lines' way."""
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.01),
        ncols=4,
        borderaxespad=0,
        columnspacing=0.9,
        handlelength=1.2,
        **settings,
    )
    legend.set_in_layout(False)  # or it would narrow the panels
    axes.set_title(" ")  # room for it


def _columns(history: History, *names: str) -> list[np.ndarray]:
    return [np.array([epoch[name] for epoch in history], dtype=float) for name in names]


def _lines(axes: Axes, at: np.ndarray, lines: dict[str, tuple[np.ndarray, str]]) -> None:
    """Each line thinner than the one before, so that one which covers another leaves its edges."""
    marker = "o" if len(at) == 1 else None
    for (label, (values, colour)), width in zip(lines.items(), (4.2, 2.6, 1.2), strict=False):
        axes.plot(at, values, color=colour, linewidth=width, marker=marker, label=label)


def _finish(axes: Axes) -> None:
    light_grid(axes)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    above(axes)
