"""What every reader fills: one row an image, and one sentence for each that had to be left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from fercourse.datasets.faces import ReadReport
from fercourse.errors import FercourseError

TOLERATED = 0.01
"""Share of rows or files that may be bad before reading is an error."""


@dataclass(frozen=True)
class Table:
    """A data set as it lies on disk, before it is cut into splits.

    Attributes:
        name: "fer2013" or "ckplus".
        images: uint8 (N, H, W).
        labels: int64 (N,), values of :class:`fercourse.Expression`.
        splits: str (N,), "train", "val" or "test"; None where the reader does not know (CK+).
        subjects: str (N,), or None.
        ids: str (N,).
        report: What was met on the way.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    splits: np.ndarray | None
    subjects: np.ndarray | None
    ids: np.ndarray
    report: ReadReport

    def with_notes(self, notes: Iterable[str]) -> Table:
        """The same with more to say of it."""
        report = replace(self.report, notes=(*self.report.notes, *notes))
        return replace(self, report=report)


@dataclass
class Collector:
    """Takes rows one by one, good or bad, and makes the :class:`Table`."""

    source: str
    layout: str
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _rows: list[tuple[np.ndarray, int, str, str, str, str]] = field(default_factory=list)

    def add(
        self,
        image: np.ndarray,
        label: int,
        *,
        id: str,
        where: str,
        split: str = "",
        subject: str = "",
    ) -> None:
        """Keep one image; ``where`` is its line or path, for the case that it is refused later."""
        self._rows.append((image, int(label), id, split, subject, where))

    def skip(self, where: str, why: object) -> None:
        """Leave one row out, and remember the sentence."""
        self.skipped.append(f"{where}: {str(why).rstrip('.')}.")

    def table(self, name: str) -> Table:
        """Everything collected.

        Raises:
            FercourseError: No row was readable, or more than 1 % were not.
        """
        rows = self._of_one_size()
        total = len(rows) + len(self.skipped)
        if not rows or len(self.skipped) > TOLERATED * total:
            first = " ".join(self.skipped[:3])
            raise FercourseError(
                f"{self.source}: {len(self.skipped):,} of {total:,} images could not be read, "
                f"more than {TOLERATED:.0%}; is it a complete copy? The first: {first}"
                if self.skipped
                else f"{self.source} ({self.layout}) holds no images."
            )
        images, labels, ids, splits, subjects, _ = zip(*rows, strict=True)
        return Table(
            name=name,
            images=np.stack(images),
            labels=np.array(labels, dtype=np.int64),
            splits=np.array(splits) if any(splits) else None,
            subjects=np.array(subjects) if any(subjects) else None,
            ids=np.array(ids),
            report=ReadReport(
                self.source,
                self.layout,
                read=len(rows),
                skipped=tuple(self.skipped),
                notes=tuple(self.notes),
                size=images[0].shape,
            ),
        )

    def _of_one_size(self) -> list[tuple[np.ndarray, int, str, str, str, str]]:
        """The rows of the most common image size; the others are skipped."""
        sizes = Counter(row[0].shape for row in self._rows)
        if len(sizes) < 2:
            return self._rows
        (height, width), _ = sizes.most_common(1)[0]
        for row in self._rows:
            if row[0].shape != (height, width):
                h, w = row[0].shape
                self.skip(row[-1], f"{w}x{h} pixels where the others have {width}x{height}")
        return [row for row in self._rows if row[0].shape == (height, width)]
