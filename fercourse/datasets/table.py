"""What every reader fills: one row an image, and one sentence for each that had to be left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch

from fercourse.datasets.faces import ReadReport
from fercourse.errors import FercourseError
from fercourse.images import resize

TOLERATED = 0.01
"""Share of rows or files that may be bad before reading is an error."""

LARGEST = 224
"""Shorter side of an image as it is kept, pixels: the paper's input size."""


@dataclass(frozen=True)
class Table:
    """A data set as it lies on disk, before it is cut into splits.

    Attributes:
        name: "fer2013", "ckplus" or "ferplus".
        images: uint8 (N, H, W).
        labels: int64 (N,), values of :class:`fercourse.Expression`.
        splits: str (N,), "train", "val" or "test", "" where an image is in none; None where no
            image is in any.
        subjects: str (N,), or None.
        ids: str (N,).
        report: What was met on the way.
        lacks: Why its splits are not the data set's own, a sentence; "" where they are, or where
            it has none (CK+).
        votes: float32 (N, 8), how many people saw which expression; None where one label is all.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    splits: np.ndarray | None
    subjects: np.ndarray | None
    ids: np.ndarray
    report: ReadReport
    lacks: str = ""
    votes: np.ndarray | None = None

    def with_notes(self, notes: Iterable[str]) -> Table:
        """The same with more to say of it."""
        report = replace(self.report, notes=(*self.report.notes, *notes))
        return replace(self, report=report)

    def at(self, rows: np.ndarray) -> Table:
        """The rows of an index or a mask."""
        names = ("images", "labels", "splits", "subjects", "ids", "votes")
        arrays = {name: getattr(self, name) for name in names}
        return replace(self, **{n: None if v is None else v[rows] for n, v in arrays.items()})


class _Row(NamedTuple):
    image: np.ndarray
    label: int
    id: str
    split: str
    official: bool
    subject: str
    where: str


@dataclass
class Collector:
    """Takes rows one by one, good or bad, and makes the :class:`Table`."""

    source: str
    layout: str
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _rows: list[_Row] = field(default_factory=list)
    _repeated: list[str] = field(default_factory=list)
    _reduced: int = 0

    def add(
        self,
        image: np.ndarray,
        label: int,
        *,
        id: str,
        where: str,
        split: str = "",
        official: bool = True,
        subject: str = "",
    ) -> None:
        """Keep one image, uint8 (H, W).

        Args:
            image: One larger than :data:`LARGEST` is reduced to it at once.
            label: Of :class:`fercourse.Expression`.
            id: See :class:`fercourse.datasets.faces.Faces`.
            where: Its line or path, for the case that it is refused later.
            split: See :class:`Table`.
            official: Whether the split is told in the data set's own words.
            subject: Who is shown.
        """
        if min(image.shape) > LARGEST:
            image = _scaled(image, LARGEST)
            self._reduced += 1
        self._rows.append(_Row(image, int(label), id, split, official, subject, where))

    def skip(self, where: str, why: object) -> None:
        """Leave one row out, and remember the sentence.

        Raises:
            FercourseError: Nearly all have been left out so far, and they are many.
        """
        self.skipped.append(f"{where}: {str(why).rstrip('.')}.")
        if len(self.skipped) > 2000 + 10 * len(self._rows):
            raise self._refusal(len(self._rows) + len(self.skipped))

    def repeat(self, where: str, twin: str = "") -> None:
        """Leave one row out that is there already."""
        self._repeated.append(f"{where}, a copy of {twin}" if twin else where)

    def table(self, name: str, lacks: str = "") -> Table:
        """Everything collected.

        Raises:
            FercourseError: No row was readable, or more than 1 % were not.
        """
        self._drop_doubtful()
        rows, total = self._rows, len(self._rows) + len(self.skipped)
        if not rows or len(self.skipped) > TOLERATED * total:
            raise self._refusal(total)
        images = self._of_one_size([row.image for row in rows])
        if self._repeated:
            self.notes.append(
                f"{len(self._repeated):,} images are there a second time and count once, such as "
                f"{self._repeated[0]}."
            )
        splits, subjects = ([getattr(row, n) for row in rows] for n in ("split", "subject"))
        return Table(
            name=name,
            images=np.stack(images),
            labels=np.array([row.label for row in rows], dtype=np.int64),
            splits=np.array(splits) if any(splits) else None,
            subjects=np.array(subjects) if any(subjects) else None,
            ids=np.array([row.id for row in rows]),
            report=ReadReport(
                self.source,
                self.layout,
                read=len(rows),
                skipped=tuple(self.skipped),
                notes=tuple(self.notes),
                size=images[0].shape,
            ),
            lacks=lacks,
        )

    def _refusal(self, total: int) -> FercourseError:
        first = " ".join(self.skipped[:3])
        return FercourseError(
            f"{self.source}: {len(self.skipped):,} of {total:,} images could not be read, "
            f"more than {TOLERATED:.0%}; is it a complete copy? The first: {first}"
            if self.skipped
            else f"{self.source} ({self.layout}) holds no images."
        )

    def _drop_doubtful(self) -> None:
        """Where the contest's words are, a mere "test" may be PublicTest or PrivateTest."""
        if not any(row.official and row.split in ("val", "test") for row in self._rows):
            return
        for row in self._rows:
            if row.split in ("val", "test") and not row.official:
                self.skip(row.where, "whether it is of PublicTest or PrivateTest is not told")
        self._rows = [r for r in self._rows if r.official or r.split not in ("val", "test")]

    def _of_one_size(self, images: list[np.ndarray]) -> list[np.ndarray]:
        """The images in the size that most have; the others are scaled to it, and it is said."""
        sizes = Counter(image.shape for image in images)
        (height, width), most = sizes.most_common(1)[0]
        if self._reduced:
            self.notes.append(f"{self._reduced:,} images of more than {LARGEST} pixels are scaled.")
        if len(sizes) == 1:
            return images
        side = min(height, width)
        others = ", ".join(f"{w}x{h}" for (h, w), _ in sizes.most_common(4)[1:])
        self.notes.append(
            f"Of mixed sizes: {len(images) - most:,} of {len(images):,} images ({others}"
            f"{', ...' if len(sizes) > 4 else ''}) are scaled to {side}x{side}."
        )
        return [image if image.shape == (side, side) else _scaled(image, side) for image in images]


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    """uint8 (H, W) to (side, side), as :func:`fercourse.images.resize` does."""
    return resize(torch.from_numpy(image.copy())[None], side)[0].numpy()
