"""Rows with columns, from whatever file: which column is what, and what a row says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.errors import FercourseError
from fercourse.images import decode
from fercourse.labels import ORDERS, Expression

_PIXELS = ("pixels", "pixel")
_IMAGE = (
    *("image", "img", "img_bytes", "image_bytes", "pixel_values", "image_path", "path", "pth"),
    *("file", "filename", "file_name", "filepath", "file_path", "image_name", "name", "data"),
)
_LABEL = ("emotion", "label", "labels", "class", "expression", "emotions", "target", "category")
_USAGE = ("usage", "split", "set", "subset")
_SAMPLE = 500
_WHERE = re.compile(r"\.(jpe?g|jpe|jfif|png|bmp|webp|tiff?|gif|pgm|ppm)$", re.I)


@dataclass(frozen=True)
class Columns:
    """Where in a row its image, class and usage stand.

    Attributes:
        image: One index, or those of 2,304 columns of a pixel each.
        label: One index, or those of a column an expression that hold a 1 (or votes), by which.
        usage: One index; None where the file's name must tell the split.
        order: What class numbers stand for, where the columns tell: the contest calls them
            "emotion".
    """

    image: int | tuple[int, ...]
    label: int | Mapping[int, Expression]
    usage: int | None
    order: Mapping[int, Expression] | None = None


def columns_of(names: Sequence[str]) -> Columns | str:
    """What the columns of a file are by their names, or what is missing."""
    plain = [re.sub(r"[\s\-]+", "_", name.strip().lower()) for name in names]

    def find(words: Sequence[str]) -> int | None:
        return next((plain.index(word) for word in words if word in plain), None)

    usage, label = find(_USAGE), find(_LABEL)
    known: int | tuple[int, ...] | None = find(_PIXELS)
    if known is None:
        numbered = tuple(i for i, name in enumerate(plain) if re.fullmatch(r"(p\w*?)?_?\d+", name))
        known = numbered if len(numbered) == parsing.SIDE**2 else find(_IMAGE)
    hot = _expressions(plain) if label is None else {}
    if known is None or (label is None and not hot):
        missing = [
            word
            for word, absent in (
                ("emotion", label is None and not hot),
                ("pixels", known is None),
                ("usage", usage is None),
            )
            if absent
        ]
        return ", ".join(missing)
    # Columns of the contest's own; "emotion" beside paths or pictures is somebody else's word.
    contest = label is not None and plain[label] == "emotion" and find(_IMAGE) is None
    order = ORDERS["fer2013"] if contest else None
    return Columns(known, hot if label is None else label, usage, order)


def columns_by_content(row: Sequence[str]) -> Columns | None:
    """What the columns of a file without names are, by its first row; None if nobody can tell."""
    count = len(row)
    usage = next((i for i, cell in enumerate(row) if _is_usage(cell)), None)
    others = [i for i in range(count) if i != usage]
    labels = [i for i in others if _is_label(row[i])]
    if count > parsing.SIDE**2 and labels:
        first = others[0]
        if len(others) == parsing.SIDE**2 + 1:  # a class before 2,304 pixels, or behind
            at_end = not _is_label(row[first])
            label = others[-1] if at_end else first
            return Columns(tuple(i for i in others if i != label), label, usage)
    image = next((i for i in others if len(row[i].split()) > 100 or _WHERE.search(row[i])), None)
    labels = [i for i in labels if i != image]
    if image is None or len(labels) != 1:  # of two, nobody can tell which is the class
        return None
    # The contest's own three columns are known without their names.
    order = ORDERS["fer2013"] if usage is not None and not _WHERE.search(row[image]) else None
    return Columns(image, labels[0], usage, order)


def _expressions(names: Sequence[str]) -> dict[int, Expression]:
    """Columns that are named as expressions, where there are at least three."""
    found = {}
    for i, name in enumerate(names):
        try:
            found[i] = Expression.parse(name)
        except FercourseError:
            continue
    return found if len(found) >= 3 else {}


def _is_usage(cell: str) -> bool:
    try:
        return bool(parsing.usage(cell))
    except FercourseError:
        return False


def _is_label(cell: str) -> bool:
    try:
        return parsing.as_number(cell) is not None or Expression.parse(cell) is not None
    except FercourseError:
        return False


def class_number(row: Sequence[Any], columns: Columns) -> int | None:
    """The number that names a row's class; None of a word, or of a column an expression."""
    return parsing.as_number(row[columns.label]) if isinstance(columns.label, int) else None


def numbering(
    rows: Iterable[Sequence[Any]], columns: Columns, archive: Archive, where: str
) -> Mapping[int, Expression] | None:
    """What the class numbers of a file stand for; looked for before all of it is decoded.

    Args:
        rows: Of the file, from its first.
        columns: What their cells are.
        archive: What was stated of it.
        where: The file, for the message.
    """
    if archive.numbers is None and columns.order is not None:
        return columns.order
    few = islice(rows, _SAMPLE) if archive.numbers is None else rows
    found = {n for row in few if (n := class_number(row, columns)) is not None}
    return parsing.order_of(found, archive.numbers, where)


def label_in(
    row: Sequence[Any], columns: Columns, numbers: Mapping[int, Expression] | None
) -> Expression:
    """The class of a row.

    Raises:
        FercourseError: It has none, or two that are equally likely.
    """
    if isinstance(columns.label, int):
        return parsing.label(row[columns.label], numbers)
    try:
        votes = {expression: float(row[i]) for i, expression in columns.label.items()}
    except (TypeError, ValueError):
        raise FercourseError("a vote that is no number") from None
    most = max(votes.values())
    first = [expression for expression, count in votes.items() if count == most]
    if len(first) > 1 or not most > 0:
        raise FercourseError("no class has most votes")
    return first[0]


def image_in(row: Sequence[Any], columns: Columns, find: Callable[[str], bytes]) -> np.ndarray:
    """The grey pixels of a row: numbers, text, an encoded image, or the path of one.

    Args:
        row: Its cells.
        columns: What they are.
        find: Gives the bytes of an image file, by its path.

    Raises:
        FercourseError: There is none, or it is broken.
    """
    if not isinstance(columns.image, int):
        return parsing.pixels(" ".join(str(row[i]) for i in columns.image))
    return image_of(row[columns.image], find)


def image_of(value: Any, find: Callable[[str], bytes]) -> np.ndarray:
    """The grey pixels that a cell stands for; see :func:`image_in`."""
    if isinstance(value, dict):  # the hub's: bytes, a path, or both
        value = value.get("bytes") or value.get("path")
    if isinstance(value, str):
        return decode(find(value)) if _WHERE.search(value.strip()) else parsing.pixels(value)
    if isinstance(value, list | np.ndarray):
        return _grid(value)
    if not isinstance(value, bytes):
        raise FercourseError("no image in the row")
    return decode(value)


def _grid(value: list | np.ndarray) -> np.ndarray:
    """Pixels as numbers: 2,304 of them, or (H, W), or (1, H, W) and (H, W, 1)."""
    try:
        grid = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise FercourseError("pixels in rows that are not equally long") from None
    if grid.ndim == 1:
        return parsing.pixels(grid)
    if grid.ndim == 3 and 1 in (grid.shape[0], grid.shape[2]):
        grid = grid.reshape([n for n in grid.shape if n > 1] or [1, 1])
    if grid.ndim != 2 or not grid.size:
        raise FercourseError(f"pixels of shape {grid.shape} instead of (H, W)")
    if not (grid == np.rint(grid)).all():
        raise FercourseError("pixels that are not whole numbers")
    if grid.min() < 0 or grid.max() > 255:
        raise FercourseError("a pixel outside 0..255")
    return grid.astype(np.uint8)


def finder(archive: Archive, beside: str) -> Callable[[str], bytes]:
    """Finds images by the paths that a file of the archive names them by.

    A path may be relative to that file, to the archive, or to a folder that is gone: then the
    longest end of it that is in the archive, and only there once, is taken.
    """
    names = set(archive.names)
    folder = beside.rpartition("/")[0]
    ends: dict[str, list[str]] = {}
    for name in archive.names:
        ends.setdefault(name.rpartition("/")[2].lower(), []).append(name)

    def find(path: str) -> bytes:
        path = path.strip().replace("\\", "/").removeprefix("./")
        for name in (f"{folder}/{path}".lstrip("/"), path):
            if name in names:
                return archive.read(name)
        same = ends.get(path.rpartition("/")[2].lower(), [])
        parts = path.lower().split("/")
        for k in range(len(parts), 0, -1):
            end = "/" + "/".join(parts[-k:])
            fits = [name for name in same if f"/{name}".lower().endswith(end)]
            if len(fits) == 1:
                return archive.read(fits[0])
            if fits:
                raise FercourseError(f"{len(fits)} files are called {path}")
        raise FercourseError(f"there is no file {path}")

    return find
