"""Pictures and boxes, and the square that is cut out around a face (section 3.1)."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fercourse.errors import FercourseError

Picture = Image.Image | np.ndarray | Tensor
"""A PIL image, or uint8 (H, W) grey or (H, W, 3) RGB as an array or a tensor."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels; may reach beyond the image."""


def crop(
    image: Picture, box: Box, size: int = 224, margin: float = 0.0, colour: bool = False
) -> Tensor:
    """Cut a face out and scale it bilinearly, without distorting it.

    The box becomes a square on its longer side. FER2013's own images are framed like this with
    margin 0: MTCNN's box has, in the median, 1.0 times their side. A square beyond the picture's
    edge is moved inside, and shrunk where the picture is smaller: nothing is made up.

    Args:
        image: The picture.
        box: Left, top, right, bottom, pixels.
        size: Side of the result, pixels.
        margin: Added to the square's side, as a share of it; negative cuts closer.
        colour: RGB instead of grey.

    Returns:
        uint8 (size, size), or (size, size, 3) with ``colour``.
    """
    picture = to_pil(image).convert("RGB" if colour else "L")
    cut = picture.resize((size, size), Image.Resampling.BILINEAR, square(box, picture.size, margin))
    return torch.from_numpy(np.array(cut))


def square(box: Box, size: tuple[int, int], margin: float = 0.0) -> Box:
    """The square :func:`crop` cuts for ``box`` from a picture of ``size`` (width, height)."""
    left, top, right, bottom = box
    side = min(max(right - left, bottom - top) * (1 + margin), *size)
    if not side > 0:
        raise FercourseError(f"The box {box} with margin {margin} holds no pixel.")
    x, y = (
        min(max((low + high - side) / 2, 0), limit - side)
        for low, high, limit in ((left, right, size[0]), (top, bottom, size[1]))
    )
    return x, y, x + side, y + side


def to_pil(image: Picture) -> Image.Image:
    """A picture as PIL's type, pixels shared where they can be."""
    if isinstance(image, Image.Image):
        return image
    pixels = image.cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    if pixels.dtype != np.uint8 or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    ):
        raise FercourseError(
            f"A picture must be uint8 (H, W) or (H, W, 3), not {pixels.dtype} {pixels.shape}."
        )
    return Image.fromarray(pixels)
