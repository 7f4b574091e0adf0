"""One face, one map over it, and what the model answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.explain.score import energy_inside, rescale
from fercourse.labels import Expression
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import HUE, bare, picture
from fercourse.plots.style import (
    FADED,
    GREY,
    OURS,
    PAPER,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def look(
    face: Tensor,
    label: int,
    heat: Tensor,
    shares: Tensor,
    title: str,
    opacity: float = 0.6,
    truth: Tensor | None = None,
    scores: Mapping[str, float] | None = None,
    shown: str = "",
) -> Figure:
    """A face, the same under a map, and the seven expressions' probabilities.

    Args:
        face: uint8 (H, W).
        label: What it expresses.
        heat: The map, float (H, W), any scale; it is shown from its lowest to its highest value.
        shares: Probabilities, (K,).
        title: What the map is called.
        opacity: In [0, 1]; 0 leaves the face alone, 1 hides it.
        truth: bool (H, W), outlined, and scored against; None, or an empty one, does neither.
        scores: PR-AUC of this map and of rivals, by name; None shows none.
        shown: This map's name among them.

    Raises:
        FercourseError: The opacity is outside [0, 1].
    """
    if not 0 <= opacity <= 1:
        raise FercourseError(f"opacity must be in [0, 1], not {opacity}.")
    low, high = float(heat.min()), float(heat.max())
    flat = high - low <= 1e-6 * max(abs(low), abs(high))
    scaled = torch.zeros_like(heat) if flat else rescale(heat[None])[0]
    known = truth is not None and bool(truth.any())
    answer = int(shares.argmax())

    figure = new_figure(height=3.8 if scores else 3.25)
    grid = figure.add_gridspec(2 if scores else 1, 3, width_ratios=[1, 1, 0.75])
    plain, over = (figure.add_subplot(grid[:, k]) for k in (0, 1))
    bars = figure.add_subplot(grid[0, 2])
    if scores:
        _areas(figure.add_subplot(grid[1, 2]), scores, shown)
    picture(plain, face)
    plain.set_title(Expression(label).title, loc="center")
    picture(over, face)
    laid = over.imshow(
        scaled.numpy(), cmap=HUE, vmin=0, vmax=1, alpha=opacity, interpolation="bilinear"
    )
    for axes in (plain, over):
        if known:
            axes.contour(
                np.asarray(truth, dtype=float),
                [0.5],
                colors=PAPER,
                linewidths=1.1,
                linestyles="dashed",
            )
        bare(axes)
    over.set_title(title, loc="center")
    bar = figure.colorbar(laid, ax=over, location="bottom", shrink=0.75, aspect=30, pad=0.02)
    bar.set_ticks([0, 1], labels=[f"{low:.3g}".replace("-", "−"), f"{high:.3g}"])
    if bar.solids is not None:
        bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8)

    names = [Expression(k).title for k in range(len(shares))]
    colours = [OURS if k == answer else FADED for k in range(len(shares))]
    bars.barh(names, 100 * shares.numpy(), color=colours, linewidth=0)
    bars.get_yticklabels()[label].set_fontweight("bold")
    bars.invert_yaxis()
    bars.set(xlim=(0, 100), xlabel="probability (%)")
    bars.tick_params(axis="y", length=0)
    light_grid(bars, "x")
    said = Expression(answer).title + (", right" if answer == label else ", wrong")
    bars.set_title(f"{said} ({shares[answer]:.0%})")
    if known:
        plain.set_xlabel("dashed: where the\nexpression is made", fontsize=8, color=PAPER)
    elif truth is not None:
        plain.set_xlabel("no action unit acts", fontsize=8, color=GREY)
    words = _in_words(heat, truth if known else None, title, flat)
    headline(figure, words if flat or not scores else _beside_rivals(title, scores, shown))
    describe(
        figure,
        f"A face that shows {Expression(label).title}, the same under the map in blue, dark "
        f"where it is high, and bars of the probabilities: {Expression(answer).title} at "
        f"{shares[answer]:.0%} is {'right' if answer == label else 'wrong'}",
    )
    return figure


def _areas(axes: Axes, scores: Mapping[str, float], shown: str) -> None:
    """A bar for each map's PR-AUC; that of the map on the face is hatched, too."""
    for k, (name, area) in enumerate(scores.items()):
        here = name == shown
        axes.barh(
            name, area, color=OURS if here else FADED, hatch="///" if here else "", ec="white"
        )
        axes.annotate(
            f"{area:.2f}", (area, k), (3, 0), textcoords="offset points", va="center",
            fontsize=7.5, fontweight="bold" if here else "normal",
        )  # fmt: skip
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="PR-AUC against the truth")
    axes.tick_params(axis="y", length=0, labelsize=8)
    light_grid(axes, "x")


def _beside_rivals(title: str, scores: Mapping[str, float], shown: str) -> str:
    """Whether the map beats the others, which stand beside it."""
    mine = scores[shown]
    name, best = max(((n, v) for n, v in scores.items() if n != shown), key=lambda rival: rival[1])
    verdict = "more than" if mine > best else "no more than"
    return f"{title}: PR-AUC {mine:.2f} on this face, {verdict} the {best:.2f} of “{name}”"


def _in_words(heat: Tensor, truth: Tensor | None, title: str, flat: bool) -> str:
    if flat:
        return f"{title}: flat, it says nothing about this face"
    if truth is None:
        return f"{title}: no truth to hold it against on this face"
    inside, share = float(energy_inside(heat[None], truth[None])[0]), float(truth.float().mean())
    verdict = (
        "better than"
        if inside > 1.05 * share
        else ("no better than" if inside > 0.95 * share else "worse than")
    )
    return (
        f"{title}: {inside:.0%} of its energy lies inside the outline, which fills {share:.0%} of "
        f"the picture: {verdict} a map that says nothing"
    )
