"""A drawn face, the action units that act in it, and where each of them acts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fercourse.datasets.synthetic import PROTOTYPES, Face
from fercourse.labels import BASIC, Expression
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import (
    INK,
    LINE,
    OURS,
    PAPER,
    THIRD,
    TRAIN,
    course_style,
    headline,
    new_figure,
)

GROUPS: dict[str, tuple[int, ...]] = {
    "brows": (1, 2, 4),
    "eyes, cheeks": (5, 6, 7, 43),
    "nose": (9,),
    "mouth, chin": (10, 12, 14, 15, 16, 17, 20, 23, 24, 25, 26, 27),
}
"""Every action unit drawn here, by the part of the face it moves most."""

COLOURS: dict[int, str] = {
    unit: colour
    for colour, units in zip((OURS, THIRD, TRAIN, PAPER), GROUPS.values(), strict=True)
    for unit in units
}
"""A colour an action unit, equal within a group."""


def nearest(aus: Mapping[int, float]) -> tuple[Expression, float]:
    """The expression whose prototype shares most with these units, and how much of both it is.

    >>> nearest({6: 1.0, 12: 0.4})
    (<Expression.HAPPY: 3>, 1.0)

    Returns:
        The expression, and the units in common over the units in either, in [0, 1].
    """
    active = {unit for unit, value in aus.items() if value > 0}

    def shared(expression: Expression) -> float:
        either = active | set(PROTOTYPES[expression])
        return len(active & set(PROTOTYPES[expression])) / len(either) if either else 1.0

    best = max(BASIC, key=shared)
    return best, shared(best)


@course_style()
def action_units(face: Face, truth: bool = False) -> Figure:
    """The face, and beside it which expressions its units belong to, or where each of them acts.

    Args:
        face: From :func:`fercourse.datasets.synthetic.draw`.
        truth: Show the masks, one small picture a unit.
    """
    figure = new_figure(height=3.4)
    figure.set_layout_engine("none")  # places are fixed, so that it redraws fast
    picture(figure.add_axes((0.005, 0.02, 0.41, 0.83)), face.image)
    if truth and face.masks:
        _masks(figure.add_axes((0.44, 0.02, 0.555, 0.83)), face)
    else:
        _prototypes(figure.add_axes((0.54, 0.16, 0.45, 0.64)), face.aus)
    headline(figure, _in_words(face, truth))
    describe(
        figure,
        "A drawn face with these muscles moved; beside it "
        + (
            "a small copy for each unit, coloured where the unit acts"
            if truth and face.masks
            else "a table of expressions against units: a dot where an expression has the unit, "
            "filled where it acts"
        ),
    )
    return figure


def _prototypes(axes: Axes, aus: Mapping[int, float]) -> None:
    """Expressions against units: a dot where the prototype has the unit, a bar where it acts."""
    units = [unit for group in GROUPS.values() for unit in group]
    expressions = BASIC[:-1]  # Neutral has no unit
    for k, unit in enumerate(units):
        if aus.get(unit, 0) > 0:
            alpha = 0.15 + 0.35 * aus[unit]
            axes.axvspan(k - 0.5, k + 0.5, color=COLOURS[unit], alpha=alpha, linewidth=0)
    dots = [
        (units.index(unit), row, unit in aus, COLOURS[unit])
        for row, e in enumerate(expressions)
        for unit in PROTOTYPES[e]
    ]
    x, y, acts, colours = zip(*dots, strict=True)
    faces = [colour if on else "white" for on, colour in zip(acts, colours, strict=True)]
    axes.scatter(x, y, s=34, c=faces, edgecolors=colours, linewidths=1.3, zorder=3)
    best, share = nearest(aus)
    axes.set_yticks(range(len(expressions)), [e.title for e in expressions])
    for label, e in zip(axes.get_yticklabels(), expressions, strict=True):
        label.set_fontweight("bold" if e == best and share > 0 else "normal")
    axes.set_xticks(range(len(units)), map(str, units), fontsize=7)
    axes.set_xlim(-0.6, len(units) - 0.4)
    axes.set_ylim(len(expressions) - 0.5, -0.5)
    axes.set_xlabel("action unit (filled: it acts, stronger is darker)")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.hlines(range(len(expressions)), -0.5, len(units) - 0.5, color=LINE, linewidth=0.7)
    start = 0
    for (name, group), line in zip(GROUPS.items(), (0, 1, 0, 0), strict=True):
        axes.text(
            start + len(group) / 2 - 0.5,
            -0.65 - 0.45 * line,
            name,
            ha="center",
            fontsize=7.5,
            color=COLOURS[group[0]],
        )
        start += len(group)


def _masks(axes: Axes, face: Face) -> None:
    """Small pictures of the face on one sheet, each with the pixels of one unit in colour."""
    count = len(face.masks)
    columns = max(2, math.ceil(math.sqrt(1.35 * count)))
    step = max(1, face.image.shape[0] * columns // 560)  # no more pixels than are shown
    image = face.image[::step, ::step] / 255
    side = len(image)
    rows = -(-count // columns)
    tall, wide = round(1.22 * side), round(1.06 * side)  # room for a title, and between pictures
    sheet = np.ones((rows * tall, columns * wide, 3))
    pale = 0.45 + 0.55 * np.repeat(image[..., None], 3, 2)  # (side, side, 3)
    for k, (unit, mask) in enumerate(face.masks.items()):
        top, left = k // columns * tall + tall - side, k % columns * wide
        shade = 0.45 * pale + 0.55 * np.array(to_rgb(COLOURS[unit]))
        sheet[top : top + side, left : left + side] = np.where(
            mask[::step, ::step, None], shade, pale
        )
        axes.text(
            left + side / 2,
            top - 0.04 * side,
            f"AU{unit}",
            ha="center",
            va="bottom",
            fontsize=8.5 if rows < 4 else 7,
            color=INK,
        )
    axes.imshow(sheet)
    axes.set_anchor("W" if rows > 1 else "C")
    bare(axes)


def _in_words(face: Face, truth: bool) -> str:
    if not face.aus:
        return "A face at rest: Neutral is the expression without a unit"
    expression, share = nearest(face.aus)
    wanted, active = set(PROTOTYPES[expression]), set(face.aus)
    if share == 1:
        said = f"{_listed(active)}: the units of {expression.title}"
    elif share == 0:
        said = f"{_listed(active)}: in none of the seven prototypes"
    else:
        common = len(wanted & active)
        part = "all" if common == len(wanted) else f"{common} of"
        said = f"Nearest to {expression.title}: {part} its {len(wanted)} units act"
        said += f", and {len(active - wanted)} of others" * bool(active - wanted)
    if truth and face.masks:
        area = np.mean(np.any(list(face.masks.values()), axis=0))
        said += f". Together they move {area:.0%} of the picture"
    return said


def _listed(units: set[int]) -> str:
    return " + ".join(f"AU{unit}" for unit in sorted(units))
