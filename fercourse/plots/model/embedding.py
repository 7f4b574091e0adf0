"""A two-dimensional embedding while it trains, and seven directions in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError
from fercourse.labels import BASIC
from fercourse.plots.alternative import describe
from fercourse.plots.style import (
    CLASS_COLOURS,
    CLASS_MARKERS,
    GREY,
    INK,
    OURS,
    course_style,
    headline,
    new_figure,
)


@course_style()
def embedding_planes(
    points: ArrayLike,
    centers: ArrayLike,
    labels: ArrayLike,
    epochs: Sequence[int],
    names: Sequence[str],
    spread: ArrayLike,
) -> Figure:
    """Embeddings of length 2: a row a loss, a column an epoch, a mark a class.

    Every panel has a scale of its own, for an embedding grows as it trains; the cross is the
    origin, black rings are the centres.

    Args:
        points: (R, E, N, 2).
        centers: (R, E, K, 2).
        labels: (N,), in 0..6.
        epochs: E of them, over the columns.
        names: R losses.
        spread: (R, E), distance to the own centre over distance between centres.

    Raises:
        FercourseError: The shapes do not belong together.
    """
    points, centers, spread = (np.asarray(a, dtype=float) for a in (points, centers, spread))
    labels = np.asarray(labels)
    rows, columns = len(names), len(epochs)
    if points.shape != (rows, columns, len(labels), 2) or spread.shape != (rows, columns):
        raise FercourseError(
            f"points {points.shape} and spread {spread.shape} do not fit {rows} losses, "
            f"{columns} epochs and {len(labels)} labels."
        )
    figure = new_figure(height=0.75 + 1.62 * rows)
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    for r, c in np.ndindex(rows, columns):
        axes: Axes = grid[r, c]
        x = points[r, c]
        for k, (colour, marker) in enumerate(zip(CLASS_COLOURS, CLASS_MARKERS, strict=True)):
            axes.scatter(*x[labels == k].T, s=7, color=colour, marker=marker, lw=0, alpha=0.7)
        axes.plot(*centers[r, c].T, "o", ms=4.5, mfc="none", color=INK, mew=0.9)
        axes.plot(0, 0, "+", color=INK, ms=6, mew=0.8)
        reach = 1.08 * max(np.percentile(np.abs(x), 99.5), np.abs(centers[r, c]).max())
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
        for side in axes.spines.values():
            side.set(visible=True, color=GREY, linewidth=0.6)
        # The distance to the own centre over that between centres:
        axes.set_xlabel(f"spread {spread[r, c]:.2f}", fontsize=8, labelpad=2)
        if r == 0:
            axes.set_title(f"epoch {epochs[c]}", fontsize=8.5, fontweight="normal", loc="center")
    for r, name in enumerate(names):
        grid[r, 0].set_ylabel(name, fontweight="bold")
    dots = [
        Line2D([], [], marker=marker, ls="", ms=4.5, color=colour)
        for colour, marker in zip(CLASS_COLOURS, CLASS_MARKERS, strict=True)
    ]
    figure.legend(
        dots,
        [e.title for e in BASIC],
        loc="outside lower center",
        ncols=7,
        handletextpad=0.1,
        columnspacing=1,
    )
    last = spread[:, -1]
    tight, wide = int(last.argmin()), int(last.argmax())
    finding = (
        f"{names[tight].capitalize()} ends with the tightest classes: spread {last[tight]:.2f}"
    )
    if rows > 1:
        finding += f", against {last[wide]:.2f} with {names[wide]}"
    headline(figure, finding)
    return figure


@course_style()
def center_directions(sets: dict[str, ArrayLike], excess: Sequence[float]) -> Figure:
    """Unit vectors in the plane, a panel a set; parallel ones are drawn beside one another.

    Args:
        sets: Name to vectors (K, 2), scaled to length 1.
        excess: Of each set: the pair sum of eq. 6 above its bound.
    """
    figure = new_figure(height=2.75)
    panels = figure.subplots(1, len(sets), squeeze=False)[0]
    for axes, (name, vectors), above in zip(panels, sets.items(), excess, strict=True):
        _arrows(axes, np.asarray(vectors, dtype=float))
        axes.set_title(name, loc="center")
        axes.set_xlabel(f"pair sum {above:.2f} above its bound".replace("-0.00", "0.00"))
    reached = sum(abs(above) < 0.005 for above in excess)
    headline(
        figure,
        f"{reached} of these {len(sets)} sets of centres reach the least possible pair sum: it "
        "asks that unit centres cancel, not that they are all apart",
    )
    describe(
        figure,
        "Arrows of one length from the middle of a circle, in panels: " + "; ".join(sets),
    )
    return figure


def _arrows(axes: Axes, vectors: np.ndarray) -> None:
    angle = np.arctan2(vectors[:, 1], vectors[:, 0])
    circle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(circle), np.sin(circle), color=GREY, lw=0.7, ls=":")
    for k, theta in enumerate(angle):
        twins = np.flatnonzero(np.abs(np.exp(1j * angle) - np.exp(1j * theta)) < 1e-3)
        aside = 0.05 * (twins.tolist().index(k) - (len(twins) - 1) / 2)
        start = aside * np.array([-np.sin(theta), np.cos(theta)])
        tip = start + np.array([np.cos(theta), np.sin(theta)])
        axes.annotate(
            "",
            tuple(tip),
            tuple(start),
            arrowprops={"arrowstyle": "-|>", "lw": 1.8, "color": OURS, "shrinkA": 0, "shrinkB": 0},
        )
    axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), xticks=[], yticks=[], aspect="equal")
    for side in axes.spines.values():
        side.set_visible(False)
