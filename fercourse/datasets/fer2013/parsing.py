"""What the copies of FER2013 call things: classes, usages, splits; and pixels written as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fercourse.errors import FercourseError
from fercourse.labels import BASIC, Expression

SIDE = 48
"""Height and width of the original images."""

_OFFICIAL = {"training": "train", "publictest": "val", "privatetest": "test"}
_PLAIN = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


def label(value: Any) -> Expression:
    """One of the seven classes, from a number (as text, too) or a name."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    try:
        found = Expression.parse(value)
    except FercourseError:
        found = None
    if found is None or found not in BASIC:
        raise FercourseError(f"unknown emotion {value!r}")
    return found


def usage(value: Any) -> str:
    """Our split for the contest's word."""
    split = _OFFICIAL.get(str(value).strip().lower())
    if split is None:
        raise FercourseError(f"unknown usage {value!r}")
    return split


def pixels(text: str) -> np.ndarray:
    """2,304 numbers in a string -> uint8 (48, 48)."""
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError:
        raise FercourseError("pixels that are not whole numbers") from None
    if len(values) != SIDE * SIDE:
        raise FercourseError(f"{len(values):,} pixels instead of {SIDE * SIDE:,}")
    if values.min() < 0 or values.max() > 255:
        raise FercourseError("a pixel outside 0..255")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def split_of(name: str) -> tuple[str, bool] | None:
    """The split a path tells, and whether in the contest's own words; None where it tells none.

    In the contest's words a file name decides before its folders; ``train`` or ``test`` alone may
    be a part of any file name, so there the folders come first.
    """
    *folders, file = name.lower().split("/")
    prefix = re.findall("^[a-z]*", file)[0]
    for word in (prefix, *reversed(folders)):
        if word in _OFFICIAL:
            return _OFFICIAL[word], True
    for word in (*reversed(folders), prefix):
        if word in _PLAIN:
            return _PLAIN[word], False
    return None


def require_official(source: str, splits: set[tuple[str, bool]]) -> list[str]:
    """Refuse a copy that does not tell PublicTest from PrivateTest; what to note of one that may.

    Args:
        source: The copy, for the message.
        splits: Everything :func:`split_of` said of it.
    """
    if ("test", False) not in splits:
        return []
    if not any(split == "val" for split, _ in splits):
        raise FercourseError(
            f"{source} has train and test but does not say which test images are PublicTest and "
            "which PrivateTest, so the official split cannot be known; take a copy whose file "
            "names begin with PublicTest_ and PrivateTest_, or fer2013.csv."
        )
    return ["No word of PublicTest or PrivateTest: val was taken for the one, test for the other."]


def progress(rows: Iterable[Any], what: str) -> Iterable[Any]:
    """A bar on a terminal, nothing elsewhere."""
    return tqdm(rows, what, unit=" images", leave=False, disable=None)
