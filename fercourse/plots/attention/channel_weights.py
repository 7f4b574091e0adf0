"""GCCA at one block: every channel's weight, the extreme channels, and another face beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import features, maps
from fercourse.explain.map_statistics import pearson
from fercourse.labels import Expression
from fercourse.models.fernet import FERNet
from fercourse.modules import ChannelAttention
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import (
    FADED,
    GREY,
    INK,
    MATRIX,
    OURS,
    PAPER,
    course_style,
    headline,
    light_grid,
    new_figure,
)

SHOWN = 3
"""Channels shown as maps, of the strongest and of the weakest."""


@dataclass(frozen=True)
class Beside:
    """What the weights are compared with.

    Attributes:
        title: "mean of 140 faces", "Happy".
        weights: float32 (C,), in (0, 1).
        image: uint8 (H, W), shown if given.
    """

    title: str
    weights: Tensor
    image: Tensor | None = None


@course_style()
def channel_weights(
    model: FERNet, face: Faces, block: int = 5, beside: Beside | None = None
) -> Figure:
    """GCCA's weights of one face at one block, sorted, with the extreme channels' maps.

    Args:
        model: With GCCA, so Table 1's model 3 or later.
        face: One face; of several the first is shown.
        block: 1 to 5.
        beside: Other weights, drawn as dots over the same channels.

    Raises:
        FercourseError: There is no face, no such block, or the model has no GCCA.
    """
    check(model, face)
    if block not in range(1, 6):
        raise FercourseError(f"there are blocks 1 to 5, not {block}.")
    face = face[:1]
    values = maps(model, face).weights[block][0].numpy()
    order = np.argsort(-values)
    channels = features(model, face, f"block{block}")[0].numpy()  # (C, h, w)

    figure = new_figure(height=3.9)
    grid = figure.add_gridspec(2, 2 + 2 * SHOWN, width_ratios=[1.25, 0.05, *[1] * 2 * SHOWN])
    axes = figure.add_subplot(grid[0, 0])
    picture(axes, face.images[0])
    axes.set_title(Expression(int(face.labels[0])).title, loc="center", color=OURS)
    if beside is not None and beside.image is not None:
        axes = figure.add_subplot(grid[1, 0])
        picture(axes, beside.image)
        axes.set_title(beside.title, loc="center", color=PAPER)
    _bars(
        figure.add_subplot(grid[0, 2:]),
        values[order],
        block,
        None if beside is None else (beside.title, beside.weights.numpy()[order]),
    )

    extremes = [*order[:SHOWN], *order[-SHOWN:]]
    for column, k in enumerate(extremes, start=2):
        axes = figure.add_subplot(grid[1, column])
        one_channel(axes, channels[k], k, f"\nM = {values[k]:.2f}")
        if column in (2, 2 + SHOWN):
            size = " × ".join(map(str, channels.shape[1:]))
            which = f"strongest, {size}" if column == 2 else f"weakest, {size}"
            axes.set_xlabel(which, fontsize=8, loc="left", color=OURS if column == 2 else GREY)
    headline(figure, _in_words(model, values, block, beside))
    describe(
        figure,
        "One face, bars of its channels' weights from high to low"
        + (f", dots for {beside.title}" if beside else "")
        + ", and maps of the three strongest and the three weakest channels",
    )
    return figure


def check(model: FERNet, faces: Faces) -> None:
    """Raise FercourseError where there is no face, or the model has no GCCA."""
    if not len(faces):
        raise FercourseError("there is no face to show.")
    if not model.config.gcca:
        raise FercourseError("this model has no GCCA to show: take Table 1's model 3 or later.")


def one_channel(axes: Axes, values: np.ndarray, number: int, more: str = "") -> None:
    """A channel (h, w) on its own scale under its number, and whether it says anything."""
    axes.imshow(values, cmap=MATRIX)
    bare(axes)
    speaks = bool(values.any())
    title = f"channel {number}" if speaks else f"{number}, silent"  # no wider than its picture
    axes.set_title(
        title + more, loc="center", fontsize=7.5, fontweight="normal", color=INK if speaks else GREY
    )


def _bars(
    axes: Axes, values: np.ndarray, block: int, beside: tuple[str, np.ndarray] | None
) -> None:
    n = len(values)
    colours = [OURS] * SHOWN + [FADED] * (n - 2 * SHOWN) + [GREY] * SHOWN
    axes.bar(np.arange(n), values, color=colours, width=0.85 if n <= 48 else 1.0, linewidth=0)
    axes.axhline(0.5, color=INK, linewidth=0.8, linestyle=":")
    if beside is not None:
        title, others = beside
        axes.plot(np.arange(n), others, "o", color=PAPER, ms=3.5 if n <= 48 else 2.2, label=title)
        axes.legend(loc="upper right", handletextpad=0.2)
    axes.set(ylim=(0, 1.05), xlim=(-0.7, n - 0.3), xticks=[], ylabel="weight M")
    axes.set_title(f"block {block}: {n} channels, sorted; 0.5, dotted, is no opinion")
    light_grid(axes)


def favoured(model: FERNet, block: int, weights: Tensor) -> tuple[float, str]:
    """How many times as strongly the strongest of C channels passes as the weakest, and by what."""
    attention = cast(ChannelAttention, model.backbone.attentions[block - 1])
    gains = attention.gain(weights)
    equation = "F' = (1 + M) F" if model.config.attention == "gcca" else "F' = M F"
    return float(gains.max() / gains.min()), equation


def _in_words(model: FERNet, values: np.ndarray, block: int, beside: Beside | None) -> str:
    times, equation = favoured(model, block, torch.from_numpy(values))
    text = (
        f"Block {block}: M from {values.min():.2f} to {values.max():.2f}, so {equation} favours "
        f"the strongest channel {times:.2f} times over the weakest"
    )
    if beside is None:
        return text
    others = beside.weights
    apart = float(np.abs(values - others.numpy()).max())
    alike = float(pearson(beside.weights.new_tensor(values)[None], others[None])[0])
    if apart < 0.05:
        return f"{text}. {beside.title}: at most {apart:.3f} apart: the face hardly matters"
    return f"{text}. {beside.title}: up to {apart:.2f} apart, correlation {alike:.2f}"
