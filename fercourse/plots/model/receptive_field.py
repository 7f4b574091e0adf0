"""How much of a face one location sees, and what the backbone's blocks make of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch.nn import functional as F

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import features
from fercourse.models.fernet import FERNet
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import (
    INK,
    MATRIX,
    OURS,
    PAPER,
    PINK,
    THIRD,
    TRAIN,
    course_style,
    headline,
    new_figure,
)

_COLOURS = (TRAIN, THIRD, OURS, PINK, PAPER)
_LINES = ("-", "--", ":", "-.", (0, (8, 2)))
"""One a block, as the colours."""


@course_style()
def receptive_fields(faces: Mapping[int, np.ndarray], fields: Mapping[str, int]) -> Figure:
    """The square of pixels that a location in the middle of each block depends on.

    Args:
        faces: By size in pixels, the same face as uint8 (size, size).
        fields: By block, "C1" first: the side of its square, pixels.

    Raises:
        FercourseError: There is no face.
    """
    if not faces:
        raise FercourseError("there is no face to show.")
    figure = new_figure(height=3.9)
    panels = figure.subplots(1, len(faces), squeeze=False)[0]
    for axes, (size, face) in zip(panels, faces.items(), strict=True):
        picture(axes, face)
        edge = max(size, *fields.values())
        room = (edge - size) / 2 + 0.04 * edge
        axes.set(xlim=(-room, size + room), ylim=(size + room, -room))
        for (block, side), colour, line in zip(fields.items(), _COLOURS, _LINES, strict=False):
            corner = (size - side) / 2
            axes.add_patch(
                Rectangle(
                    (corner, corner),
                    side,
                    side,
                    fill=False,
                    linewidth=1.8,
                    linestyle=line,
                    edgecolor=colour,
                    label=f"{block}: {side} px",
                )
            )
        axes.set_title(f"a face of {size} × {size} pixels", loc="center")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(fields), loc="outside lower center")
    smallest = min(faces)
    wider = [block for block, side in fields.items() if side >= smallest]
    text = (
        f"At {smallest} pixels, a location of {' or '.join(wider)} could see more than the face"
        if wider
        else "No location could see the whole face"
    )
    headline(figure, text)
    describe(
        figure,
        "The same face at several sizes, with a square for each block around what a location in "
        "its middle depends on: "
        f"{', '.join(f'{block} {side} pixels' for block, side in fields.items())}",
    )
    return figure


@course_style()
def effective_fields(
    influence: Mapping[str, np.ndarray],
    fields: Mapping[str, int],
    half: Mapping[str, int],
    centres: Mapping[str, float],
) -> Figure:
    """What a location in the middle of each block listens to, within what it could hear.

    Args:
        influence: By block, "C1" first: mean squared gradient of each pixel, (H, W).
        fields: By block, the side of the square it depends on at all, pixels.
        half: By block, the side of the square that holds half of the influence, pixels.
        centres: By block, where the location is, pixels from the left and from the top.

    Raises:
        FercourseError: The blocks of the four differ.
    """
    if not list(influence) == list(fields) == list(half) == list(centres):
        raise FercourseError("effective_fields needs the same blocks in all four, in one order.")
    figure = new_figure(height=2.3)
    panels = figure.subplots(1, len(influence), squeeze=False)[0]
    for axes, (block, map_), colour in zip(panels, influence.items(), _COLOURS, strict=False):
        size = len(map_)
        # The square root of the square root shows the faint rim beside the strong middle.
        axes.imshow(map_**0.25, cmap=MATRIX)
        bare(axes)
        for side, style in ((fields[block], "--"), (half[block], "-")):
            low = max(0.0, centres[block] - side / 2)
            reach = min(float(size), centres[block] + side / 2) - low
            place = (low - 0.5, low - 0.5)  # pixel 0 is drawn from -0.5 on
            axes.add_patch(
                Rectangle(place, reach, reach, fill=False, lw=1.6, ls=style, edgecolor=colour)
            )
        axes.set_title(block, loc="center")
        axes.set_xlabel(f"could: {fields[block]} px\nhalf in: {half[block]} px")
    last = list(half)[-1]
    wide = [block for block in half if fields[block] > size]
    text = f"{wide[0] if wide else last} could see the whole face, and half of what it listens to "
    text += f"lies in {half[wide[0] if wide else last]} × {half[wide[0] if wide else last]} pixels"
    headline(figure, f"{text} (dashed: all it depends on)")
    describe(
        figure,
        "A map a block, bright where its middle location listens. Half of it lies in squares of "
        + ", ".join(f"{side} pixels for {block}" for block, side in half.items()),
    )
    return figure


@course_style()
def blocks_seen(model: FERNet, face: Faces, count: int = 8) -> Figure:
    """The strongest channels of every block for one face, each on its own scale.

    A channel is said to answer where it exceeds a tenth of its highest value.

    Args:
        model: Any of Table 1's.
        face: One face; of several the first is shown.
        count: Channels a block, those of the largest mean square.

    Raises:
        FercourseError: There is no face.
    """
    if not len(face):
        raise FercourseError("there is no face to show.")
    figure = new_figure(height=4.4)
    grid = figure.subplots(5, count + 1)
    active = []
    for i, row in enumerate(grid, start=1):
        channels = features(model, face[:1], f"block{i}")[0].numpy()  # (C, h, w)
        strongest = np.argsort(-np.square(channels).mean((1, 2)))[:count]
        shown = channels[strongest]
        peaks = shown.max((1, 2), keepdims=True)
        active.append(100 * (shown > 0.1 * peaks).mean())
        side = channels.shape[1]
        coarse = F.adaptive_avg_pool2d(face.images[:1].float(), channels.shape[1:])[0]
        picture(row[0], coarse)
        row[0].set_ylabel(f"C{i}\n{side} × {side}", rotation=0, ha="right", va="center")
        for axes, k in zip(row[1:], strongest, strict=True):
            axes.imshow(channels[k], cmap=MATRIX)
            bare(axes)
            axes.set_title(
                f"{k}", fontsize=7.5, fontweight="normal", color=INK, loc="center", pad=1.5
            )
    headline(
        figure,
        f"A strong channel of C1 answers at {active[0]:.0f} % of its places, one of C5 at "
        f"{active[-1]:.0f} %. Left: the face as finely as each block's grid can say it",
    )
    describe(
        figure,
        f"In rows, blocks 1 to 5: the face at the block's resolution, and maps of its {count} "
        "strongest channels, fine in the first row and coarse in the last",
    )
    return figure
