"""Bytes to pixels, whatever holds a picture to one, and pixels to another size."""

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
            return _opaque(image).convert("RGB")
    except FercourseError:
        raise
    except Image.UnidentifiedImageError:
        raise FercourseError("not an image") from None
    except Exception as error:  # Pillow's readers raise nearly every type on malformed files
        raise FercourseError(getattr(error, "strerror", None) or str(error)) from error


Picture = Image.Image | np.ndarray | Tensor
"""What :func:`to_pil` takes."""


def to_pil(image: Picture, bgr: bool = False) -> Image.Image:
    """A picture as PIL's type, upright by its EXIF note; pixels are shared where they can be.

    Args:
        image: A PIL image; or an array or tensor (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or
            with the colours first, (C, H, W), as torchvision has them. uint8, or float in [0, 1].
        bgr: Blue comes first, as OpenCV has it.

    Returns:
        "L" or "RGB" of an array; transparency is laid on white.

    Raises:
        FercourseError: It is none of these.
    """
    if isinstance(image, Image.Image):
        return _opaque(ImageOps.exif_transpose(image))
    if not isinstance(image, np.ndarray | Tensor):
        raise FercourseError(
            f"A picture is a path, a PIL image, an array or a tensor, not a {type(image).__name__}."
        )
    pixels = image.detach().cpu().numpy() if isinstance(image, Tensor) else image
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4) and pixels.shape[0] in (1, 3, 4):
        pixels = pixels.transpose(1, 2, 0)
    shape = pixels.shape
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and shape[2] in (1, 3, 4))) or 0 in shape:
        raise FercourseError(
            f"A picture must be (H, W) or (H, W, 1, 3 or 4), not {shape}; several go into a list."
        )
    if pixels.dtype.kind == "f":
        if not (pixels.min() >= 0 and pixels.max() <= 1):  # also where a value is nan
            raise FercourseError(
                f"Pixels as floats must be in [0, 1], not from {pixels.min():g} to "
                f"{pixels.max():g}; divide them by 255, or give uint8."
            )
        pixels = (255 * pixels).round().astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise FercourseError(
            f"Pixels must be uint8, or float in [0, 1], not {pixels.dtype}; convert them first."
        )
    if pixels.ndim == 3 and shape[2] == 1:
        pixels = pixels[..., 0]
    if bgr and pixels.ndim == 3:
        pixels = np.concatenate((pixels[..., 2::-1], pixels[..., 3:]), axis=2)
    return _opaque(Image.fromarray(np.ascontiguousarray(pixels)))


def _opaque(image: Image.Image) -> Image.Image:
    """On white where it is transparent, as pages are: what lies below is often black."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


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
