"""Channel attention: three poolings, a grouped convolution, and how far the gate moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.modules import stochastic_pool
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import HUE, bare
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


@course_style()
def poolings(channels: Mapping[str, ArrayLike]) -> Figure:
    """Small channels and their three poolings: average, stochastic (expectation), maximum.

    Args:
        channels: By name, non-negative values (H, W), all of one size.

    Raises:
        FercourseError: There is no channel.
    """
    if not channels:
        raise FercourseError("there is no channel to pool.")
    names = list(channels)
    stack = np.stack([np.asarray(channels[name], dtype=float) for name in names])  # (C, H, W)
    expectation = stochastic_pool(torch.from_numpy(stack)[None].float(), training=False)[0].numpy()
    rows = {"average": stack.mean((1, 2)), "stochastic": expectation, "maximum": stack.max((1, 2))}
    figure = new_figure(height=3.1)
    grid = figure.subplots(2, len(names), squeeze=False, height_ratios=[1, 0.8], sharey="row")
    for column, name in enumerate(names):
        axes = grid[0, column]
        axes.imshow(stack[column], cmap=HUE, vmin=0, vmax=stack.max())
        for (y, x), value in np.ndenumerate(stack[column]):
            axes.text(
                x,
                y,
                f"{value:g}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if value > 0.6 * stack.max() else INK,
            )
        bare(axes)
        axes.set_title(name, loc="center")
        axes = grid[1, column]
        values = [row[column] for row in rows.values()]
        axes.bar(range(3), values, color=(TRAIN, OURS, THIRD), width=0.7)
        for k, value in enumerate(values):
            axes.annotate(
                f"{value:.3g}",
                (k, value),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
        axes.set_xticks(range(3), ["avg", "stoch.", "max"])
        axes.tick_params(axis="x", length=0)
    grid[1, 0].set_ylabel("pooled value")
    grid[1, 0].set_ylim(0, 1.2 * stack.max())
    headline(figure, _apart(names, rows))
    describe(
        figure,
        f"Small channels with their numbers ({', '.join(names)}), and below each three bars: its "
        "average, its stochastic pooling and its maximum",
    )
    return figure


@course_style()
def groups(weights: Mapping[str, Tensor]) -> Figure:
    """Which descriptor reaches which channel: a convolution's weights as a matrix.

    Args:
        weights: By name, a matrix (outputs, inputs), 0 where nothing is connected: the full
            convolution's, then the grouped one's.

    Raises:
        FercourseError: There are not two.
    """
    if len(weights) != 2:
        raise FercourseError(f"a full and a grouped convolution are needed, not {len(weights)}.")
    weights = {name: w.detach() for name, w in weights.items()}
    figure = new_figure(height=2.7)
    high = max(float(w.abs().max()) for w in weights.values())
    for axes, (name, weight) in zip(
        figure.subplots(len(weights), 1, squeeze=False)[:, 0], weights.items(), strict=True
    ):
        outputs, inputs = weight.shape
        axes.imshow(weight.numpy(), cmap="PuOr", vmin=-high, vmax=high, aspect="auto")
        axes.set_title(f"{name}: {int((weight != 0).sum())} weights", loc="left")
        axes.set_yticks(range(outputs), [f"channel {k}" for k in range(outputs)], fontsize=7)
        axes.set_xticks(
            range(inputs),
            [f"{('avg', 'max', 'rdm')[k % 3]} {k // 3}" for k in range(inputs)],
            fontsize=7,
        )
        axes.tick_params(length=0)
    full, grouped = (int((w != 0).sum()) for w in weights.values())
    headline(
        figure, f"Grouped, a channel hears its own three descriptors: {grouped} weights for {full}"
    )
    describe(
        figure,
        "Two matrices of weights, channels against descriptors: the full one is filled, of the "
        "grouped one only blocks along the diagonal are",
    )
    return figure


@course_style()
def gate_spread(weights: Mapping[int, Tensor], living: Sequence[tuple[int, int]]) -> Figure:
    """How much GCCA's weights differ between channels, and for one channel between faces.

    Args:
        weights: By block, (N, C), as :func:`fercourse.explain.maps` gives them.
        living: By block, how many units of the squeeze ever answer, and how many there are.

    Raises:
        FercourseError: There is no block.
    """
    if not weights:
        raise FercourseError("there are no weights: take a model with GCCA.")
    blocks = list(weights)
    between = np.array([float(w.mean(0).std()) for w in weights.values()])
    within = np.array([float(w.std(0).mean()) for w in weights.values()])
    figure = new_figure(height=3.1)
    axes = figure.add_subplot()
    at = np.arange(len(blocks))
    axes.bar(at - 0.2, between, 0.38, color=TRAIN, label="between channels (mean face)")
    axes.bar(
        at + 0.2,
        within,
        0.38,
        color=OURS,
        hatch="///",
        edgecolor="white",
        label="of one channel, between faces",
    )
    for x, value in zip(at + 0.2, within, strict=True):
        axes.annotate(
            f"{value:.3f}",
            (x, value),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=PAPER if value < 0.001 else INK,
        )
    axes.set_xticks(
        at, [f"block {b}\n{a} of {n} units" for b, (a, n) in zip(blocks, living, strict=True)]
    )
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("standard deviation of M")
    axes.set_xlabel("under each block: units of the squeeze that answer to at least one face")
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2)
    light_grid(axes)
    share = within**2 / (within**2 + between**2)
    k = int(share.argmax())
    headline(
        figure,
        f"Even where M moves most, in block {blocks[k]}, the face decides "
        f"{100 * share[k]:.1f} % of its variance; the channel decides the rest",
    )
    return figure


def _apart(names: Sequence[str], rows: Mapping[str, np.ndarray]) -> str:
    """Which of the poolings tell all living channels apart."""
    alive = rows["maximum"] > 0
    told = [
        name
        for name, values in rows.items()
        if len(np.unique(values[alive].round(6))) == int(alive.sum())
    ]
    every = f"{int(alive.sum())} living channels"
    if not told:
        return f"No pooling alone tells the {every} apart"
    if len(told) == 1:
        return f"Only the {told[0]} pooling tells all {every} apart"
    return f"The {' and the '.join(told)} each tell all {every} apart"
