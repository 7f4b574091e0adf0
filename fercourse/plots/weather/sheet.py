"""Faces in every weather, and one face through the severities with its maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import overlay, picture
from fercourse.plots.style import course_style, headline, new_figure, tight


@course_style()
def weather_sheet(
    clear: Tensor,
    copies: Mapping[str, Sequence[Tensor]],
    finding: str,
    columns: Sequence[str] = (),
) -> Figure:
    """One face as it is, and behind it a row a corruption with five severities.

    Args:
        clear: uint8 (S, S).
        copies: By corruption's title, the face at each severity.
        finding: What the figure shows.
        columns: Titles of the copies; "severity 1" and so on where none are given.
    """
    if not copies:
        raise FercourseError("there is no corruption to show.")
    severities = len(next(iter(copies.values())))
    titles = ["clear", *(columns or [f"severity {k + 1}" for k in range(severities)])]
    figure = new_figure(height=0.55 + 0.93 * len(copies))
    figure.png_dpi = 72  # noise compresses badly, and the faces have 48 pixels
    grid = figure.subplots(len(copies), 1 + severities, squeeze=False)
    for axes, (title, row) in zip(grid, copies.items(), strict=True):
        for one, face in zip(axes, (clear, *row), strict=True):
            picture(one, face)
        axes[0].set_ylabel(title)
    for one, title in zip(grid[0], titles, strict=True):
        one.set_title(title)
    tight(figure, 0.02)
    headline(figure, finding)
    describe(
        figure,
        f"One face in rows of {', '.join(copies)}: clear at the left, worse from column to column",
    )
    return figure


@course_style()
def weather_maps(
    faces: Sequence[Tensor], maps: Mapping[str, Sequence[Tensor]], answers: Sequence[str]
) -> Figure:
    """One face from clear air to the worst severity, and what the network looks at.

    Args:
        faces: uint8 (S, S), clear first.
        maps: By title, a map (S, S) of each of them; each row has one scale.
        answers: What each is read as.
    """
    if not maps or len({len(faces), len(answers), *map(len, maps.values())}) != 1:
        raise FercourseError("there must be a map and an answer for each face.")
    figure = new_figure(height=0.75 + 1.1 * (1 + len(maps)))
    figure.png_dpi = 96
    grid = figure.subplots(1 + len(maps), len(faces), squeeze=False)
    for axes, face, answer in zip(grid[0], faces, answers, strict=True):
        picture(axes, face)
        axes.set_title(answer)
    for axes, (title, row) in zip(grid[1:], maps.items(), strict=True):
        low, high = (float(f(np.stack([np.asarray(m) for m in row]))) for f in (np.min, np.max))
        for one, face, heat in zip(axes, faces, row, strict=True):
            overlay(one, face, heat, low, high)
        axes[0].set_ylabel(title)
    tight(figure, 0.02)
    first = answers[0].split()[0]
    kept = next((k for k, a in enumerate(answers) if a.split()[0] != first), len(answers))
    said = (
        f"{first} up to severity {kept - 1}, {answers[kept].split()[0]} from there on"
        if kept < len(answers)
        else f"{first} at every severity"
    )
    headline(figure, f"Read as {said}; the maps change with the weather")
    describe(
        figure,
        f"One face from clear air to the worst, read as {', '.join(answers)}; below each, in "
        f"blue, its maps {', '.join(maps)}: dark is high",
    )
    return figure
