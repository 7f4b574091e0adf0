"""What the copies of FER2013 call things: classes, usages, splits; and pixels written as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fercourse.errors import FercourseError
from fercourse.labels import ORDERS, Expression

SIDE = 48
"""Height and width of the original images."""

_OFFICIAL = {"training": "train", "publictest": "val", "privatetest": "test"}
_PLAIN = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def label(value: Any, numbers: Mapping[int, Expression] | None = None) -> Expression:
    """An expression, from its name, or from a number (as text, too) where numbers have a meaning.

    Args:
        value: As it is stored: "happy", "0_angry", 3, 3.0, "3.0".
        numbers: What numbers stand for; None: nobody said so.

    Raises:
        FercourseError: It is none, or a number without a meaning.
    """
    number = as_number(value)
    try:
        if number is None:
            return Expression.parse(value)
        if numbers is not None:
            return numbers[number]
    except (FercourseError, KeyError) as error:
        hint = re.search(r"did you mean '\w+'\?", str(error))
        said = f" ({hint[0]})" if hint else ""
        shown = repr(value) if number is None else number
        raise FercourseError(f"unknown emotion {shown}{said}") from None
    raise FercourseError(f"the number {value!r} as class, without a stated order")


def as_number(value: Any) -> int | None:
    """The class number that a value is: 3 of 3, 3.0, "3", "03" and "3.0"; None of a word."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,4}(\.0*)?\s*", value):
        value = float(value)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return int(value) if np.isfinite(value) and value == int(value) else None
    return None


def order_of(
    found: Set[int], stated: Mapping[int, Expression] | None, source: str
) -> Mapping[int, Expression] | None:
    """What class numbers stand for, as it was stated; None where there are no numbers.

    Args:
        found: The numbers that name classes.
        stated: As a user did, or a copy itself.
        source: The copy, for the message.

    Raises:
        FercourseError: Nothing is stated, or it does not fit.
    """
    if not found:
        return None
    numbers = ", ".join(map(str, sorted(found)))
    if stated is None:
        raise FercourseError(
            f"{source} numbers its classes {numbers}, and data sets number them differently "
            f"(0 is angry in FER2013 and neutral in AffectNet): say which, --classes "
            f"{'|'.join(ORDERS)}, or their names in order, --classes neutral,happy,sad."
        )
    if min(stated) == 0 and min(found) == 1:
        if stated not in ORDERS.values():  # names in order, from where the numbers begin
            return {k + 1: name for k, name in stated.items()} if len(stated) in found else stated
        raise FercourseError(
            f"{source} numbers its classes from 1 ({numbers}), the stated order begins with 0: "
            "RAF-DB's is --classes rafdb; of another, name the classes in order."
        )
    return stated


def usage(value: Any) -> tuple[str, bool]:
    """Our split for a word, and whether the word is one of the contest's own.

    Raises:
        FercourseError: It is neither theirs nor ours.
    """
    word = re.sub(r"[^a-z]", "", str(value).lower())
    if word in _OFFICIAL:
        return _OFFICIAL[word], True
    if word in _PLAIN:
        return _PLAIN[word], False
    raise FercourseError(f"unknown usage {value!r}")


def pixels(value: str | np.ndarray) -> np.ndarray:
    """2,304 grey values, as text (also a Python list's, or numpy's print) or numbers.

    Returns:
        uint8 (48, 48).
    """
    if isinstance(value, str):
        if "..." in value:
            raise FercourseError("pixels that numpy left out of its print (...)")
        text = re.sub(r"[\[\](),;]|array|dtype=\w+", " ", value) if "[" in value else value
        try:
            values = np.fromstring(text, dtype=np.float64, sep=" ")
        except ValueError:
            raise FercourseError("pixels that are not whole numbers") from None
    else:
        values = np.asarray(value, dtype=np.float64).ravel()
    if len(values) != SIDE * SIDE:
        raise FercourseError(f"{len(values):,} pixels instead of {SIDE * SIDE:,}")
    if not (values == np.rint(values)).all():  # also where one is nan
        raise FercourseError("pixels that are not whole numbers")
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
    around = [_words(folder.removesuffix(".zip")) for folder in reversed(folders)]
    for joined, words in ((prefix, (prefix,)), *around):
        for word in (joined, *words):
            if word in _OFFICIAL:
                return _OFFICIAL[word], True
    for joined, words in (*around, (prefix, (prefix,))):
        for word in (joined, *words):
            if word in _PLAIN:
                return _PLAIN[word], False
    return None


def _words(folder: str) -> tuple[str, tuple[str, ...]]:
    """A folder's name as one word, and its words: "public_test" is one, "images_train" two.

    FER+ has FER2013Train; digits part words, too.
    """
    words = tuple(re.findall("[a-z]+", folder))
    return "".join(words), words


def lacking(source: str, splits: Set[tuple[str, bool]]) -> tuple[str, list[str]]:
    """What keeps a copy's splits from being FER2013's own, and what to note of those that may.

    Args:
        source: The copy, for the message.
        splits: Everything :func:`split_of` said of it.

    Returns:
        A sentence, "" where nothing is lacking; and notes.
    """
    have = {split for split, _ in splits}
    if have == {"train", "val", "test"}:
        if ("test", True) in splits:
            return "", []
        note = "No word of PublicTest or PrivateTest: val was taken for the one, test for the other"
        return "", [f"{note}."]
    if have == {"train", "test"} and ("test", False) in splits:
        return (
            f"{source} has train and test but does not say which test images are PublicTest and "
            "which PrivateTest, so the official split cannot be known; take a copy whose file "
            "names begin with PublicTest_ and PrivateTest_, or fer2013.csv."
        ), []
    if not have:
        return f"{source} does not say what is to be trained, selected and judged on.", []
    names = {"train": "train", "val": "val", "test": "test"}
    missing = " and ".join(name for name in names if name not in have)
    return f"{source} has no images for the {missing} split.", []


def progress(rows: Iterable[Any], what: str) -> Iterable[Any]:
    """A bar on a terminal, nothing elsewhere."""
    return tqdm(rows, what, unit=" images", leave=False, disable=None)
