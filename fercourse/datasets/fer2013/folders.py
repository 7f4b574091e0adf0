"""FER2013 as folders of images, on disk or packed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from posixpath import splitext
from typing import NamedTuple

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError
from fercourse.images import ENDINGS, decode, looks_like_image
from fercourse.labels import Expression, expression_in

_COPY = re.compile(r"(?<=\d)( \(\d+\)| ?- ?copy( \(\d+\))?|[ _]copy( \d+)?)$", re.I)
"""What programs put behind the name of a file that is there already."""


class Picture(NamedTuple):
    """An image file, and what its path tells.

    Attributes:
        name: In the archive.
        split: "train", "val", "test", or "" where it tells none.
        official: Whether in the contest's words.
        kind: The folder that names its class, or its class as its own name tells it.
        stem: What it is called: the contest's number, or its path below the class's folder.
    """

    name: str
    split: str
    official: bool
    kind: str
    stem: str


def read_folders(archive: Archive, names: list[str]) -> Table:
    """``<split>/<class>/<Usage>_<number>.jpg``, with or without folders above.

    The usage in the file name decides. Without it the folders must: Training, PublicTest and
    PrivateTest, or train, val and test. The class is the nearest folder that names one, or else
    the word in the file's name that does.

    Several files of one image count once: those whose split, class and name agree, and of those
    that the contest has not named, whose bytes do. (The contest has some images twice itself,
    under two numbers; these stay.)

    Args:
        archive: Where they are.
        names: The images in it.
    """
    source = str(archive.path)
    rows = Collector(source, "folders" if archive.path.is_dir() else "packed folders")
    pictures = [told(name) for name in sorted(names, key=_natural)]
    if any(picture.split for picture in pictures):
        outside = [picture.name for picture in pictures if not picture.split]
        pictures = [picture for picture in pictures if picture.split]
        if outside:
            rows.notes.append(f"Passed over: {_some(outside)}, outside the folders of the splits.")
    codes = {n for p in pictures if (n := parsing.as_number(p.kind)) is not None}
    numbers = parsing.order_of(codes, archive.numbers, source)
    words, seen, splits_of = Counter(), {}, {}
    # The contest's own names first: the others may be copies of them.
    pictures.sort(key=lambda picture: not picture.official)
    mixed = not all(picture.official for picture in pictures)
    for picture in parsing.progress(pictures, f"decoding {archive.path.name}"):
        try:
            label = parsing.label(picture.kind, numbers)
            known = (picture.split, label, picture.stem)
            if known in seen:
                rows.repeat(picture.name, seen[known])
                continue
            data = archive.read(picture.name)
            if mixed:
                code = hashlib.sha256(data).digest()
                same = (label, code, "" if picture.official else picture.split)
                twin = seen.get(same) or seen.get((label, code, ""))
                if twin and not picture.official:
                    rows.repeat(picture.name, twin)
                    continue
                seen[same] = picture.name
                splits_of.setdefault(code, set()).add((label, picture.split))
            image = decode(data)
        except FercourseError as bad:
            rows.skip(picture.name, bad)
            continue
        seen[known] = picture.name
        words[picture.split, picture.official] += 1
        # With the class: the numbers are random, and two classes share a few.
        folder = f"/{picture.name}".split("/")[-2]
        id = f"{folder}/{picture.stem}" if picture.official else picture.name
        rows.add(image, label, split=picture.split, official=picture.official, id=id,
                 where=picture.name)  # fmt: skip
    if twice := sum(len(places) > 1 for places in splits_of.values()):
        rows.notes.append(
            f"{twice:,} images are in more than one class or split, byte for byte, and stay there."
        )
    lacks, notes = parsing.lacking(source, {key for key in words if key[0]})
    rows.notes += notes
    return rows.table("fer2013", lacks)


def images_in(archive: Archive) -> tuple[list[str], list[str]]:
    """Names of the images of an archive, and of what is none.

    An ending that nobody knows is looked behind; texts, tables and the like are none.
    """
    images, others = [], []
    for name in archive.names:
        ending = splitext(name)[1].lower()
        found = ending in ENDINGS or (ending not in _OTHER and _is_image(archive, name))
        (images if found else others).append(name)
    return images, others


_OTHER = {
    *(".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".html", ".pdf", ".doc"),
    *(".docx", ".xls", ".xlsx", ".py", ".ipynb", ".db", ".ini", ".npy", ".npz", ".pkl", ".h5"),
    *(".pt", ".pth", ".mat", ".zip", ".gz", ".tar", ".rar", ".7z", ".log", ".parquet", ".mp4"),
}
"""Endings that are looked at no further."""


def _is_image(archive: Archive, name: str) -> bool:
    try:
        with archive.open(name) as stream:
            return looks_like_image(stream.read(32))
    except FercourseError:
        return False


def told(name: str) -> Picture:
    """What a path tells of its image."""
    split, official = parsing.split_of(name) or ("", False)
    *folders, file = name.split("/")
    k = next((k for says in (_is_word, _is_number) for k in _last(folders, says)), None)
    if k is not None:
        kind = folders[k]
    elif (found := expression_in(file)) is not None:
        kind = found.name.lower()
    else:
        kind = folders[-1] if folders else ""
    if official:
        return Picture(name, split, True, kind, _COPY.sub("", splitext(file)[0]))
    below = [file] if k is None else [*folders[k + 1 :], file]
    return Picture(name, split, False, kind, "/".join(below))


def _last(folders: list[str], says: Callable[[str], bool]) -> list[int]:
    """The place of the innermost folder of which something holds, if there is one."""
    return [k for k, folder in enumerate(folders) if says(folder)][-1:]


def _is_number(folder: str) -> bool:
    return len(folder) <= 2 and parsing.as_number(folder) is not None


@lru_cache
def _is_word(folder: str) -> bool:
    try:
        return Expression.parse(folder) is not None
    except FercourseError:
        return False


def _some(names: list[str]) -> str:
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3:,} more"


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sort by file name, numbers as numbers: the same order whatever the folders are called."""
    parts = re.split(r"([0-9]+)", name.rpartition("/")[2])
    return [int(part) if part.isdecimal() else part for part in parts], name
