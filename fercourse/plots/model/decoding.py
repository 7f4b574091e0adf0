"""Inside the partial decoder: what the three levels hold, what they agree on, and the map."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.layers import as_input, eval_mode
from fercourse.explain.maps import capture_activations, energy
from fercourse.labels import Expression
from fercourse.models.fernet import FERNet
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import GREY, MATRIX, course_style, headline, new_figure, tight

COLUMNS = {
    "x5": "$x_5$",
    "x4": "$x_4$",
    "x3": "$x_3$",
    "agreed4": "agreed at 4",
    "agreed3": "agreed at 3",
    "features": "features",
    "map": "$P_d$, logits",
}
"""In the order of the forward pass."""


@course_style()
def decoding(model: FERNet, faces: Faces) -> Figure:
    """A row a face: the reduced levels, their products, the decoder's features and its map.

    Every map is shown at its own resolution; several channels are shown as their energy (root
    mean square). Each picture has its own colour scale, whose ends stand below it.

    Args:
        model: With the partial decoder, so Table 1's model 4, 5 or 6.
        faces: A few; one row each.

    Raises:
        FercourseError: There are no faces, or the model has no decoder.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    if not model.config.decoder:
        raise FercourseError("this model has no partial decoder: take Table 1's model 4, 5 or 6.")
    found = _inside(model, faces)
    figure = new_figure(height=0.95 + 0.98 * len(faces))
    axes = figure.subplots(len(faces), 1 + len(COLUMNS), squeeze=False)
    tight(figure, 0.02)
    axes[0, 0].set_title("face", loc="center")
    for row, (image, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        picture(axes[row, 0], image)
        axes[row, 0].set_ylabel(Expression(int(label)).title, fontsize=7.5)
    for column, (name, title) in enumerate(COLUMNS.items(), start=1):
        height, width = found[name].shape[1:]
        axes[0, column].set_title(f"{title}\n{height} × {width}", loc="center", fontsize=8)
        for row, shown in enumerate(found[name].numpy()):
            axes[row, column].imshow(shown, cmap=MATRIX)
            bare(axes[row, column])
            ends = f"{shown.min():.1f} to {shown.max():.1f}".replace("-", "−")
            axes[row, column].set_xlabel(ends, fontsize=7, color=GREY, labelpad=2)
    within = found["map"].flatten(1).std(1, correction=0).mean()
    between = found["map"].flatten(1).mean(1).std(correction=0)
    ratio = float(between / within)
    headline(
        figure,
        f"The map varies {ratio:.1f} times as much from face to face as over a face"
        if ratio > 1
        else f"The map varies {1 / ratio:.1f} times as much over a face as from face to face",
    )
    describe(
        figure,
        "Faces in rows, each beside what the decoder makes of it: three levels, "
        "what they agree on, the features, and the map. Each picture has its own scale",
    )
    return figure


def _inside(model: FERNet, faces: Faces) -> dict[str, Tensor]:
    """Energies (N, h, w) of the decoder's steps, and its map."""
    names = ("reduce3", "reduce4", "reduce5", "gate5_to4", "gate5_to3", "gate4_to3", "features")
    modules = {name: getattr(model.decoder, name) for name in names}
    with torch.inference_mode(), eval_mode(model), capture_activations(modules) as heard:
        output = model(as_input(model, faces))
    out = {name: heard[name][1] for name in names}
    steps = {
        "x5": out["reduce5"],
        "x4": out["reduce4"],
        "x3": out["reduce3"],
        "agreed4": out["gate5_to4"] * out["reduce4"],
        "agreed3": out["gate5_to3"] * out["gate4_to3"] * out["reduce3"],
        "features": out["features"],
    }
    found = {name: energy(x) for name, x in steps.items()} | {"map": output.maps["global"]}
    return {name: x[:, 0].float().cpu() for name, x in found.items()}
