"""FER2013 as the model hub's copies store it: parquet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.fer2013.records import (
    Columns,
    columns_of,
    finder,
    image_in,
    label_in,
    numbering,
)
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError
from fercourse.labels import Expression

_BATCH = 1024  # rows held as Python objects at a time


def read_parquet(archive: Archive, names: list[str]) -> Table:
    """A column of images (encoded, as numbers, as text or as paths) and one of classes.

    Instead of the second there may be a column an expression. A column ``usage`` goes before the
    split in the file's name or folder. Classes may be numbers whose meaning stands in the file's
    metadata: the hub numbers classes alphabetically where they came from folders, so that 4 is
    neutral there.
    """
    rows = Collector(str(archive.path), "parquet")
    told = set()
    for name in _once(archive, sorted(names), rows):
        where = str(archive.path) if archive.names == [name] else f"{archive.path}: {name}"
        in_name = parsing.split_of(name)
        find = finder(archive, name)
        with archive.open(name) as stream:
            columns, cells = _opened(stream, where)
            stated = numbering(cells, columns, archive, where)
        with archive.open(name) as stream:
            _, cells = _opened(stream, where)
            for number, row in enumerate(parsing.progress(cells, f"decoding {name}"), start=1):
                at = f"{name}, row {number}"
                try:
                    label = label_in(row, columns, stated)
                    named = in_name if columns.usage is None else parsing.usage(row[columns.usage])
                    image = image_in(row, columns, find)
                except FercourseError as bad:
                    rows.skip(at, bad)
                    continue
                if named:
                    told.add(named)
                split, official = named or ("", False)
                id = f"{name}:{number}"
                rows.add(image, label, split=split, official=official, id=id, where=at)
    lacks, notes = parsing.lacking(str(archive.path), told)
    rows.notes += notes
    return rows.table("fer2013", lacks)


def _once(archive: Archive, names: list[str], rows: Collector) -> Iterator[str]:
    """Those of several files that are not another's copy."""
    seen: dict[object, str] = {}
    for name in names:
        if len(names) > 1:
            code = parsing.split_of(name), hashlib.sha256(archive.read(name)).digest()
            if code in seen:
                rows.notes.append(f"{name} was passed over: it is a copy of {seen[code]}.")
                continue
            seen[code] = name
        yield name


def _opened(stream: BinaryIO, where: str) -> tuple[Columns, Iterator[list[Any]]]:
    """What the cells of a row are, and all rows."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise FercourseError(
            f"Reading {where} needs pyarrow: pip install 'fercourse[data]'."
        ) from None
    broken = (pa.ArrowException, OSError, ValueError, OverflowError)
    try:
        file = pq.ParquetFile(stream)
        names, facts = file.schema_arrow.names, file.schema_arrow.metadata
    except broken as error:
        raise _damaged(where, error) from error
    columns = columns_of(names)
    if isinstance(columns, str):
        raise FercourseError(f"{where} has no column {columns} among {', '.join(names)}.")
    if isinstance(columns.label, int):
        order = _classes(facts, names[columns.label]) or columns.order
        columns = replace(columns, order=order)

    def rows() -> Iterator[list[Any]]:
        try:
            for batch in file.iter_batches(batch_size=_BATCH):
                yield from ([row[name] for name in names] for row in batch.to_pylist())
        except broken as error:
            raise _damaged(where, error) from error

    return columns, rows()


def _damaged(where: str, error: Exception) -> FercourseError:
    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    return FercourseError(f"{where} is not a readable parquet file: {reason}.")


def _classes(metadata: Mapping[bytes, bytes] | None, label: str) -> dict[int, Expression] | None:
    """What class numbers stand for, from the JSON that the hub's library leaves in the file."""
    try:
        info = json.loads((metadata or {})[b"huggingface"])["info"]
        return {k: Expression.parse(n) for k, n in enumerate(info["features"][label]["names"])}
    except (KeyError, TypeError, ValueError, FercourseError):
        return None
