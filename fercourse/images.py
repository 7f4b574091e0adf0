"""Bytes to grey pixels, and pixels to another size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import interpolate

from fercourse.errors import FercourseError

_FORMATS = ("JPEG", "PNG", "BMP", "PPM", "TIFF", "WEBP", "GIF")


def decode(data: bytes) -> np.ndarray:
    """The grey pixels of an encoded image, uint8 (H, W).

    Raises:
        FercourseError: The bytes are empty, no image, or a truncated one.
    """
    if not data:
        raise FercourseError("the file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.mode.startswith(("I", "F")):
                raise FercourseError(f"pixels of more than 8 bits (mode {image.mode})")
            return np.asarray(image.convert("L"))
    except FercourseError:
        raise
    except Image.UnidentifiedImageError:
        raise FercourseError("not an image") from None
    except Exception as error:  # broken bytes make Pillow's decoders raise a dozen kinds
        raise FercourseError(f"a broken image ({error})") from error


def photograph(source: str | Path | bytes) -> Image.Image:
    """A picture, file or bytes, as RGB, upright by its EXIF note; of 16 bits the higher eight.

    Raises:
        FercourseError: Why it cannot be read, a phrase.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as file:
            image = ImageOps.exif_transpose(file)
            if image.mode.startswith("I;16"):  # convert() would make all but the darkest white
                image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            if image.mode in ("I", "F"):
                raise FercourseError(f"pixels of 32 bits (mode {image.mode})")
            return image.convert("RGB")
    except FercourseError:
        raise
    except Image.UnidentifiedImageError:
        raise FercourseError("not an image") from None
    except Exception as error:  # Pillow's readers raise nearly every type on malformed files
        raise FercourseError(getattr(error, "strerror", None) or str(error)) from error


def central_square(image: np.ndarray) -> np.ndarray:
    """The central square of an image (..., H, W), as high as the shorter side."""
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side]


def resize(images: Tensor, size: int, batch: int = 2048) -> Tensor:
    """Bilinear, antialiased where it shrinks: uint8 (N, H, W) -> uint8 (N, size, size).

    Done in batches, because the arithmetic needs several copies of what it works on. Images that
    are not square lose their longer side's ends, not their proportions.
    """
    height, width = images.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    images = images[:, top : top + side, left : left + side]
    if side == size:
        return images.contiguous()
    out = torch.empty(len(images), size, size, dtype=torch.uint8)
    for start in range(0, len(images), batch):
        part = images[start : start + batch, None]  # (B, 1, side, side)
        out[start : start + batch] = interpolate(
            part, (size, size), mode="bilinear", antialias=True
        )[:, 0]
    return out
