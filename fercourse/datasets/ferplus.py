"""FER+ (Barsoum et al. 2016): FER2013's faces, each labelled anew by ten people."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import VOTES, parsing
from fercourse.datasets.fer2013.sheets import choose, looked_into, read_sheets
from fercourse.datasets.fer2013.text import fields, lines, separator
from fercourse.datasets.table import Table
from fercourse.errors import FercourseError
from fercourse.labels import Expression

_NO_FACE = ("unknown", "nf")
"""Votes for no expression, and for no face."""


def read(archive: Archive) -> Table | None:
    """``fer2013new.csv``, whose rows are those of the ``fer2013.csv`` beside it, in its order.

    A face's label is the expression with most votes, as in the paper's "majority voting". Faces of
    which most say that they cannot tell, or that there is no face, are left out, and so are those
    of a tie.

    Returns:
        None where there is no such file.

    Raises:
        FercourseError: FER2013's own rows are not there, or not the same.
    """
    named = [name for name in archive.names if name.lower().endswith(VOTES)]
    if not named:
        return None
    sheets = [
        looked_into(archive, name)
        for name in archive.names
        if name.lower().endswith(".csv") and name not in named
    ]
    chosen, _ = choose(sheets)
    if not chosen or chosen[0].columns is None or chosen[0].columns.usage is None:
        raise FercourseError(
            f"{archive.path} has FER+'s votes but no faces: put fer2013.csv, or icml_face_data.csv,"
            f" beside {named[0]}."
        )
    faces = read_sheets(archive, chosen[:1], [])
    first = 1 + chosen[0].header  # the line of the first face
    rows = np.array([int(id) - first for id in faces.ids])
    usages, votes = _votes(archive, named[0])
    if len(usages) <= rows.max() or faces.splits is None:
        raise FercourseError(
            f"{named[0]} has {len(usages):,} rows, {chosen[0].name} more: they are not of one copy."
        )
    other = np.flatnonzero(np.array(usages)[rows] != faces.splits)
    if len(other):
        raise FercourseError(
            f"{named[0]} and {chosen[0].name} differ in the usage of {len(other):,} rows, first in "
            f"line {rows[other[0]] + 2}: they are not of one copy."
        )
    votes = votes[rows]
    return _labelled(faces, votes)


def _labelled(faces: Table, votes: np.ndarray) -> Table:
    """The faces of which most people say one thing.

    Args:
        faces: Of FER2013.
        votes: float32 (N, 10): eight expressions in label order, then :data:`_NO_FACE`.
    """
    sorted_ = np.sort(votes, axis=1)
    tie = sorted_[:, -1] == sorted_[:, -2]
    most = votes.argmax(1)
    left = Counter(
        "a tie" if tied else "no expression"
        for tied, winner in zip(tie, most, strict=True)
        if tied or winner >= len(Expression)
    )
    keep = ~tie & (most < len(Expression))
    if not keep.any():
        raise FercourseError(f"{faces.report.source}: no face has votes for one expression.")
    kept = replace(faces.at(keep), name="ferplus", labels=most[keep].astype(np.int64))
    said = " and ".join(f"{count:,} whose votes say {why}" for why, count in left.items())
    notes = [f"FER+'s votes: left out {said}."] if left else []
    return replace(kept, votes=votes[keep, : len(Expression)]).with_notes(notes)


def _votes(archive: Archive, name: str) -> tuple[list[str], np.ndarray]:
    """Splits, and votes float32 (N, 10), of every row."""
    with archive.open(name) as stream:
        head = stream.read(2**12)
    with archive.open(name) as stream:
        every = lines(stream, head)
        _, first = next(every, (1, ""))
        sep = separator(first)
        names = [field.lower() for field in fields(first, sep)]
        places = {word: names.index(word) for word in _NO_FACE if word in names}
        for k, word in enumerate(names):
            try:
                places[Expression.parse(word).name] = k
            except FercourseError:
                continue
        order = [*(e.name for e in Expression), *_NO_FACE]
        missing = [word.lower() for word in order if word not in places]
        if missing or "usage" not in names:
            raise FercourseError(
                f"{name} has no column {', '.join(missing) or 'usage'} in line 1: it is not FER+'s."
            )
        usages, votes = [], []
        for number, line in every:
            row = fields(line, sep)
            try:
                usages.append(parsing.usage(row[names.index("usage")])[0])
                votes.append([float(row[places[word]]) for word in order])
            except (FercourseError, ValueError, IndexError):
                raise FercourseError(
                    f"{name}, line {number}: votes cannot be read, and all rows behind it would "
                    "be another face's; download it again."
                ) from None
    return usages, np.array(votes, dtype=np.float32).reshape(-1, len(order))
