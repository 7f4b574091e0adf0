"""Pictures from bytes, and the one photograph at hand."""

from __future__ import annotations

from typing import Any

from matplotlib import cbook
from PIL import Image

from fercourse.errors import FercourseError
from fercourse.images import photograph


def read_upload(data: bytes) -> Image.Image:
    """The picture in an uploaded file's bytes, RGB, upright.

    Raises:
        FercourseError: They are no picture, or a broken one.
    """
    try:
        return photograph(data)
    except FercourseError as error:
        raise FercourseError(
            f"This is not a picture that can be read here ({error}): choose a whole JPEG or PNG."
        ) from error


def example() -> bytes:
    """The one photograph at hand: grace_hopper.jpg of matplotlib, in the public domain."""
    file: Any = cbook.get_sample_data("grace_hopper.jpg")
    with file:
        return file.read()
