"""A map over its face: one hue that prints well, lines for those who see no hue."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from fercourse.plots.style import OURS, PAPER

HUE = LinearSegmentedColormap.from_list("course_blue", ["#FFFFFF", "#7FB8DA", OURS, "#00263D"])
"""White is nothing, dark blue is most: monotone in lightness, so it survives a copier."""


def overlay(
    axes: Axes,
    face: ArrayLike,
    heat: ArrayLike,
    low: float = 0.0,
    high: float = 1.0,
    truth: ArrayLike | None = None,
) -> AxesImage:
    """Draw a face in pale grey, the map over it in one hue, and a line around its highest fifth.

    Args:
        axes: Where.
        face: uint8 (H, W).
        heat: (H, W).
        low: Value shown as nothing.
        high: Value shown as most; below it, stronger is darker.
        truth: bool (H, W), outlined in orange dashes; None draws no outline.

    Returns:
        What a colour bar needs.
    """
    face, heat = np.asarray(face, dtype=float), np.asarray(heat, dtype=float)
    pale = 0.55 + 0.45 * face / 255
    axes.imshow(pale, cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
    norm = Normalize(low, high if high > low else low + 1, clip=True)
    shown = axes.imshow(
        heat, cmap=HUE, norm=norm, alpha=0.15 + 0.7 * norm(heat).filled(0), interpolation="bilinear"
    )
    if np.ptp(heat) > 1e-3 * max(high - low, 1e-12):
        axes.contour(heat, [np.quantile(heat, 0.8)], colors="black", linewidths=0.7)
    if truth is not None and np.asarray(truth).any():
        axes.contour(
            np.asarray(truth, dtype=float), [0.5], colors=PAPER, linewidths=0.8, linestyles="dashed"
        )
    bare(axes)
    return shown


def picture(axes: Axes, face: ArrayLike) -> None:
    """Draw a face as it is."""
    axes.imshow(np.asarray(face), cmap="gray", vmin=0, vmax=255)
    bare(axes)


def bare(axes: Axes) -> None:
    """No ticks and no frame: a picture has neither."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
