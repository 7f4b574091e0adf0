"""Stochastic pooling of one channel: who is drawn how often, and what comes out."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercourse.plots.overlay import HUE, bare
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PALE,
    PAPER,
    THIRD,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def pooled(
    activations: np.ndarray,
    probabilities: np.ndarray,
    drawn: np.ndarray,
    expectation: float,
    softmax: np.ndarray | None = None,
) -> Figure:
    """The channel at the left; draws against probabilities, and the pooled values, at the right.

    Args:
        activations: float (H, W), of one channel.
        probabilities: float (H * W,); all 0 for a dead channel.
        drawn: int (N,), the locations drawn, row by row; none of a dead channel.
        expectation: What evaluation takes.
        softmax: float (H * W,), the probabilities of a common mistake, to be shown beside.
    """
    a = activations.ravel()
    figure = new_figure(height=3.7)
    figure.set_layout_engine("none")  # places are fixed, so that it redraws fast
    _channel(figure.add_axes((0.005, 0.02, 0.36, 0.76)), activations)
    _draws(figure.add_axes((0.46, 0.50, 0.53, 0.27)), probabilities, drawn, softmax)
    values = {
        "mean": (a.mean(), GREY),
        "max": (a.max(), THIRD),
        "stochastic, evaluation": (expectation, OURS),
    }
    if len(drawn):
        name = f"mean of {len(drawn):,} draw{'s' * (len(drawn) > 1)}"
        values[name] = (a[drawn].mean(), TRAIN)
    if softmax is not None:
        values["with softmax"] = ((softmax * a).sum(), PAPER)
    _values(figure.add_axes((0.62, 0.11, 0.31, 0.25)), values)
    headline(figure, _in_words(a, probabilities, expectation, softmax))
    return figure


def _channel(axes: Axes, activations: np.ndarray) -> None:
    top = max(float(activations.max()), 1e-12)
    axes.imshow(activations, cmap=HUE, vmin=0, vmax=top)
    for k, ((row, column), value) in enumerate(np.ndenumerate(activations), start=1):
        ink = "white" if value > 0.45 * top else INK
        axes.text(column, row, f"{value:g}", ha="center", va="center", color=ink, fontsize=11)
        axes.text(column - 0.44, row - 0.42, str(k), ha="left", va="top", color=ink, fontsize=6.5)
    height, width = activations.shape
    axes.hlines(np.arange(1, height) - 0.5, -0.5, width - 0.5, color="white", linewidth=1.5)
    axes.vlines(np.arange(1, width) - 0.5, -0.5, height - 0.5, color="white", linewidth=1.5)
    bare(axes)
    axes.spines[:].set(visible=True, color=PALE)
    axes.set_title("activations (small: the location)")
    axes.set_anchor("NW")


def _draws(axes: Axes, p: np.ndarray, drawn: np.ndarray, softmax: np.ndarray | None) -> None:
    at = np.arange(1, len(p) + 1)
    often = np.bincount(drawn, minlength=len(p)) / max(1, len(drawn))
    axes.bar(at, often, 0.75, color=TRAIN, label="drawn")
    marks = {"linestyle": "none", "marker": "_", "ms": 13, "markeredgewidth": 2.2}
    axes.plot(at, p, color=OURS, label="a / sum(a)", **marks)
    if softmax is not None:
        axes.plot(at, softmax, color=PAPER, label="softmax(a)", **marks | {"marker": "x", "ms": 6})
    top = max(p.max(), often.max(), 0 if softmax is None else softmax.max())
    axes.set_ylim(0, 1.08 * top or 1)
    axes.set_xlim(0.3, len(p) + 0.7)
    axes.set_xticks(at, at, fontsize=7)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("location", labelpad=1)
    axes.set_ylabel("probability")
    axes.legend(
        ncols=3,
        loc="lower right",
        bbox_to_anchor=(1.02, 0.97),
        borderaxespad=0,
        columnspacing=1.2,
        handletextpad=0.4,
    )
    light_grid(axes)


def _values(axes: Axes, values: dict[str, tuple[float, str]]) -> None:
    at = np.arange(len(values))
    amounts, colours = zip(*values.values(), strict=True)
    axes.barh(at, amounts, 0.68, color=colours)
    for k, value in enumerate(amounts):
        axes.annotate(
            f"{value:.2f}", (value, k), (3, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(at, list(values))
    axes.set_ylim(4.5, -0.5)  # room for a fifth, so that nothing jumps
    axes.set_xlim(0, max(amounts) or 1)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("pooled value", labelpad=1)
    axes.locator_params(axis="x", nbins=5)


def _in_words(a: np.ndarray, p: np.ndarray, expectation: float, softmax: np.ndarray | None) -> str:
    if not a.any():
        said = "A dead channel: a / sum(a) is 0 / 0, nothing can be drawn, and its value is 0"
        return said + ". Softmax draws everywhere alike" * (softmax is not None)
    if softmax is not None:
        off = np.abs(softmax - p)
        k = int(off.argmax())
        return (
            f"Softmax is another rule: it draws location {k + 1} with {softmax[k]:.0%} "
            f"instead of {p[k]:.0%}, and locations of activation 0 too"
        )
    if np.ptp(a) == 0:
        return f"All activations are equal: mean, maximum and stochastic pooling all give {a[0]:g}"
    share = (expectation - a.mean()) / (a.max() - a.mean())
    return (
        f"Stochastic pooling's value {expectation:.2f} = sum(a²) / sum(a) lies between the mean "
        f"{a.mean():.2f} and the maximum {a.max():g}: {share:.0%} of the way up"
    )
