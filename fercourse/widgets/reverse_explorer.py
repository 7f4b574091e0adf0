"""Reverse attention, one step at a time."""

from __future__ import annotations

import functools

import ipywidgets
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.explain import steps
from fercourse.models.fernet import FERNet
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import NARROW, lines, menu, titles, varied, walk

START = 8
"""The last step that erases: in the first ones the map is one grey, and nothing is to be seen."""


def reverse_steps(model: FERNet, faces: Faces) -> Explorer:
    """From P_d through A_5, R_5, S_5 to S_3: formula, operands and result of each step.

    Args:
        model: With reverse attention, so Table 1's model 5 or 6.
        faces: To choose from.

    Raises:
        FercourseError: There are no faces, or the model has no reverse attention.
    """
    options = titles(faces)

    @functools.lru_cache(maxsize=8)
    def cascade(face: int) -> list[steps.Step]:
        return steps.reverse_steps(model, faces[face : face + 1])

    def draw(face: int, step: int, stretch: bool) -> Figure:
        return plots.reverse_step(cascade(face), step, faces.images[face], stretch)

    slider = ipywidgets.IntSlider(
        description="step",
        max=len(cascade(0)) - 1,
        value=START,
        style=NARROW,
        layout=ipywidgets.Layout(width="250px"),
    )
    face = menu("face", options, width="170px")
    stretch = ipywidgets.ToggleButton(description="stretch contrast", value=False)
    return Explorer(
        draw,
        "Go through the cascade step by step: what is erased, and what is added?",
        panel=lines((face, slider, stretch), (walk(slider, interval=1500),)),
        face=face,
        step=slider,
        stretch=stretch,
        states={"face": varied(faces, 2), "step": range(slider.max + 1), "stretch": [False, True]},
    )
