"""How much of a face's edges each block still holds, and which fused features a head uses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import (
    INK,
    MATRIX,
    OURS,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def edge_readouts(
    face: np.ndarray,
    edges: np.ndarray,
    readouts: Mapping[str, np.ndarray],
    scores: Mapping[str, float],
    best: Mapping[str, float] | None = None,
    mean_edges: float | None = None,
) -> Figure:
    """A face, its Sobel edges, and what one 1x1 convolution can recover of them from each block.

    Args:
        face: uint8 (H, W).
        edges: Sobel's, (h, w).
        readouts: By block, (h, w).
        scores: By block, the share of the edges' variance explained on faces not fitted to.
        best: By block, what its grid could hold of these edges at all.
        mean_edges: What the mean edge map of all faces explains, which knows no face.

    Raises:
        FercourseError: Blocks of the two differ.
    """
    if list(readouts) != list(scores):
        raise FercourseError("edge_readouts needs a score for every readout, in the same order.")
    figure = new_figure(height=2.0)
    columns = figure.subplots(1, 2 + len(readouts))
    picture(columns[0], face)
    columns[0].set_title("face", loc="center")
    high = float(np.max(edges))
    shown = {"Sobel": edges} | dict(readouts)
    for axes, (name, image) in zip(columns[1:], shown.items(), strict=True):
        axes.imshow(image, cmap=MATRIX, vmin=0, vmax=high)
        bare(axes)
        axes.set_title(name, loc="center")
        if name in scores:
            said = f"R² = {max(scores[name], 0):.2f}".replace("R² = 0.00", "R² ≤ 0")
            if best and name in best:
                said += f"\ngrid: {best[name]:.2f}"
            axes.set_xlabel(said)
    top = max(scores, key=lambda name: scores[name])
    text = f"A 1×1 convolution reads {100 * scores[top]:.0f} % of the edges' variance from {top}"
    if "C2" in scores and top != "C2":
        text += f", {100 * max(scores['C2'], 0):.0f} % from C2"
    last = list(scores)[-1]
    text += f", {100 * max(scores[last], 0):.0f} % from {last}"
    if best:
        text += f", whose grid could hold {100 * best[last]:.0f} %"
    if mean_edges is not None:
        text += f"; the mean edge map alone explains {100 * mean_edges:.0f} %"
    headline(figure, text)
    return figure


@course_style()
def parts_used(right: Tensor, without: Mapping[str, Tensor], lengths: Mapping[str, int]) -> Figure:
    """Accuracy lost when one part of the fused vector is replaced by its mean over faces.

    The bars' whiskers are standard errors over faces, each face paired with itself.

    Args:
        right: bool (N,), the faces answered rightly with all parts.
        without: By part, the same when that part says nothing.
        lengths: By part, how many numbers it has.
    """
    figure = new_figure(height=2.4)
    axes = figure.add_subplot()
    differences = {name: 100 * (right.float() - still.float()) for name, still in without.items()}
    names = sorted(differences, key=lambda name: -differences[name].mean())
    lost = np.array([differences[name].mean().item() for name in names])
    error = np.array([differences[name].std().item() for name in names]) / len(right) ** 0.5
    at = np.arange(len(names))[::-1]
    axes.barh(at, lost, color=[TRAIN if name == "edge" else OURS for name in names], height=0.65)
    axes.errorbar(lost, at, xerr=error, fmt="none", ecolor=INK, elinewidth=1)
    for y, value, reach in zip(at, lost, error, strict=True):
        axes.annotate(
            f"{value:.1f}",
            (max(value, 0) + reach, y),
            (4, 0),
            va="center",
            color=INK,
            textcoords="offset points",
            fontsize=8.5,
        )
    axes.set_yticks(at, [f"{name} ({lengths[name]} numbers)" for name in names])
    axes.set_xlabel("accuracy lost when this part is silenced (points)")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.margins(x=0.12)
    light_grid(axes, "x")
    text = f"Silencing {names[0]} costs {lost[0]:.1f} points (standard error {error[0]:.1f})"
    if "edge" in names[1:]:
        text += f", silencing the edge map {lost[names.index('edge')]:.1f}"
    headline(figure, f"{text}, on {len(right):,} faces")
    return figure
