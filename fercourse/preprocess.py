"""From grey pixels to the network's input: training, prediction and maps all pass through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fercourse.errors import FercourseError

if TYPE_CHECKING:
    from fercourse.models.recogniser import Recogniser

MEAN, STD = 0.5, 0.25
"""Input scale: the network sees ``(x / 255 - MEAN) / STD``, black -2, white 2. FER2013's own
mean and deviation are 0.51 and 0.26; round numbers serve every data set alike."""


def normalise(images: Tensor) -> Tensor:
    """Grey images as the network's input.

    Args:
        images: uint8 (N, H, W).

    Returns:
        float32 (N, 1, H, W) in [-2, 2], on the same device.
    """
    check_images(images)
    return images[:, None].float().sub_(255 * MEAN).div_(255 * STD)  # (N, 1, H, W)


def to_input(x: Tensor, model: Recogniser) -> Tensor:
    """Grey (N, 1, H, W) as the model takes it: repeated to three planes for an RGB one."""
    return x.expand(-1, model.config.in_channels, -1, -1)


def check_images(images: Tensor) -> None:
    """Refuse what is not uint8 (N, H, W)."""
    if images.dtype != torch.uint8 or images.ndim != 3:
        raise FercourseError(
            f"images must be uint8 (N, H, W), not {images.dtype} {tuple(images.shape)}."
        )
