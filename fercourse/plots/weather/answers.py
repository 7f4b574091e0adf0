"""One face clear, corrupted and cured, with the answers of several networks beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import picture
from fercourse.plots.style import (
    OURS,
    PAPER,
    THIRD,
    course_style,
    headline,
    light_grid,
    new_figure,
)


@course_style()
def weather_answers(
    faces: Tensor, titles: Sequence[str], read: Mapping[str, Tensor], truth: str
) -> Figure:
    """Copies of one face in a row, and below each the probabilities that networks give.

    Args:
        faces: uint8 (C, S, S).
        titles: Of the C copies.
        read: float (C, K) by network, at most three.
        truth: What the face shows, as titled.

    Raises:
        FercourseError: There is no network, or they do not give an answer for each copy.
    """
    if not read or any(len(p) != len(faces) for p in read.values()):
        raise FercourseError("there must be an answer of some network for each copy of the face.")
    figure = new_figure(height=3.9)
    grid = figure.subplots(2, len(faces), height_ratios=[1, 1.1], sharey="row", squeeze=False)
    places = np.arange(next(iter(read.values())).shape[1])
    height = 0.8 / len(read)
    for k, (top, bottom) in enumerate(zip(*grid, strict=True)):
        picture(top, faces[k])
        top.set_title(titles[k])
        for j, (name, p) in enumerate(read.items()):
            bottom.barh(
                places + (j - (len(read) - 1) / 2) * height,
                100 * p[k].numpy(),
                height,
                color=(OURS, PAPER, THIRD)[j % 3],
                hatch=("", "///", "...")[j % 3],
                edgecolor="white",
                label=name,
            )
        bottom.set_xlim(0, 100)
        bottom.set_xlabel("probability, %")
        light_grid(bottom, "x")
    grid[1][0].set_yticks(places, [Expression(int(c)).title for c in places])
    grid[1][0].invert_yaxis()
    grid[1][-1].legend(loc="lower right")
    answers = [
        f"{name} {' → '.join(Expression(int(c)).title for c in p.argmax(1))}"
        for name, p in read.items()
    ]
    headline(figure, f"A face that shows {truth.lower()} is read as: {'; '.join(answers)}")
    describe(
        figure,
        f"One face as {', '.join(titles)}, and below each bars of the probabilities that "
        f"{' and '.join(read)} give the expressions",
    )
    return figure
