"""Reverse attention one step at a time: the whole cascade small, and the present step large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.explain.steps import Step, Term
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare
from fercourse.plots.style import GREY, INK, LINE, MATRIX, TRAIN, course_style, new_figure

FLAT = 0.1
"""A map of shares that spans less than this looks like one colour on a scale from 0 to 1."""


@course_style()
def reverse_step(
    steps: Sequence[Step], at: int, face: Tensor | None = None, stretch: bool = False
) -> Figure:
    """One step of the cascade: its formula, what goes in, what comes out, with shapes.

    Every map of shares is drawn on one scale from 0 to 1, every energy from 0 to the highest of
    its block; stretched, each map fills its own scale. Ends are printed in either case.

    Args:
        steps: Of :func:`fercourse.explain.steps.reverse_steps`.
        at: Which, from 0.
        face: uint8 (H, W), shown first.
        stretch: Let each map fill its own scale.

    Raises:
        FercourseError: There is no such step.
    """
    if not 0 <= at < len(steps):
        raise FercourseError(f"there are steps 0 to {len(steps) - 1}, not {at}.")
    step = steps[at]
    figure = new_figure(height=4.3)
    grid = figure.add_gridspec(2, 1, height_ratios=[1, 2.6])
    _strip(figure.add_subplot(grid[0]), steps, at, face, stretch)

    shown = [*step.operands, step.result]
    widths = [1, *[0.16, 1] * (len(shown) - 1)]
    cells = grid[1].subgridspec(1, len(widths), width_ratios=widths)
    for k, term in enumerate(shown):
        last = k == len(shown) - 1
        if k:
            sign = figure.add_subplot(cells[2 * k - 1])
            sign.set_axis_off()
            sign.text(
                0.5,
                0.5,
                "→" if last else step.sign,
                ha="center",
                va="center",
                fontsize=16,
                transform=sign.transAxes,
            )
        _large(figure.add_subplot(cells[2 * k]), term, _top(steps, term), stretch, last)
    figure.supxlabel(_contrast_in_words(shown, stretch), fontsize=8.5, color=GREY)
    figure.suptitle(
        f"Step {at} of {len(steps) - 1}:   {step.formula}\n{step.words}",
        x=0.01,
        ha="left",
        fontsize=10.5,
        fontweight="bold",
    )
    describe(
        figure,
        f"The cascade in small, {at + 1} of {len(steps)} maps drawn, and this step in large: "
        + " and ".join(f"{term.title} from {_ends(term)}" for term in step.operands)
        + f" give {step.result.title} from {_ends(step.result)}",
    )
    return figure


def _strip(axes: Axes, steps: Sequence[Step], at: int, face: Tensor | None, stretch: bool) -> None:
    """The face and every result in one row; those still to come are blank."""
    wide = 1.15  # a map and the gap behind it
    if face is not None:
        axes.imshow(np.asarray(face), cmap="gray", vmin=0, vmax=255, extent=(0, 1, 0, 1))
        axes.text(0.5, 1.1, "face", ha="center", fontsize=8.5)
    for k, each in enumerate(steps):
        place = (wide * (k + 1), wide * (k + 1) + 1, 0, 1)
        if k <= at:
            _draw(axes, each.result, _top(steps, each.result), stretch, place)
        else:
            axes.add_patch(Rectangle((place[0], 0), 1, 1, facecolor=LINE, linewidth=0))
        axes.text(
            place[0] + 0.5,
            1.1,
            each.result.title,
            ha="center",
            fontsize=8.5,
            color=GREY if k > at else INK,
        )
        if k == at:
            axes.add_patch(Rectangle((place[0], 0), 1, 1, fill=False, edgecolor=TRAIN, lw=2.5))
    axes.set(xlim=(-0.04, wide * len(steps) + 1.04), ylim=(-0.05, 1.4), aspect="equal")
    bare(axes)


def _ends(term: Term) -> str:
    low, high = float(term.values.min()), float(term.values.max())
    return f"{low:.3f} to {high:.3f}".replace("-", "−")


def _large(axes: Axes, term: Term, top: float, stretch: bool, result: bool) -> None:
    _draw(axes, term, top, stretch)
    bare(axes)
    axes.set_title(term.title, loc="center", fontsize=11)
    shape = " × ".join(map(str, term.shape))
    energy = "energy of " if term.kind == "energy" else ""
    axes.set_xlabel(f"{energy}{shape}\n{_ends(term)}", fontsize=8.5)
    if result:
        axes.spines[:].set_visible(True)
        axes.spines[:].set(color=TRAIN, linewidth=3)


def _draw(
    axes: Axes,
    term: Term,
    top: float,
    stretch: bool,
    place: tuple[float, float, float, float] | None = None,
) -> None:
    values = term.values.numpy()
    if term.kind == "logit":
        reach = max(float(np.abs(values).max()), 1e-12) if stretch else top
        axes.imshow(values, cmap="PuOr_r", vmin=-reach, vmax=reach, extent=place)
    elif stretch:
        axes.imshow(values, cmap=MATRIX, extent=place)
    else:
        axes.imshow(values, cmap=MATRIX, vmin=0, vmax=top, extent=place)


def _top(steps: Sequence[Step], term: Term) -> float:
    """The common scale's end: 1 for shares, a block's highest energy, the largest logit."""
    if term.kind == "share":
        return 1.0
    alike = [t.values for s in steps for t in (*s.operands, s.result) if t.kind == term.kind]
    if term.kind == "energy":
        alike = [values for values in alike if values.shape == term.values.shape]
    return max(1e-12, *(float(values.abs().max()) for values in alike))


def _contrast_in_words(shown: Sequence[Term], stretch: bool) -> str:
    if stretch:
        return (
            "Contrast stretched: each map fills its own scale.\n"
            "Read the numbers before you trust a difference."
        )
    spans = [float(t.values.max() - t.values.min()) for t in shown if t.kind == "share"]
    if spans and max(spans) < FLAT:
        return (
            f"Common scale, 0 to 1. Over this face the map varies by {max(spans):.3f} only: "
            "nearly flat.\nStretch the contrast to see what is there."
        )
    return (
        "Common scale: for maps of shares yellow is 1, for energies the block's highest;\n"
        "for logits orange is above and purple below 0."
    )
