"""Paint an expression, muscle by muscle."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import ipywidgets as w
from matplotlib.figure import Figure

from fercourse.datasets.synthetic import PROTOTYPES, UNIT_NAMES, draw
from fercourse.labels import BASIC, Expression
from fercourse.plots.data.action_units import COLOURS, GROUPS
from fercourse.plots.data.action_units import action_units as figure_of
from fercourse.widgets.explorer import Explorer

STRENGTH = 0.8
"""Of the units an expression's button sets."""


def action_units(expression: Expression | str | int = Expression.HAPPY) -> Explorer:
    """A face, a slider for each action unit, and a button for each of the seven expressions.

    Args:
        expression: What it shows at first.
    """
    sliders = {unit: _slider(unit) for unit in UNIT_NAMES}
    identity = _slim(w.IntSlider(3, 0, 60, description="person"), 330, 160)
    size = w.SelectionSlider(options=[48, 96, 160, 224], value=224, description="pixels")
    difficulty = w.FloatSlider(0, min=0, max=1, step=0.1, description="difficulty")
    seed = w.IntSlider(0, 0, 30, description="seed")
    seed.tooltip = "pose, light and noise, where difficulty is above 0"
    truth = w.Checkbox(
        False,
        description="show where each unit acts",
        indent=False,
        layout=w.Layout(width="260px", margin="4px 0 4px 76px"),
    )
    buttons = [
        w.Button(
            description=e.title,
            layout=w.Layout(width="90px"),
            tooltip=", ".join(f"AU{u}" for u in PROTOTYPES[e]) or "no unit",
        )
        for e in BASIC
    ]
    columns = [
        [part for name in group for part in (_heading(name), *(sliders[u] for u in GROUPS[name]))]
        for group in (("brows", "eyes, cheeks", "nose"), ("mouth, chin",))
    ]
    columns[0] += [truth, identity]  # the shorter one
    wrap = w.Layout(flex_flow="row wrap")
    panel = w.VBox(
        [
            w.HBox(buttons, layout=wrap),
            w.HBox([w.VBox(column) for column in columns]),
            w.HBox([_slim(c, 220, 60) for c in (size, difficulty, seed)], layout=wrap),
        ]
    )
    explorer = Explorer(
        _face,
        "Press an expression, then move one muscle: when does it stop being that expression?",
        panel=panel,
        identity=identity,
        size=size,
        difficulty=difficulty,
        seed=seed,
        truth=truth,
        states={
            "expression": {e.title: _units(e) for e in BASIC},
            "one muscle more": {
                "none": {},
                f"4 {UNIT_NAMES[4]}": {"au4": STRENGTH},
                f"12 {UNIT_NAMES[12]}": {"au12": STRENGTH},
            },
            "truth": [False, True],
        },
        **{f"au{unit}": slider for unit, slider in sliders.items()},
    )
    for button, e in zip(buttons, BASIC, strict=True):
        button.on_click(partial(_show, explorer, e))
    _show(explorer, Expression.parse(expression))
    return explorer


def _face(
    identity: int, size: int, difficulty: float, seed: int, truth: bool, **units: float
) -> Figure:
    aus = {int(name.removeprefix("au")): value for name, value in units.items()}
    face = draw(aus=aus, identity=identity, size=size, seed=seed, difficulty=difficulty)
    return figure_of(face, truth)


def _show(explorer: Explorer, expression: Expression, button: w.Button | None = None) -> None:
    explorer.set(**_units(expression))


def _units(expression: Expression) -> dict[str, float]:
    """Values of the units' sliders, by their names."""
    wanted = PROTOTYPES[expression]
    return {f"au{unit}": STRENGTH * (unit in wanted) for unit in UNIT_NAMES}


Slider = TypeVar("Slider", bound=w.FloatSlider | w.IntSlider | w.SelectionSlider)


def _slider(unit: int) -> w.FloatSlider:
    slider = w.FloatSlider(
        0, min=0, max=1, step=0.05, description=f"{unit} {UNIT_NAMES[unit]}", readout_format=".2f"
    )
    slider.style.handle_color = COLOURS[unit]
    return _slim(slider, 330, 160)


def _slim(slider: Slider, width: int, text: int) -> Slider:
    slider.layout = w.Layout(width=f"{width}px", height="26px")
    slider.style.description_width = f"{text}px"
    return slider


def _heading(name: str) -> w.HTML:
    return w.HTML(f"<span style='color:#666'>{name}</span>", layout=w.Layout(height="22px"))
