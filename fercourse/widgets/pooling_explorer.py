"""Stochastic pooling by hand: edit sixteen activations, draw, compare."""

from __future__ import annotations

import ipywidgets as w
import numpy as np
import torch
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.modules.pooling import stochastic_pool
from fercourse.plots.model.stochastic_pool import pooled
from fercourse.widgets.explorer import Explorer

SIDE = 4
PRESETS: dict[str, tuple[float, ...]] = {
    "a few peaks": (0, 0, 1, 0, 0, 6, 2, 0, 1, 3, 0, 0, 0, 0, 0, 2),
    "one peak": (0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "hazy peak": (1, 1, 1, 1, 1, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    "ramp": tuple(range(16)),
    "flat": (2,) * 16,
    "dead": (0,) * 16,
}


def stochastic_pooling(preset: str = "a few peaks") -> Explorer:
    """A 4 x 4 channel to edit, draws from it, and its pooled values.

    Args:
        preset: One of :data:`PRESETS`, shown first.
    """
    cells = [
        w.FloatText(value, step=1, layout=w.Layout(width="62px", margin="1px"))
        for value in PRESETS[preset]
    ]
    grid = w.GridBox(
        cells,
        layout=w.Layout(grid_template_columns="repeat(4, 66px)", width="275px", overflow="hidden"),
    )
    wide = w.Layout(width="370px")
    presets = w.ToggleButtons(
        options=list(PRESETS), value=preset, layout=wide, style={"button_width": "112px"}
    )
    draws = w.SelectionSlider(
        options=[1, 10, 100, 1000, 10_000],
        value=100,
        description="draws",
        layout=w.Layout(width="260px"),
    )
    seed = w.BoundedIntText(0, 0, 9999)
    again = w.Button(description="Draw again", layout=w.Layout(width="100px"))
    softmax = w.Checkbox(
        False,
        description="compare with softmax, a common mistake",
        indent=False,
        layout=w.Layout(width="370px", margin="0 0 0 12px"),
    )
    panel = w.HBox(
        [grid, w.VBox([presets, w.HBox([draws, again]), softmax])],
        layout=w.Layout(flex_flow="row wrap"),
    )
    explorer = Explorer(
        _figure,
        "Type activations: which values can stochastic pooling give, and how often?",
        panel=panel,
        draws=draws,
        seed=seed,
        softmax=softmax,
        states={
            "activations": {name: _cells(values) for name, values in PRESETS.items()},
            "draws": [1, 10, 100, 1000],
            "softmax": [False, True],
        },
        **{f"a{k}": cell for k, cell in enumerate(cells)},
    )
    again.on_click(lambda button: explorer.set(seed=(seed.value + 1) % 10_000))
    presets.observe(
        lambda change: explorer.set(**_cells(PRESETS[change["new"]])),
        "value",
    )
    return explorer


def _cells(values: tuple[float, ...]) -> dict[str, float]:
    """Values of the grid's controls, by their names."""
    return {f"a{k}": value for k, value in enumerate(values)}


def _figure(draws: int, seed: int, softmax: bool, **cells: float) -> Figure:
    a = torch.tensor([cells[f"a{k}"] for k in range(SIDE**2)], dtype=torch.float64)
    p = probabilities(a)
    expectation = stochastic_pool(a.view(1, 1, SIDE, SIDE), training=False).item()
    drawn = torch.empty(0, dtype=torch.int64)
    if p.any():
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.multinomial(p, draws, replacement=True, generator=generator)
    return pooled(
        a.view(SIDE, SIDE).numpy(),
        p.numpy(),
        drawn.numpy(),
        expectation,
        np.asarray(a.softmax(0)) if softmax else None,
    )


def probabilities(a: torch.Tensor) -> torch.Tensor:
    """Zeiler and Fergus's ``a / sum(a)`` over one channel's locations (L,); 0 where it is dead.

    Raises:
        FercourseError: An activation is negative or not finite.
    """
    for k, value in enumerate(a.tolist(), start=1):
        if not 0 <= value < float("inf"):
            raise FercourseError(
                f"Location {k} holds {value:g}: a ReLU comes before the pooling, so type a number "
                "of 0 or more."
            )
    total = a.sum()
    return a / total if total > 0 else torch.zeros_like(a)
