"""Pictures from bytes, and the one photograph at hand."""

from __future__ import annotations

import io

from matplotlib import cbook
from PIL import Image, ImageOps

from fercourse.errors import FercourseError


def opened(data: bytes) -> Image.Image:
    """The picture in a file's bytes, RGB, upright.

    Raises:
        FercourseError: They are no picture, or a broken one.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # Pillow's readers raise nearly every type on malformed files
        raise FercourseError(
            "This is not a picture that can be read here: choose a whole JPEG or PNG."
        ) from error


def example() -> bytes:
    """The one photograph at hand: grace_hopper.jpg of matplotlib, in the public domain."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return file.read()
