"""What a recogniser keeps of its accuracy in bad weather: a line of ``results/weather.jsonl``."""

from __future__ import annotations

import string
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fercourse.datasets.drawings import present
from fercourse.errors import FercourseError
from fercourse.runs.book import Book
from fercourse.weather import SEVERITIES

_DIGITS = string.digits + string.ascii_lowercase
"""Of :attr:`WeatherRow.hits`: 0 to 35."""


@dataclass(frozen=True, kw_only=True)
class WeatherRow:
    """One recogniser, judged on one test split in every weather, after one cure or none.

    Attributes:
        run: Key of the training run, in the ledger.
        variant: "model6", "model6-fog" (trained with fog), or a shallow method's name, "hog".
        recipe: How it was trained, for people; recognisers of one recipe are compared.
        seed: Of the training run.
        dataset: "fer2013" or "synthetic".
        fingerprint: Of the data set.
        n: Faces.
        cure: What was done to each face first: "none", or of :data:`fercourse.weather.CURES`.
        clear: Faces answered rightly as they are.
        right: By corruption, the faces answered rightly at each severity.
        hits: A character a face: how many of its corrupted copies were answered rightly, 0 to 9
            and then a to z. From it follow intervals over faces.
        weather: Seed of the corruptions.
        commit: Revision of the code, and whether it was changed since.
        versions: Of python, torch, torchvision, fercourse.
    """

    run: str
    variant: str
    recipe: str
    seed: int
    dataset: str
    fingerprint: str
    n: int
    cure: str
    clear: int
    right: dict[str, list[int]]
    hits: str
    weather: int = 0
    commit: dict[str, Any] | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.hits) != self.n or not 0 <= self.clear <= self.n:
            raise FercourseError(f"{self.clear} and {len(self.hits)} are no counts of {self.n}.")
        if any(
            len(r) != len(SEVERITIES) or max(r) > self.n or min(r) < 0 for r in self.right.values()
        ):
            raise FercourseError("right has not five counts of faces for each corruption.")
        total = sum(map(sum, self.right.values()))
        if total != self.per_face.sum():
            raise FercourseError(f"hits and right count {self.per_face.sum()} and {total}.")

    @property
    def identity(self) -> Hashable:
        """What the book holds once."""
        return self.run, self.variant, self.cure, self.faces, self.weather

    @property
    def faces(self) -> str:
        """The fingerprint of the faces as they are drawn now."""
        return present(self.fingerprint)

    @property
    def per_face(self) -> np.ndarray:
        """int (N,): how many of each face's corrupted copies were answered rightly."""
        return np.array([_DIGITS.index(c) for c in self.hits])

    @property
    def copies(self) -> int:
        """Corrupted copies of each face."""
        return len(SEVERITIES) * len(self.right)

    @property
    def accuracy(self) -> float:
        """In clear air, in [0, 1]."""
        return self.clear / self.n

    @property
    def bad(self) -> float:
        """Mean accuracy over all corruptions and severities, in [0, 1]."""
        return sum(map(sum, self.right.values())) / (self.copies * self.n)

    def curve(self, corruption: str) -> list[float]:
        """Accuracy at severity 0 (clear air) to 5, each in [0, 1]."""
        return [self.accuracy, *(count / self.n for count in self.right[corruption])]

    def mean(self, kind: str) -> float:
        """Mean accuracy over the severities of a corruption, or in "clear" air; in [0, 1]."""
        return self.accuracy if kind == "clear" else float(np.mean(self.curve(kind)[1:]))


class WeatherBook(Book[WeatherRow]):
    """Weather rows in a file of JSON lines, by default ``weather.jsonl`` beside the ledger."""

    kind, name = WeatherRow, "weather.jsonl"


def digits(counts: Sequence[int] | np.ndarray) -> str:
    """:attr:`WeatherRow.hits` of counts from 0 to 35."""
    return "".join(_DIGITS[int(count)] for count in counts)
