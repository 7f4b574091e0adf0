"""What channel attention chooses: its weights, sorted, and what the chosen channels see."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.explain import features, maps
from fercourse.labels import Expression
from fercourse.models.fernet import FERNet
from fercourse.plots.alternative import describe
from fercourse.plots.attention.channel_weights import check, favoured, one_channel
from fercourse.plots.overlay import picture
from fercourse.plots.style import (
    FADED,
    INK,
    OURS,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def gcca(model: FERNet, face: Faces, strongest: int = 4) -> Figure:
    """GCCA's weights of one face, a row a block: sorted bars, and the strongest channels' maps.

    Args:
        model: With GCCA, so Table 1's model 3 or later.
        face: One face; of several the first is shown.
        strongest: Channels shown as maps.

    Raises:
        FercourseError: There is no face, or the model has no GCCA.
    """
    check(model, face)
    face = face[:1]
    weights = maps(model, face).weights
    figure = new_figure(height=6.4)
    grid = figure.add_gridspec(5, 2 + strongest, width_ratios=[0.9, 3.2, *[0.9] * strongest])
    for row, (block, weight) in enumerate(weights.items()):
        values = weight[0].numpy()
        order = np.argsort(-values)
        chosen = order[:strongest]
        if row == 0:
            axes = figure.add_subplot(grid[row, 0])
            picture(axes, face.images[0])
            axes.set_title(Expression(int(face.labels[0])).title, loc="center")
        axes = figure.add_subplot(grid[row, 1])
        colours = [OURS] * strongest + [FADED] * (len(order) - strongest)
        axes.bar(
            np.arange(len(order)),
            values[order],
            color=colours,
            width=0.85 if len(order) <= 48 else 1.0,
            linewidth=0,  # a white edge would hide thin bars
        )
        axes.axhline(0.5, color=INK, linewidth=0.8, linestyle=":")
        axes.set_ylim(0, 1)
        axes.set_ylabel("$M$")
        axes.set_xlim(-0.7, len(order) - 0.3)
        axes.set_xticks([])
        axes.set_title(
            f"block {block}: {len(order)} channels, {values.min():.2f} to {values.max():.2f}",
            fontsize=8.5,
        )
        light_grid(axes)
        channels = features(model, face, f"block{block}")[0].numpy()  # (C, h, w)
        for column, k in enumerate(chosen, start=2):
            axes = figure.add_subplot(grid[row, column])
            one_channel(axes, channels[k], k)
        if row == 4:
            height, width = channels.shape[1:]
            axes.set_xlabel(f"{height} × {width} locations", fontsize=7.5)
    headline(figure, _in_words(model, {k: w[0] for k, w in weights.items()}))
    describe(
        figure,
        "For one face, a row a block: bars of the channels' weights from high to low, and maps "
        "of the strongest channels beside them",
    )
    return figure


def _in_words(model: FERNet, weights: dict[int, Tensor]) -> str:
    spans = {block: float(w.max() - w.min()) for block, w in weights.items()}
    most = max(spans, key=lambda name: spans[name])
    times, equation = favoured(model, most, weights[most])
    return (
        f"{model.config.attention.upper()} chooses most in block {most}: its strongest channel "
        f"passes {times:.2f} times as strongly as its weakest ({equation}); 0.5, dotted, is no "
        "opinion. Blue bars are the channels shown"
    )
