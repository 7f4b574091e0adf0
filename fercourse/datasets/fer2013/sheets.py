"""csv in its kinds: the contest's ``emotion,pixels,Usage``, pixels in columns, or paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.fer2013.records import (
    Columns,
    columns_by_content,
    columns_of,
    finder,
    image_in,
    label_in,
    numbering,
)
from fercourse.datasets.fer2013.text import fields, lines, separator
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError

_CONTEST = ("fer2013.csv", "icml_face_data.csv")
_HEAD = 2**16


@dataclass(frozen=True)
class Sheet:
    """A csv that was looked into.

    Attributes:
        name: In its archive.
        head: What it begins with.
        sep: What parts its fields.
        columns: What they are; None where the first line does not tell.
        count: Of fields in a row.
        header: Whether the first line names the columns.
        missing: Which columns are not there; "" where it can be read.
    """

    name: str
    head: bytes
    sep: str
    columns: Columns | None
    count: int
    header: bool
    missing: str = ""

    @property
    def split(self) -> tuple[str, bool] | None:
        """What the file's name says: "train.csv"."""
        return parsing.split_of(self.name)


def looked_into(archive: Archive, name: str) -> Sheet:
    """What a csv of an archive holds, by its first row."""
    with archive.open(name) as stream:
        head = stream.read(_HEAD)
    with archive.open(name) as stream:
        first = next(lines(stream, head), (1, ""))[1]
    sep = separator(first)
    try:
        row = fields(first, sep)
    except FercourseError:
        row = []
    columns = columns_of(row)
    if isinstance(columns, Columns):
        return Sheet(name, head, sep, columns, len(row), header=True)
    if by_content := columns_by_content(row):
        return Sheet(name, head, sep, by_content, len(row), header=False)
    return Sheet(name, head, sep, None, len(row), header=True, missing=columns)


def choose(sheets: list[Sheet]) -> tuple[list[Sheet], list[str]]:
    """Those of an archive's csv files that make the data set, and a note on each of the others.

    The contest's own files first; else one that says what each row is for; else all whose names
    do (train.csv, test.csv); else the first.
    """
    usable = [sheet for sheet in sheets if not sheet.missing]
    contest = [s for s in usable if s.name.rpartition("/")[2].lower() in _CONTEST]
    contest.sort(key=lambda s: (_CONTEST.index(s.name.rpartition("/")[2].lower()), s.name))
    whole = [s for s in (*contest, *usable) if s.columns and s.columns.usage is not None]
    named = {sheet.split: sheet for sheet in reversed(usable) if sheet.split}
    chosen = whole[:1] or list(named.values())[::-1] or usable[:1]
    notes = [
        f"{sheet.name} was passed over: "
        + (f"it has no column {sheet.missing}." if sheet.missing else "one file is enough.")
        for sheet in sheets
        if sheet not in chosen
    ]
    return chosen, notes


def read_sheets(archive: Archive, chosen: list[Sheet], notes: list[str]) -> Table:
    """One line an image.

    Raises:
        FercourseError: Classes are numbered and nobody said how, or too many rows are bad.
    """
    one = [sheet.name for sheet in chosen] == archive.names
    places = {s.name: str(archive.path) if one else f"{archive.path}: {s.name}" for s in chosen}
    rows = Collector(str(archive.path) if len(chosen) > 1 else places[chosen[0].name], "csv")
    rows.notes += notes
    told: set[tuple[str, bool]] = set()
    for sheet in chosen:
        columns = sheet.columns
        assert columns is not None
        stated = numbering(_good(archive, sheet), columns, archive, places[sheet.name])
        find = finder(archive, sheet.name)
        for number, row in parsing.progress(_rows(archive, sheet, rows), f"reading {sheet.name}"):
            where = f"line {number}" if len(chosen) == 1 else f"{sheet.name}, line {number}"
            try:
                if isinstance(row, FercourseError):
                    raise row
                label = label_in(row, columns, stated)
                named = sheet.split
                if columns.usage is not None:
                    named = parsing.usage(row[columns.usage])
                image = image_in(row, columns, find)
            except FercourseError as bad:
                rows.skip(where, bad)
                continue
            split, official = named or ("", False)
            if named:
                told.add(named)
            id = str(number) if len(chosen) == 1 else f"{sheet.name}:{number}"
            rows.add(image, label, split=split, official=official, id=id, where=where)
    lacks, more = parsing.lacking(rows.source, told)
    rows.notes += more
    return rows.table("fer2013", lacks)


def _rows(
    archive: Archive, sheet: Sheet, rows: Collector
) -> Iterator[tuple[int, list[str] | FercourseError]]:
    """Every row behind the names of the columns, or why it is none."""
    seen: set[int] | None = None
    with archive.open(sheet.name) as stream:
        every = lines(stream, sheet.head)
        names = next(every)[1] if sheet.header else None
        kept: list[int] = []
        for number, line in every:
            if line == names:  # two files written behind one another
                seen = set(kept)
                rows.notes.append(f"From line {number} on, it begins anew: equal rows count once.")
                continue
            code = hash(line)
            if seen is None:
                kept.append(code)
            elif code in seen:
                rows.repeat(f"line {number}")
                continue
            yield number, _fields(line, sheet)


def _fields(line: str, sheet: Sheet) -> list[str] | FercourseError:
    try:
        row = fields(line, sheet.sep)
    except FercourseError as bad:
        return bad
    if len(row) != sheet.count:
        return FercourseError(f"{len(row)} fields instead of {sheet.count}")
    return row


def _good(archive: Archive, sheet: Sheet) -> Iterator[list[str]]:
    """The rows of a sheet, without those that are none."""
    for _, row in _rows(archive, sheet, Collector("", "")):
        if not isinstance(row, FercourseError):
            yield row
