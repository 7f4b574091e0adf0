"""Bytes to pixels, whatever holds a picture to one, and pixels to another size."""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile, ImageOps
from torch import Tensor
from torch.nn.functional import interpolate

from fercourse.errors import FercourseError

_FORMATS = ("JPEG", "PNG", "BMP", "PPM", "TIFF", "WEBP", "GIF")

ENDINGS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp"),
    *(".tif", ".tiff", ".gif", ".pgm", ".ppm", ".pnm"),
}
"""Of files that :func:`decode` reads."""

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8", b"II*\0", b"MM\0*", b"P5", b"P6")

_CUT = threading.Lock()


def looks_like_image(head: bytes) -> bool:
    """Whether a file that begins so is an image that :func:`decode` reads."""
    return head.startswith(_BEGINNINGS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def decode(data: bytes) -> np.ndarray:
    """The grey pixels of an encoded image, uint8 (H, W); of more than 8 bits the highest eight.

    Raises:
        FercourseError: The bytes are empty, no image, or a truncated one.
    """
    if not data:
        raise FercourseError("the file is empty")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # Asked of 36,000 images that have no such note, it would take seconds.
            upright: Image.Image = image
            if image.info.get("exif"):
                upright = ImageOps.exif_transpose(image)
            return np.asarray(_eight_bits(upright).convert("L"))
    except FercourseError:
        raise
    except Image.UnidentifiedImageError:
        raise FercourseError(_not_an_image(data)) from None
    except Exception as error:  # broken bytes make Pillow's decoders raise a dozen kinds
        raise FercourseError(f"a broken image ({error})") from error


def photograph(source: str | Path | bytes) -> Image.Image:
    """A picture, file or bytes, as RGB, upright by its EXIF note; see :func:`decode` on its bits.

    Of one that lost its end, what is there is read, with a warning.

    Raises:
        FercourseError: Why it cannot be read, a phrase.
    """
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        try:
            return _photograph(data)
        except OSError as error:
            if "truncated" not in str(error):
                raise
            image = _what_is_there(data)
            name = "the picture" if isinstance(source, bytes) else source
            warnings.warn(f"{name} lost its end: what is missing is grey or black.", stacklevel=2)
            return image
    except FercourseError:
        raise
    except Image.UnidentifiedImageError:
        raise FercourseError(_not_an_image(data)) from None
    except Exception as error:  # Pillow's readers raise nearly every type on malformed files
        raise FercourseError(getattr(error, "strerror", None) or str(error)) from error


def _photograph(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as file:
        return _opaque(_eight_bits(ImageOps.exif_transpose(file))).convert("RGB")


def _what_is_there(data: bytes) -> Image.Image:
    """A picture that lost its end, unless hardly any of it is left.

    Pillow's switch for it is the whole program's.
    """
    with _CUT:
        before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
        try:
            image = _photograph(data)
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before
    varied = np.flatnonzero(np.ptp(np.asarray(image.convert("L")), axis=1))  # rows that show it
    if not len(varied) or varied[-1] + 1 < image.height / 4:
        raise FercourseError("a picture of which more than three quarters are missing")
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 8 bits a colour, whose conversion would make more than 8 white.

    Cameras and scanners store 10, 12 or 14 bits in 16: the fewest of these that hold the
    brightest pixel are taken to be all there are.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    pixels = np.asarray(image)
    if image.mode == "F":
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 255):
            raise FercourseError("pixels as fractions that are not in 0..1 or 0..255")
        scaled = pixels * 255 if pixels.max() <= 1 else pixels
        return Image.fromarray(scaled.round().astype(np.uint8))
    if pixels.min() < 0 or pixels.max() >= 2**16:
        raise FercourseError(f"pixels of more than 16 bits (mode {image.mode})")
    bits = max(8, int(pixels.max()).bit_length())
    return Image.fromarray((pixels.astype(np.int64) >> (bits + bits % 2 - 8)).astype(np.uint8))


def _not_an_image(data: bytes) -> str:
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc", b"ftypmsf1"):
        return (
            "a HEIC picture, as telephones store them, which is not read here; save it as JPEG "
            "(on a Mac: sips -s format jpeg)"
        )
    return "not an image"


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
        return _opaque(_eight_bits(ImageOps.exif_transpose(image)))
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


def read_photo(path: str | os.PathLike) -> Image.Image:
    """An RGB picture, turned upright by its EXIF note.

    Raises:
        FercourseError: There is no such file, or it is no picture.
    """
    if "://" in str(path):
        raise FercourseError(
            f"{path} is an address: nothing is fetched from the web here; save the picture first."
        )
    if not Path(path).exists():
        raise FercourseError(f"There is no file {path}.")
    try:
        return photograph(Path(path))
    except FercourseError as error:
        raise FercourseError(
            f"{path} cannot be read as a picture ({error}); use a whole JPEG or PNG."
        ) from error


Held = str | os.PathLike | Picture
"""A picture, as people hold it: a path, or what :func:`to_pil` takes."""


def is_one(pictures: Held | Iterable[Held]) -> bool:
    """Whether this is one picture, and not several of them.

    Raises:
        FercourseError: It is neither.
    """
    if isinstance(pictures, str | os.PathLike | Image.Image) or _ndim(pictures) in (2, 3):
        return True
    if isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise FercourseError(
            f"A picture is a path, a PIL image, an array or a tensor, or several of these in a "
            f"list, not a {type(pictures).__name__}."
        )
    return False


def opened(pictures: Iterable[Held], bgr: bool = False) -> Iterator[Image.Image]:
    """Several pictures, one after another.

    Raises:
        FercourseError: One is none, or cannot be read; it says which.
    """
    for number, picture in enumerate(pictures):
        try:
            yield open_one(picture, bgr)
        except FercourseError as error:
            raise FercourseError(f"Picture {number} of the list: {error}") from error


def open_one(picture: Held, bgr: bool = False) -> Image.Image:
    """A picture by its path, or held as :func:`to_pil` takes it."""
    return read_photo(picture) if isinstance(picture, str | os.PathLike) else to_pil(picture, bgr)


def grey_faces(images: Any) -> Tensor:
    """Faces of one size as networks take them, of arrays, tensors or lists of pictures.

    Args:
        images: uint8 (N, H, W), which is given back as it is; or one face (H, W), colours
            (N, H, W, 3), floats in [0, 1], or a list of whatever :func:`to_pil` takes.

    Returns:
        uint8 (N, H, W).

    Raises:
        FercourseError: They are none of these, or of several sizes.
    """
    if isinstance(images, Tensor) and images.dtype == torch.uint8 and images.ndim == 3:
        return images
    if isinstance(images, list | tuple) and images and not _is_picture(images[0]):
        try:
            images = np.asarray(images)
        except ValueError:
            raise FercourseError("Faces must be of one size; resize them first.") from None
    shape = getattr(images, "shape", ())
    batch = len(shape) == 3 and shape[2] not in (1, 3, 4)
    several = images if batch or not is_one(images) else [images]
    grey = [np.asarray(image.convert("L")) for image in opened(map(_whole, several))]
    if not grey:
        raise FercourseError("There is no face: the list is empty.")
    if len({face.shape for face in grey}) > 1:
        raise FercourseError("Faces must be of one size; resize them first.")
    return torch.from_numpy(np.stack(grey))


def _is_picture(value: Any) -> bool:
    return isinstance(value, str | os.PathLike | Image.Image | np.ndarray | Tensor)


def _whole(image: Any) -> Any:
    """Arrays of whole numbers in 0..255 as uint8; everything else as it is."""
    if not isinstance(image, np.ndarray | Tensor):
        return image
    pixels = np.asarray(image)
    whole = pixels.dtype.kind in "iu" and pixels.size and 0 <= pixels.min() <= pixels.max() <= 255
    return pixels.astype(np.uint8) if whole else image


def _ndim(pictures: Any) -> int:
    """Axes of an array or a tensor."""
    return int(getattr(pictures, "ndim", 0))


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
