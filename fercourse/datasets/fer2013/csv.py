"""fer2013.csv (emotion,pixels,Usage) and icml_face_data.csv (emotion, Usage, pixels)."""

from __future__ import annotations

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError

_COLUMNS = ("emotion", "pixels", "usage")


def read_csv(archive: Archive, name: str) -> Table:
    """One line an image: a class number, 2,304 grey values, and the usage, in any order.

    No field of the file holds a comma or a line break, so lines are cut without a csv parser's
    memory of open quotes: a stray quote costs its own row only.
    """
    where = str(archive.path) if archive.names == [name] else f"{archive.path}: {name}"
    rows = Collector(where, "csv")
    with archive.open(name) as file:
        header = _fields(file.readline().decode("utf-8-sig", "replace").lower())
        missing = sorted(set(_COLUMNS) - set(header))
        if missing:
            raise FercourseError(
                f"{where} has no column {', '.join(missing)} in line 1; FER2013 has emotion, "
                "pixels and Usage (the contest's own train.csv and test.csv lack some)."
            )
        emotion, pixels, usage = (header.index(column) for column in _COLUMNS)
        for number, line in enumerate(parsing.progress(file, f"reading {name}"), start=2):
            text = line.decode("utf-8", "replace")
            if not text.strip():
                continue
            fields = _fields(text)
            try:
                if len(fields) != len(header):
                    raise FercourseError(f"{len(fields)} fields instead of {len(header)}")
                label = parsing.label(fields[emotion])
                image = parsing.pixels(fields[pixels])
                split = parsing.usage(fields[usage])
            except FercourseError as bad:
                rows.skip(f"line {number}", bad)
            else:
                rows.add(image, label, split=split, id=str(number), where=f"line {number}")
    return rows.table("fer2013")


def _fields(line: str) -> list[str]:
    return [field.strip().strip('"').strip() for field in line.split(",")]
