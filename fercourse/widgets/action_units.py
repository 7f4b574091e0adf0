"""Paint an expression, muscle by muscle."""

from __future__ import annotations

from functools import partial

import ipywidgets as w
from matplotlib.figure import Figure

from fercourse.datasets.synthetic import PROTOTYPES, UNIT_NAMES, draw
from fercourse.labels import BASIC, Expression
from fercourse.plots.units import COLOURS, GROUPS
from fercourse.plots.units import action_units as figure_of
from fercourse.widgets.base import Explorer

STRENGTH = 0.8
"""Of the units an expression's button sets."""


def action_units(expression: Expression | str | int = Expression.HAPPY) -> Explorer:
    """A face, a slider for each action unit, and a button for each of the seven expressions.

    Args:
        expression: What it shows at first.
    """
    sliders = {unit: _slider(unit) for unit in UNIT_NAMES}
    small = w.Layout(width="215px")
    identity = w.IntSlider(3, 0, 60, description="person", layout=small)
    difficulty = w.FloatSlider(0, min=0, max=1, step=0.1, description="difficulty", layout=small)
    seed = w.IntSlider(0, 0, 30, description="seed", layout=small,
                       tooltip="pose, light and noise, where difficulty is above 0")  # fmt: skip
    size = w.SelectionSlider(options=[48, 96, 160, 224], value=224, description="pixels",
                             layout=small)  # fmt: skip
    truth = w.Checkbox(False, description="where each unit acts", indent=False,
                       layout=w.Layout(width="215px", margin="0 0 0 24px"))  # fmt: skip
    buttons = [
        w.Button(description=e.title, layout=w.Layout(width="90px"),
                 tooltip=", ".join(f"AU{u}" for u in PROTOTYPES[e]) or "no unit")
        for e in BASIC
    ]  # fmt: skip
    columns = [
        [part for name in group for part in (_heading(name), *(sliders[u] for u in GROUPS[name]))]
        for group in (("brows", "eyes, cheeks", "nose"), ("mouth, chin",))
    ]
    panel = w.VBox(
        [
            w.HBox(buttons, layout=w.Layout(flex_flow="row wrap")),
            w.HBox([w.VBox(column) for column in columns]),
            w.HBox([identity, size, truth], layout=w.Layout(flex_flow="row wrap")),
            w.HBox([difficulty, seed], layout=w.Layout(flex_flow="row wrap")),
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
    wanted = PROTOTYPES[expression]
    explorer.set(**{f"au{unit}": STRENGTH * (unit in wanted) for unit in UNIT_NAMES})


def _slider(unit: int) -> w.FloatSlider:
    slider = w.FloatSlider(0, min=0, max=1, step=0.05, description=f"{unit} {UNIT_NAMES[unit]}",
                           readout_format=".2f")  # fmt: skip
    slider.layout = w.Layout(width="330px", height="24px")
    slider.style.description_width = "140px"
    slider.style.handle_color = COLOURS[unit]
    return slider


def _heading(name: str) -> w.HTML:
    return w.HTML(f"<span style='color:#666'>{name}</span>", layout=w.Layout(height="22px"))
