"""One face, and what each augmentation makes of it."""

from __future__ import annotations

from typing import Literal

import ipywidgets as w
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.augment import augment, fifteen_fold, warp
from fercourse.datasets.synthetic import draw
from fercourse.labels import BASIC, Expression
from fercourse.plots.data.augmented import augmented
from fercourse.preprocess import MEAN, STD
from fercourse.widgets.explorer import Explorer

SIZE = 96
SETS = {"the paper's 15": "paper", "light": "light", "course": "course"}
FLIPS = {"as is": (1, 1), "left to right": (-1, 1), "upside down": (1, -1)}


def augmentation(policy: str = "paper") -> Explorer:
    """A drawn face, three sets to choose from, and a face to turn by hand.

    Args:
        policy: "paper", "light" or "course", shown first.
    """
    small = w.Layout(width="330px")
    chosen = w.ToggleButtons(options=SETS, value=policy, style={"button_width": "120px"})
    again = w.Button(description="Draw again", layout=w.Layout(width="100px"))
    sample = w.IntSlider(
        0,
        0,
        100,
        description="draw",
        layout=w.Layout(width="225px"),
        tooltip="which fifteen of the light or course policy",
    )
    angle = w.IntSlider(25, -90, 90, description="angle", layout=small)
    flip = w.Dropdown(options=list(FLIPS), value="as is", description="flip", layout=small)
    expression = w.Dropdown(
        options=[(e.title, e) for e in BASIC],
        value=Expression.HAPPY,
        description="expression",
        layout=small,
    )
    identity = w.IntSlider(3, 0, 60, description="person", layout=small)
    wrap = w.Layout(flex_flow="row wrap")
    panel = w.VBox(
        [
            chosen,
            w.HBox([w.HBox([sample, again], layout=w.Layout(width="336px")), angle], layout=wrap),
            w.HBox([identity, flip], layout=wrap),
            expression,
        ]
    )
    explorer = Explorer(
        _figure,
        "Compare the sets: which results would you still call by the same expression?",
        panel=panel,
        policy=chosen,
        sample=sample,
        angle=angle,
        flip=flip,
        identity=identity,
        expression=expression,
        states={
            "policy": list(SETS.values()),
            "angle": [-60, 25, 60],
            "flip": list(FLIPS),
        },
    )

    def draw_again(button: w.Button) -> None:
        explorer.set(
            policy="course" if chosen.value == "paper" else chosen.value,  # the 15 are fixed
            sample=(sample.value + 1) % (sample.max + 1),
        )

    again.on_click(draw_again)
    return explorer


def _figure(
    policy: Literal["paper", "light", "course"],
    sample: int,
    angle: int,
    flip: str,
    identity: int,
    expression: Expression,
) -> Figure:
    face = torch.from_numpy(draw(expression, identity=identity, size=SIZE, margin=0).image)
    one = torch.ones(1)
    across, down = FLIPS[flip]
    turned = warp(face[None, None].float(), angle * one, across * one, down * one)[0, 0]
    return augmented(face, turned.round(), results(face, policy, sample), policy)


def results(face: Tensor, policy: Literal["paper", "light", "course"], sample: int = 0) -> Tensor:
    """Fifteen results for one face: uint8 (H, W) to uint8 (15, H, W).

    Args:
        face: uint8 (H, W).
        policy: "paper" gives its whole set, "light" and "course" fifteen draws.
        sample: Seed of the draws.
    """
    if policy == "paper":
        return fifteen_fold(face[None])[0]
    generator = torch.Generator().manual_seed(sample)
    x = augment(face.expand(15, -1, -1), policy, generator)[:, 0]  # (15, H, W) in [-2, 2]
    return (255 * (STD * x + MEAN)).round().to(torch.uint8)
