"""A sharper truth than the masks: the pixels an expression really changes in a drawn face."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.score import own_units

SHARE = 0.2
"""Of the picture, counted as changed."""


def neutral_counterfactual(faces: Faces, drawn: DataConfig) -> Tensor:
    """The same people in the same pose, light and noise, but at rest: uint8 (N, H, W).

    Args:
        faces: Built-in ones, any part of a data set.
        drawn: The config they were drawn by: its size, seed and difficulty.

    Raises:
        FercourseError: The faces are not of that data set, or of another version of the painter.
    """
    from fercourse.datasets.synthetic.expression import intensities
    from fercourse.datasets.synthetic.render import render

    if faces.masks is None or faces.ids is None or faces.subjects is None:
        raise FercourseError("only built-in faces have a twin at rest; these carry no masks.")
    number = [str(i).split("-") for i in faces.ids]
    if {seed for seed, _ in number} != {str(drawn.seed)} or faces.size != drawn.size:
        raise FercourseError(
            f"these faces were not drawn with seed {drawn.seed} and size {drawn.size}."
        )
    index = torch.tensor([int(i) for _, i in number])
    identity = torch.tensor([int(s) for s in faces.subjects])
    own = own_units(faces.labels)
    units = intensities(faces.labels, index, drawn.seed, drawn.difficulty)
    at_rest = torch.where(own[..., None], 0.0, units)  # (N, U, 2)

    def draw(units: Tensor, n: int) -> Tensor:
        how = drawn.seed, drawn.size, drawn.difficulty
        return render(units[:n], identity[:n], index[:n], *how).images

    if not torch.equal(draw(units, 2), faces.images[:2]):
        raise FercourseError(
            "these faces were drawn otherwise: with another difficulty than "
            f"{drawn.difficulty:g}, or by another version of the painter; draw them anew."
        )
    return draw(at_rest, len(faces))


def changed_pixels(faces: Faces, drawn: DataConfig, share: float = SHARE) -> Tensor:
    """The pixels that differ most from the face's twin at rest: bool (N, H, W).

    An action unit's mask holds all that the unit moves, two thirds of a close crop once several
    act. What differs between two drawings that share everything else is what a model can see.
    Differences are averaged over 3 x 3 pixels; where a face has no unit of its own, nothing is
    marked.

    Args:
        faces: Built-in ones.
        drawn: The config they were drawn by.
        share: Of the pixels, in (0, 1), that count.
    """
    change = (faces.images.float() - neutral_counterfactual(faces, drawn).float()).abs()[
        :, None
    ]  # (N, 1, H, W)
    change = F.avg_pool2d(F.pad(change, (1, 1, 1, 1), "replicate"), 3, 1).flatten(1)  # (N, P)
    cut = change.quantile(1 - share, dim=1, keepdim=True).clamp_min(1e-6)
    return (change >= cut).view(faces.images.shape)
