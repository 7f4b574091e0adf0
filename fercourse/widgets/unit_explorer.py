"""Which pixels one unit of the backbone listens to."""

from __future__ import annotations

import ipywidgets as w
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.explain import receptive
from fercourse.explain.layers import as_input
from fercourse.models.fernet import FERNet
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import lines, menu, titles


def unit_field(model: FERNet, faces: Faces) -> Explorer:
    """Choose a face, a block and a place; see the unit there, what it could see, and what it hears.

    Args:
        model: Any of Table 1's.
        faces: To choose from, at least 32 pixels wide.

    Raises:
        FercourseError: There are no faces.
    """
    options = titles(faces)
    last = faces.size - 1

    def draw(face: int, block: int, row: int, column: int) -> Figure:
        side = faces.size // 2 ** (block - 1)  # of C_block
        unit = [min(at * side // faces.size, side - 1) for at in (row, column)]
        heard = receptive.influence(model, as_input(model, faces[face : face + 1]), block, *unit)
        y, x = (receptive.place(block, k) for k in unit)
        return plots.unit_field(
            faces.images[face],
            heard.cpu(),
            (y, x),
            receptive.rule(block),
            receptive.half_side(heard.cpu(), (y, x)),
            f"C{block}, unit in row {unit[0] + 1} and column {unit[1] + 1} of {side}",
        )

    width = w.Layout(width="300px")
    row = w.IntSlider(17, 0, last, description="down", layout=width, tooltip="pixels from above")
    column = w.IntSlider(
        15, 0, last, description="across", layout=width, tooltip="pixels from the left"
    )
    block = w.ToggleButtons(
        options=[(f"C{i}", i) for i in range(1, 6)], value=3, style={"button_width": "44px"}
    )
    face = menu("face", options, width="170px")
    return Explorer(
        draw,
        "Put the unit on an eye and go from C1 to C5: from which block on does it hear the mouth?",
        panel=lines((face, block), (row, column)),
        face=face,
        block=block,
        row=row,
        column=column,
        states={"block": range(1, 6), "row": (17, 26, 35), "column": (15, 24, 33)},
    )
