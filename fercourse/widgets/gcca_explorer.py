"""What GCCA chooses at each block, face by face."""

from __future__ import annotations

import ipywidgets
from matplotlib.figure import Figure

from fercourse.datasets.faces import Faces
from fercourse.explain import maps
from fercourse.labels import Expression
from fercourse.models.fernet import FERNet
from fercourse.plots.attention.channel_weights import Beside, channel_weights, check
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import lines, menu, titles, varied

NOBODY, MEAN = "nobody", "mean"


def gcca_weights(model: FERNet, faces: Faces) -> Explorer:
    """Channel weights of a face and a block, beside another face's or the mean of all.

    Args:
        model: With GCCA, so Table 1's model 3 or later.
        faces: To choose from.

    Raises:
        FercourseError: There are no faces, or the model has no GCCA.
    """
    check(model, faces)
    weights = maps(model, faces).weights  # by block, (N, C)

    def draw(face: int, block: int, beside: str | int) -> Figure:
        others = None
        if beside == MEAN:
            others = Beside(f"Mean of {len(faces)} faces", weights[block].mean(0))
        elif isinstance(beside, int):
            title = Expression(int(faces.labels[beside])).title
            others = Beside(title, weights[block][beside], faces.images[beside])
        return channel_weights(model, faces[face : face + 1], block, others)

    options = titles(faces)
    face = menu("face", options, width="170px")
    beside = menu("compare with", [("nobody", NOBODY), ("mean of all", MEAN), *options], MEAN)
    block = ipywidgets.ToggleButtons(options=range(1, 6), value=5, style={"button_width": "36px"})
    return Explorer(
        draw,
        "Do the weights change from face to face, or only from block to block?",
        panel=lines((face, beside), (ipywidgets.Label("block"), block)),
        face=face,
        block=block,
        beside=beside,
        states={
            "face": (some := varied(faces, 3)),
            "block": range(1, 6),
            "beside": [MEAN, *some[-2:]],
        },
    )
