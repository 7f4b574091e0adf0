"""Boxes, and the square that is cut out around a face (section 3.1)."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.images import Picture, to_pil

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels; may reach beyond the image."""


def crop(
    image: Picture,
    box: Box,
    size: int = 224,
    margin: float = 0.0,
    colour: bool = False,
    angle: float = 0.0,
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
        angle: Degrees by which the face is turned about the box's middle, counter-clockwise; see
            :attr:`Detection.tilt`. Where the picture does not reach, it is black.

    Returns:
        uint8 (size, size), or (size, size, 3) with ``colour``.
    """
    picture = to_pil(image)
    place = square(box, picture.size, margin)
    if angle:
        picture, place = _turned(picture, place, angle)
    # Only what is cut is converted: of 48 megapixels, most is background.
    left, top, right, bottom = place
    x, y = floor(left), floor(top)
    part = picture.crop((x, y, ceil(right), ceil(bottom))).convert("RGB" if colour else "L")
    inside = (left - x, top - y, right - x, bottom - y)
    cut = part.resize((size, size), Image.Resampling.BILINEAR, inside)
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


def _turned(picture: Image.Image, place: Box, angle: float) -> tuple[Image.Image, Box]:
    """The surroundings of a square, turned about its middle, and where the square is in them."""
    left, top, right, _ = place
    half = (right - left) / 2
    reach = ceil(half * 2**0.5) + 2  # a square's corners, whatever the angle
    x, y = left + half, top + half
    x0, y0 = floor(x) - reach, floor(y) - reach
    around = picture.crop((x0, y0, x0 + 2 * reach, y0 + 2 * reach))
    middle = (x - x0, y - y0)
    turned = around.rotate(angle, Image.Resampling.BICUBIC, center=middle)
    return turned, (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
