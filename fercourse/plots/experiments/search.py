"""What sweeps of a setting can show: search paths, the weights at work, and winners by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    MATRIX,
    OURS,
    PALE,
    PAPER,
    THIRD,
    YELLOW,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def search_path(
    surface: ArrayLike, firsts: Sequence[float], seconds: Sequence[float], start: float
) -> Figure:
    """Two settings tuned one after the other, on a surface one cannot see in practice.

    Args:
        surface: Accuracy in per cent, (len(firsts), len(seconds)).
        firsts: Values of lambda_1, tuned first.
        seconds: Values of lambda, tuned second.
        start: Value of lambda while lambda_1 is tuned.

    Raises:
        FercourseError: The surface has another shape, or start is not among the seconds.
    """
    surface = np.asarray(surface, dtype=float)
    if surface.shape != (len(firsts), len(seconds)) or start not in seconds:
        raise FercourseError(
            f"a surface {surface.shape} and start {start:g} do not fit {len(firsts)} by "
            f"{len(seconds)} values."
        )
    column = list(seconds).index(start)
    row = int(surface[:, column].argmax())
    end = int(surface[row].argmax())
    best = np.unravel_index(surface.argmax(), surface.shape)
    figure = new_figure(height=3.6, width=6.4)
    axes = figure.add_subplot()
    image = axes.imshow(surface, origin="lower", aspect="auto", cmap=MATRIX)
    axes.plot([column] * len(firsts), range(len(firsts)), "o", color="white", ms=4)
    axes.plot(range(len(seconds)), [row] * len(seconds), "o", color="white", ms=4, label="tried")
    axes.plot([column, column, end], [0, row, row], color="white", lw=1.4)
    axes.plot(end, row, "D", color=PAPER, ms=9, mec="white", label="found")
    axes.plot(best[1], best[0], "*", color=YELLOW, ms=16, mec=INK, label="best of the grid")
    axes.set_xticks(range(len(seconds)), [f"{v:g}" for v in seconds])
    axes.set_yticks(range(len(firsts)), [f"{v:g}" for v in firsts])
    axes.set_xlabel(r"$\lambda$, tuned second")
    axes.set_ylabel(r"$\lambda_1$, tuned first")
    figure.colorbar(image, ax=axes, label="accuracy (%)")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=3,
        borderaxespad=0.2,
        labelcolor=INK,
        facecolor=PALE,
        frameon=True,
    )
    lost = surface[tuple(best)] - surface[row, end]
    trials = len(firsts) + len(seconds) - 1
    headline(
        figure,
        f"{trials} of {surface.size} settings tried: the search ends {lost:.2f} "
        "points below the best of the grid",
    )
    return figure


@course_style()
def weights_at_work(
    lambdas: Sequence[float],
    shares: dict[str, ArrayLike],
    pair_weights: Sequence[float],
    steps: dict[str, ArrayLike],
) -> Figure:
    """What lambda and lambda_1 do on one batch: left to the embedding, right to the centres.

    Args:
        lambdas: L values, on a log axis.
        shares: Name of a network to (L,): norm of lambda times the centre loss's gradient at the
            embedding, over the norm of the cross-entropy's.
        pair_weights: P values of lambda_1.
        steps: Name of a part of the centres' step to its mean length, (P,).
    """
    figure = new_figure(height=3.0)
    left, right = figure.subplots(1, 2)
    for colour, marker, (name, share) in zip((GREY, OURS), "so", shares.items(), strict=False):
        left.plot(lambdas, np.asarray(share), f"-{marker}", color=colour, ms=5, label=name)
    left.axhline(1, color=INK, lw=0.8, ls=":")
    left.set(xscale="log", yscale="log", xlabel=r"$\lambda$")
    left.set_ylabel("centre loss's gradient,\nas a share of cross-entropy's")
    left.legend()
    for colour, marker, (name, length) in zip((THIRD, PAPER), "so", steps.items(), strict=False):
        right.plot(pair_weights, np.asarray(length), f"-{marker}", color=colour, ms=5, label=name)
    right.set(xlabel=r"$\lambda_1$", ylim=(0, None), xticks=list(pair_weights))
    right.set_ylabel("mean length of a centre's step")
    right.legend()
    light_grid(left)
    light_grid(right)
    last = np.asarray(list(shares.values())[-1], dtype=float)
    headline(
        figure,
        f"{list(shares)[-1].capitalize()}, the centre loss pulls at a face with {last.min():.2g} "
        f"to {last.max():.2g} of the cross-entropy's force; λ₁ moves centres alone",
    )
    return figure


@course_style()
def flat_sweeps(sweeps: ArrayLike, values: Sequence[float], claimed: float) -> Figure:
    """Simulated sweeps in which no value is better than another, each with its winner marked.

    Args:
        sweeps: Accuracies, fractions (S, V); S is best a multiple of four.
        values: V settings.
        claimed: The true accuracy of all of them.
    """
    sweeps = 100 * np.asarray(sweeps, dtype=float)
    rows = -(-len(sweeps) // 4)
    figure = new_figure(height=0.9 + 1.25 * rows)
    panels = figure.subplots(rows, 4, sharex=True, sharey=True, squeeze=False)
    for axes, sweep in zip(panels.flat, sweeps, strict=False):
        best = int(sweep.argmax())
        axes.axhline(100 * claimed, color=GREY, lw=0.9, ls=":")
        axes.plot(values, sweep, "-o", ms=3, lw=1.2, color=OURS)
        axes.plot(values[best], sweep[best], "o", ms=7, color=PAPER)
        axes.annotate(
            f"{values[best]:g}",
            (values[best], sweep[best]),
            (0, 6),
            ha="center",
            textcoords="offset points",
            color=PAPER,
            fontweight="bold",
        )
        axes.margins(y=0.25)
    for axes in panels[:, 0]:
        axes.set_ylabel("accuracy (%)")
    for axes in panels[-1]:
        axes.set_xlabel(r"$\lambda_1$")
    lead = (sweeps.max(1) - 100 * claimed).mean()
    winners = len({int(sweep.argmax()) for sweep in sweeps})
    headline(
        figure,
        f"All values are equally good here: {len(sweeps)} sweeps name {winners} different winners, "
        f"{lead:.2f} points above the truth on average",
    )
    return figure
