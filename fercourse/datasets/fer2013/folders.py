"""FER2013 as folders of images, on disk or inside a zip."""

from __future__ import annotations

import re

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError
from fercourse.images import decode


def read_folders(archive: Archive) -> Table:
    """``<split>/<class>/<Usage>_<number>.jpg``, with or without folders above.

    The usage in the file name decides. Without it the folders must: Training, PublicTest and
    PrivateTest, or train, val and test.
    """
    source = str(archive.path)
    rows = Collector(source, "zip of folders" if archive.path.is_file() else "folders")
    splits = {n: found for n in archive.names if (found := parsing.split_of(n))}
    names = sorted(splits, key=_natural)
    rows.notes += parsing.require_official(source, set(splits.values()))
    for name in parsing.progress(names, f"decoding {archive.path.name}"):
        split, official = splits[name]
        kind, file = f"/{name}".split("/")[-2:]
        try:
            label = parsing.label(kind)
            image = decode(archive.read(name))
        except FercourseError as bad:
            rows.skip(name, bad)
        else:
            # With the class: the numbers are random, and two classes share a few.
            id = f"{kind}/{file.rpartition('.')[0]}" if official else name
            rows.add(image, label, split=split, id=id, where=name)
    return rows.table("fer2013")


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sort by file name, numbers as numbers: the same order whatever the folders are called."""
    parts = re.split(r"([0-9]+)", name.rpartition("/")[2])
    return [int(part) if part.isdecimal() else part for part in parts], name
