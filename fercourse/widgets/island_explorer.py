"""The island loss with points in the plane."""

from __future__ import annotations

import functools

import ipywidgets
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.losses.playground import simulate
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import NARROW, lines, walk

STEPS = 200
WEIGHTS = (0, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1)
"""lambda: the values of Fig. 6(a), none at all, and what it takes to see it work alone."""


def island() -> Explorer:
    """Seven classes of points follow eq. 7: drag lambda and lambda_1, and watch them part."""
    run = functools.lru_cache(maxsize=32)(simulate)

    def draw(weight: float, pair_weight: int, step: int, seed: int) -> Figure:
        return plots.island_path(run(weight, pair_weight, STEPS, seed), step)

    wide = ipywidgets.Layout(width="310px")
    step = ipywidgets.IntSlider(
        description="step", max=STEPS, value=60, step=5, style=NARROW, layout=wide
    )
    seed = ipywidgets.IntSlider(description="another start", max=9, style=NARROW, layout=wide)
    weight = ipywidgets.SelectionSlider(
        description="λ",
        options=[(f"{w:g}", w) for w in WEIGHTS],
        value=0.005,
        style=NARROW,
        layout=wide,
    )
    pairs = ipywidgets.IntSlider(description="λ₁", value=7, max=10, style=NARROW, layout=wide)
    return Explorer(
        draw,
        "Drag λ and λ₁: which one shrinks the clusters, which one parts the centres?",
        panel=lines((weight, pairs), (step, seed), (walk(step, interval=400),)),
        weight=weight,
        pair_weight=pairs,
        step=step,
        seed=seed,
        states={
            "weight": [0, 0.005, 0.05, 1],
            "pair_weight": [0, 7],
            "step": [0, 20, 40, 60, 120, STEPS],
        },
    )
