"""A run on one sheet, for the clinic: curves, confusion matrix, and where it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

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

if TYPE_CHECKING:
    from fercourse.clinic import Chart


@course_style()
def patient_chart(chart: Chart, name: str, healthy: Chart | None = None) -> Figure:
    """Accuracy, losses, the confusion matrix, the occlusion map, and a second judgement.

    The headline reports and does not diagnose.

    Args:
        chart: Of :func:`fercourse.clinic.admit` or ``recorded``.
        name: Of the patient.
        healthy: Its validation accuracy is drawn behind, to compare with.
    """
    figure = new_figure(height=5.4)
    panels = figure.subplot_mosaic(
        [["accuracy", "loss"], ["matrix", "looks"]], height_ratios=[1, 1.25]
    )
    epochs, train, val = _columns(chart.history, "epoch", "train_accuracy", "val_accuracy")

    axes = panels["accuracy"]
    if healthy is not None:
        at, usual = _columns(healthy.history, "epoch", "val_accuracy")
        axes.plot(at, 100 * usual, "--", color=GREY, linewidth=1.2, label="healthy")
    _lines(
        axes,
        epochs,
        {"training": (100 * train, TRAIN, "-"), "validation": (100 * val, OURS, "-.")},
    )
    axes.set(ylabel="accuracy (%)", ylim=(-3, 103))

    axes = panels["loss"]
    ce, total, loss = _columns(chart.history, "train_ce", "train_loss", "val_loss")
    _lines(
        axes,
        epochs,
        {
            "total": (total, THIRD, ":"),
            "training CE": (ce, TRAIN, "-"),
            "validation CE": (loss, OURS, "-."),
        },
    )
    axes.set_yscale("log")
    wide = max(total.max(), loss.max()) > 30
    axes.yaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_ylabel("loss")
    for key in ("accuracy", "loss"):
        light_grid(panels[key])
        panels[key].set_xlabel("epoch")
        panels[key].xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        legend = panels[key].legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.01),
            ncols=3,
            borderaxespad=0,
            columnspacing=0.9,
            handlelength=1.2,
        )
        legend.set_in_layout(False)  # or it would narrow the panels

    _matrix(panels["matrix"], np.array(chart.confusion))
    _map(figure, panels["looks"], 100 * np.array(chart.looks))
    first, second = (f"{100 * value:.1f} %" for value in chart.twice)
    panels["accuracy"].set_title(" ")  # room for the legends
    headline(
        figure,
        f"{name}: validation accuracy of the kept weights {first}; "
        f"of the same weights, judged again, {second}",
    )
    return figure


def _columns(history: Sequence[dict[str, Any]], *names: str) -> list[np.ndarray]:
    return [np.array([epoch[name] for epoch in history], dtype=float) for name in names]


def _lines(axes: Any, at: np.ndarray, lines: dict[str, tuple[np.ndarray, str, str]]) -> None:
    """Each line thinner than the one before, so that one which covers another leaves its edges."""
    marker = "o" if len(at) == 1 else None
    for (label, (values, colour, style)), width in zip(
        lines.items(), (4.2, 2.6, 1.2), strict=False
    ):
        axes.plot(at, values, style, color=colour, linewidth=width, marker=marker, label=label)


def _matrix(axes: Any, counts: np.ndarray) -> None:
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


def _map(figure: Figure, axes: Any, falls: np.ndarray) -> None:
    top = max(5.0, falls.max())
    image = axes.imshow(falls, cmap=MATRIX, vmin=0, vmax=top, extent=(0, 48, 48, 0))
    axes.set(xticks=[0, 24, 48], yticks=[0, 24, 48], xlabel="pixel", ylabel="pixel")
    axes.set_title("where a grey square hurts", fontweight="normal", color=INK)
    figure.colorbar(image, ax=axes, label="answer's probability\nfalls by (points)", shrink=0.9)
