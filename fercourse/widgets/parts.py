"""Controls that several explorers share."""

from __future__ import annotations

import ipywidgets

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.labels import Expression

NARROW = {"description_width": "initial"}


def menu(
    description: str, options: object, value: object = None, width: str = "215px"
) -> ipywidgets.Dropdown:
    """A drop-down list that leaves room for others in its line."""
    chosen = {} if value is None else {"value": value}
    return ipywidgets.Dropdown(
        description=description,
        options=options,
        style=NARROW,
        layout=ipywidgets.Layout(width=width),
        **chosen,
    )


def titles(faces: Faces) -> list[tuple[str, int]]:
    """Options of a list of faces: "3 Happy" and its place.

    Raises:
        FercourseError: There are no faces.
    """
    if not len(faces):
        raise FercourseError("there are no faces to choose from.")
    return [(f"{k} {Expression(int(label)).title}", k) for k, label in enumerate(faces.labels)]


def varied(faces: Faces, most: int) -> list[int]:
    """Places of faces with an expression each, the first face first: few that differ.

    Args:
        faces: To choose from.
        most: How many at most.
    """
    first = {int(label): k for k, label in reversed(list(enumerate(faces.labels)))}
    return sorted(first.values())[:most]


def walk(slider: ipywidgets.IntSlider, interval: int) -> ipywidgets.HBox:
    """Previous, play and next for a slider; ``interval`` in milliseconds a step."""
    back = ipywidgets.Button(description="previous", icon="step-backward")
    on = ipywidgets.Button(description="next", icon="step-forward")
    for button, by in ((back, -slider.step), (on, slider.step)):
        button.layout = ipywidgets.Layout(width="105px")
        button.on_click(lambda _, by=by: _move(slider, by))
    play = ipywidgets.Play(
        min=slider.min,
        max=slider.max,
        step=slider.step,
        value=slider.value,
        interval=interval,
        show_repeat=False,
    )
    ipywidgets.jslink((play, "value"), (slider, "value"))
    return ipywidgets.HBox([back, on, play])


def lines(*rows: tuple[ipywidgets.Widget, ...]) -> ipywidgets.VBox:
    """Widgets line by line; a line too long for the cell is wrapped."""
    wrap = ipywidgets.Layout(flex_flow="row wrap")
    return ipywidgets.VBox([ipywidgets.HBox(list(row), layout=wrap) for row in rows])


def _move(slider: ipywidgets.IntSlider, by: int) -> None:
    slider.value = min(max(slider.value + by, slider.min), slider.max)
