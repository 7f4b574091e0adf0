"""The model's own maps, beside the face they were made from."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fercourse.augment import normalise
from fercourse.datasets.base import Faces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import to_input
from fercourse.labels import Expression
from fercourse.models.fernet import FERNet
from fercourse.modules.blocks import resize_like
from fercourse.plots.style import course_style, headline, new_figure

STAGES = (
    ("edge", "edges, $C_2$"),
    ("global", "global $P_d$"),
    ("reverse5", "$A_5$"),
    ("reverse4", "$A_4$"),
    ("reverse3", "$A_3$"),
    ("refined3", "refined $S_3$"),
)
"""Maps in the order in which fig. 1 makes them, as far as the model has them."""


@course_style()
@torch.inference_mode()
def cascade(model: FERNet, faces: Faces) -> Figure:
    """The cascade of fig. 1, a row a face: edges, global map, reverse attention, refined map.

    Each column has one colour scale over all faces, so that rows compare.

    Args:
        model: With at least the edge branch or the decoder.
        faces: A few; one row each.

    Raises:
        FercourseError: There are no faces, or the model has none of the maps.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    device = next(model.parameters()).device
    output = model.eval()(to_input(normalise(faces.images.to(device)), model))
    stages = [(name, title) for name, title in STAGES if name in output.maps]
    if not stages:
        raise FercourseError("this model has no map to show: it is Table 1's model 1.")
    answers = output.logits.argmax(1).cpu()

    figure = new_figure(height=0.75 + 1.02 * len(faces))
    axes = figure.subplots(len(faces), 1 + len(stages), squeeze=False)
    for row, (image, label, answer) in enumerate(
        zip(faces.images, faces.labels, answers, strict=True)
    ):
        axes[row, 0].imshow(image, cmap="gray", vmin=0, vmax=255)
        axes[row, 0].set_ylabel(Expression(int(label)).title, fontsize=8.5)
        said = Expression(int(answer)).title
        axes[row, 0].set_xlabel(said if said != Expression(int(label)).title else "", fontsize=7.5)
    axes[0, 0].set_title("face")
    for column, (name, title) in enumerate(stages, start=1):
        maps = _on_face(output.maps[name], faces.images.shape[1:])  # (N, H, W)
        for row in range(len(faces)):
            axes[row, column].imshow(maps[row], cmap="cividis", vmin=maps.min(), vmax=maps.max())
        axes[0, column].set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    right = int((answers == faces.labels).sum())
    headline(
        figure,
        f"{right} of {len(faces)} right. From left to right the prediction is erased and refined; "
        "bright is high, one scale a column; an answer under a face is a wrong one",
    )
    return figure


def _on_face(maps: Tensor, size: tuple[int, int]) -> np.ndarray:
    """(N, C, h, w) to the mean over channels at the size of the face, (N, H, W)."""
    partner = maps.new_empty(1, 1, *size)
    return resize_like(maps.float().mean(1, keepdim=True), partner)[:, 0].cpu().numpy()
