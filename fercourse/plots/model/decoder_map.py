"""The global map of one face, and what is answered when it is flat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.labels import Expression
from fercourse.plots.answer_bars import answer_bars, changed
from fercourse.plots.overlay import HUE, bare, overlay, picture
from fercourse.plots.style import course_style, headline, new_figure


@course_style()
def decoder_map(
    face: Tensor, label: int, region: Tensor, before: Sequence[float], after: Sequence[float]
) -> Figure:
    """A face under P_d, the weights sigmoid(P_d) on their own scale, and the answer without them.

    Args:
        face: uint8 (H, W).
        label: What it expresses.
        region: P_d, logits (h, w).
        before: Probabilities (K,) under this map.
        after: Those under its mean, everywhere the same.
    """
    figure = new_figure(height=2.5)
    plain, over, weight, bars = figure.subplots(1, 4, width_ratios=[0.85, 0.85, 0.85, 1.15])
    picture(plain, face)
    plain.set_title(Expression(label).title, loc="center")
    size = (face.shape[0], face.shape[1])
    on_face = torch.nn.functional.interpolate(region[None, None], size, mode="bilinear")[0, 0]
    overlay(over, face, on_face.numpy(), float(region.min()), float(region.max()))
    over.set_title("$P_d$, stretched", loc="center")
    over.set_xlabel(f"{region.min():.2f} to {region.max():.2f}".replace("-", "−"), fontsize=8)
    weights = region.sigmoid()
    weight.imshow(weights.numpy(), cmap=HUE, vmin=0, vmax=1)
    bare(weight)
    weight.set_title(r"weight $\sigma(P_d)$", loc="center")
    said = f"{weights.min():.2f} to {weights.max():.2f} (white: 0, black: 1)"
    weight.set_xlabel(said, fontsize=8)
    answer_bars(bars, before, after, ("its own map", "flattened"), label)
    moved = 50 * float(np.abs(np.asarray(after) - np.asarray(before)).sum())
    ratio = float(weights.max() / weights.min())
    times = f"{ratio:.2f} times" if ratio < 100 else "over 100 times"
    headline(
        figure,
        f"The map weighs its strongest place {times} its weakest; flattened: "
        f"{changed(before, after)} ({moved:.1f} points of probability move)",
    )
    return figure
