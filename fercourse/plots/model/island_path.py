"""The island-loss playground: points, centres, and the three terms that move them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.losses.island import pair_bound
from fercourse.losses.playground import CLASSES, Trajectory, least_angle, radii
from fercourse.plots.style import (
    CLASS_COLOURS,
    CLASS_MARKERS,
    INK,
    LINE,
    OURS,
    PALE,
    PAPER,
    THIRD,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def island_path(path: Trajectory, step: int) -> Figure:
    """Points and centres at one step, and how the three terms of eq. 5 to 7 got there.

    Args:
        path: See :func:`fercourse.losses.playground.simulate`.
        step: 0 to T.

    Raises:
        FercourseError: There is no such step.
    """
    last = len(path.points) - 1
    if not 0 <= step <= last:
        raise FercourseError(f"there are steps 0 to {last}, not {step}.")
    figure = new_figure(height=4.35)
    grid = figure.add_gridspec(3, 2, width_ratios=[1.35, 1])
    _plane(figure.add_subplot(grid[:, 0]), path, step)
    bound = pair_bound(CLASSES)
    curves = (
        ("$L_S$, cross-entropy", path.ce, OURS, None),
        ("$L_C$, to the own centre", path.center, THIRD, None),
        ("$L_{I-COS}$, pairs", path.pairs, PAPER, bound),
    )
    for row, (title, values, colour, floor) in enumerate(curves):
        axes = figure.add_subplot(grid[row, 1])
        values = values.numpy()
        axes.plot(values, color=colour, alpha=0.3)
        axes.plot(values[: step + 1], color=colour)
        axes.plot(step, values[step], "o", color=colour, ms=5)
        least = "" if floor is None else f" ({floor} at least)"
        axes.set_title(f"{title}: {values[step]:.2f}{least}", color=colour)
        axes.set_xlim(0, last)
        axes.set_ylim(bottom=0 if floor is None else floor - 0.6)
        if floor is not None:
            axes.axhline(floor, color=INK, linewidth=0.8, linestyle=":")
        light_grid(axes)
        if row < 2:
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel("step")
    config = path.config
    figure.supxlabel(
        rf"$L = L_S + \lambda\,(L_C + \lambda_1 L_{{I-COS}})$ = {path.ce[step]:.2f} + "
        f"{config.weight:g} × ({path.center[step]:.2f} + {config.pair_weight:g} × "
        f"{path.pairs[step]:.2f}) = {path.total()[step]:.2f}",
        fontsize=9.5,
    )
    headline(figure, _in_words(path, step))
    return figure


def _plane(axes: Axes, path: Trajectory, step: int) -> None:
    points, centers = path.points[step].numpy(), path.centers[: step + 1].numpy()
    reach = 1.22 * float(max(path.points.abs().max(), path.centers.abs().max()))
    axes.axhline(0, color=LINE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=LINE, linewidth=0.8, zorder=0)
    for k, (colour, marker) in enumerate(zip(CLASS_COLOURS, CLASS_MARKERS, strict=True)):
        mine = points[path.labels.numpy() == k]
        axes.scatter(*mine.T, s=14, color=colour, marker=marker, alpha=0.75, linewidth=0)
        axes.plot(*centers[:, k].T, color=colour, linewidth=0.9, alpha=0.8)
        here = centers[-1, k]
        axes.plot([0, here[0]], [0, here[1]], color=colour, linewidth=0.8, linestyle=":")
        axes.plot(*here, "*", color=colour, ms=13, mec="white", mew=0.8, zorder=3)
    spots = _apart(centers[-1], 0.085 * reach)
    for k, (x, y) in enumerate(spots):
        axes.text(
            np.clip(x, -0.84 * reach, 0.84 * reach),
            np.clip(y, -0.95 * reach, 0.95 * reach),
            Expression(k).title,
            fontsize=7.5,
            ha="center",
            va="center",
            zorder=4,
            bbox={
                "boxstyle": "round,pad=0.12",
                "fc": "white",
                "ec": CLASS_COLOURS[k],
                "lw": 0.8,
                "alpha": 0.9,
            },
        )
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    axes.set_title(f"step {step}: {len(points)} points, {CLASSES} centres (stars)")
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(PALE)


def _apart(centers: np.ndarray, gap: float) -> np.ndarray:
    """Where to write the names: outwards of the stars, and not on one another."""
    outwards = centers / np.linalg.norm(centers, axis=1, keepdims=True)
    spots = centers + gap * outwards * (3.2, 1.5)  # names are wider than high
    for k in np.argsort(spots[:, 1]):
        for j in np.argsort(spots[:, 1]):
            near = np.abs(spots[k] - spots[j])
            if j != k and near[0] < 4 * gap and near[1] < gap:
                spots[max(j, k), 1] = spots[min(j, k), 1] + gap * (1 if j < k else -1)
    return spots


def _in_words(path: Trajectory, step: int) -> str:
    angle, spread = least_angle(path.centers[step]), radii(path)
    text = (
        f"Step {step}: cluster radius {spread[step]:.2f} ({spread[0]:.2f} at the start); the "
        f"closest two centres are {angle:.0f}° apart"
    )
    excess = float(path.pairs[step]) - pair_bound(CLASSES)
    if excess < 0.2 and angle < 25:
        text += ", though the pair sum is at its bound: directions need only cancel"
    return text
