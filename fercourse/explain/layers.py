"""Layers by the names the course gives them, and images as the model takes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.models.recogniser import Recogniser
from fercourse.preprocess import normalise, to_input


def layers(model: Recogniser) -> dict[str, nn.Module]:
    """The layers a map can be made from, in the order of the forward pass.

    Of :class:`fercourse.FERNet`, ``block1`` to ``block5`` are the backbone's blocks before GCCA,
    ``edge`` the edge branch and ``decoder`` the partial decoder's features. Each gives a tensor
    (N, C, h, w), non-negative.
    """
    return model.layers()


def layer(model: Recogniser, name: str) -> nn.Module:
    """One of :func:`layers`.

    Raises:
        FercourseError: This model has no such layer; the sentence lists those it has.
    """
    found = layers(model)
    if name not in found:
        raise FercourseError(f"there is no layer {name!r}; this model has {', '.join(found)}.")
    return found[name]


def as_input(model: Recogniser, images: Tensor | Faces) -> Tensor:
    """Grey faces, uint8 (N, H, W), as the model's input (N, in_channels, H, W) on its device.

    Raises:
        FercourseError: The batch is empty, in colour, or not uint8.
    """
    images = images.images if isinstance(images, Faces) else torch.as_tensor(images)
    if images.ndim == 4 and 3 in (images.shape[1], images.shape[3]):
        raise FercourseError(
            f"these faces are RGB, {tuple(images.shape)}: maps are made from grey uint8 "
            "(N, H, W); convert them first, as PIL's image.convert('L') does."
        )
    if images.ndim != 3 or images.dtype != torch.uint8:
        raise FercourseError(
            f"faces must be grey, uint8 (N, H, W), not {images.dtype} {tuple(images.shape)}."
        )
    if not len(images):
        raise FercourseError("the batch is empty: there is no face to explain.")
    device = next(model.parameters()).device
    return to_input(normalise(images.to(device)), model)


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, the mode it was in afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
