"""FER2013 as the model hub's copies store it: parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError
from fercourse.images import decode

_IMAGE = ("image", "img", "img_bytes", "image_bytes", "pixel_values", "pixels")
_LABEL = ("label", "labels", "emotion", "class")
_USAGE = ("usage",)
_BATCH = 1024  # rows held as Python objects at a time


def read_parquet(archive: Archive, names: list[str]) -> Table:
    """A column of encoded images (or of pixels as text), one of labels; the split is in the name.

    A column ``usage`` goes before the split in the file's name or folder. Labels may be numbers
    whose meaning stands in the file's metadata: the hub numbers classes alphabetically where
    they came from folders, so that 4 is neutral there.
    """
    rows = Collector(str(archive.path), "parquet")
    told = set()
    for name in sorted(names):
        where = str(archive.path) if archive.names == [name] else f"{archive.path}: {name}"
        in_name = parsing.split_of(name)
        with archive.open(name) as stream:
            cells = parsing.progress(_cells(stream, where), f"decoding {name}")
            for number, (image, label, usage) in enumerate(cells, start=1):
                at = f"{name}, row {number}"
                try:
                    found = in_name if usage is None else (parsing.usage(usage), True)
                    if found is None:
                        raise FercourseError("no usage column, and no split in the file's name")
                    split, official = found
                    label, image = parsing.label(label), _image(image)
                except FercourseError as bad:
                    rows.skip(at, bad)
                else:
                    told.add((split, official))
                    rows.add(image, label, split=split, id=f"{name}:{number}", where=at)
    rows.notes += parsing.require_official(str(archive.path), told)
    return rows.table("fer2013")


def _cells(stream: BinaryIO, where: str) -> Iterator[tuple[Any, Any, Any]]:
    """Image, label and usage of every row as they are stored; usage is None where there is none."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise FercourseError(
            f"Reading {where} needs pyarrow: pip install 'fercourse[data]'."
        ) from None
    try:
        file = pq.ParquetFile(stream)
        columns = file.schema_arrow.names
        image, label = (_column(columns, known, where) for known in (_IMAGE, _LABEL))
        usage = next((c for c in columns if c.strip().lower() in _USAGE), None)
        classes = _classes(file.schema_arrow.metadata, label)
        wanted = [column for column in (image, label, usage) if column]
        for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
            for row in batch.to_pylist():
                value = row[label]
                if classes and value in range(len(classes)):
                    value = classes[value]
                yield row[image], value, row[usage] if usage else None
    except (pa.ArrowException, OSError) as error:
        raise FercourseError(
            f"{where} is not a readable parquet file: {str(error).rstrip('.')}."
        ) from error


def _column(columns: list[str], known: tuple[str, ...], where: str) -> str:
    for word in known:
        for column in columns:
            if column.strip().lower() == word:
                return column
    raise FercourseError(
        f"{where} has no column {known[0]} (or {', '.join(known[1:])}) among {', '.join(columns)}."
    )


def _classes(metadata: dict[bytes, bytes] | None, label: str) -> list[str] | None:
    """The names of the class numbers, from the JSON that the hub's library leaves in the file."""
    try:
        names = json.loads((metadata or {})[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) else None


def _image(value: Any) -> np.ndarray:
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, str):
        return parsing.pixels(value)
    if not isinstance(value, bytes):
        raise FercourseError("no image in the row")
    return decode(value)
