"""Speeds measured side by side in one run: ``results/bench.json``, which ``make bench`` writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fercourse.errors import FercourseError


class Spread(NamedTuple):
    """A ratio that was measured pair by pair.

    Attributes:
        median: Of the pairs.
        low: A quarter of the pairs lies below.
        high: A quarter lies above.
        pairs: How many there are.
    """

    median: float
    low: float
    high: float
    pairs: int


def spread(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """The ratios of two things that took turns; a pair each turn, so that both met one machine."""
    if len(numerators) != len(denominators) or not numerators:
        raise FercourseError(
            f"{len(numerators)} and {len(denominators)} times are no pairs to compare."
        )
    ratios = np.array(numerators) / np.array(denominators)
    low, median, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    return Spread(float(median), float(low), float(high), len(ratios))


@dataclass(frozen=True)
class Ratio:
    """How many times as fast one thing is as another.

    Attributes:
        part: What is compared; a section of the page.
        ours: One thing, in words.
        other: What it took turns with.
        unit: What it makes, such as "faces".
        rate: Of ours, in that unit a second.
        faster: The other's time over ours: above 1, ours is the faster. None where the other
            could not be measured.
        aim: What ``faster`` should be at least; None where nothing was aimed at.
        lacking: Why the other was not measured.
    """

    part: str
    ours: str
    other: str
    unit: str
    rate: float
    faster: Spread | None
    aim: float | None = None
    lacking: str = ""

    @property
    def verdict(self) -> str:
        """Whether the aim was met; where it lies within the middle half of the pairs, nobody knows.

        Raises:
            FercourseError: There is no aim, or no measurement.
        """
        if self.aim is None or self.faster is None:
            raise FercourseError(f"{self.ours} against {self.other}: no aim, or not measured.")
        if self.faster.low >= self.aim:
            return "met"
        return "not met" if self.faster.high < self.aim else "undecided"


@dataclass(frozen=True)
class Memory:
    """The most memory that a step took, in a process of its own, megabytes.

    Attributes:
        use: "training" or "prediction".
        batch: Faces in the step.
        full_model: What the paper's framework took.
        bare_trunk: What its backbone alone took.
    """

    use: str
    batch: int
    full_model: float
    bare_trunk: float


@dataclass(frozen=True)
class Growth:
    """How the time of something grows with one number.

    Attributes:
        by: That number: "size", "width", "batch" or "faces".
        use: What is timed: "training", "prediction" or "reading".
        reference: The value whose time counts as 1.
        setting: Everything else, in words.
        points: The values, ascending, and the time of each over the reference's: of one face, or
            where photographs are read, of one photograph.
    """

    by: str
    use: str
    reference: float
    setting: str
    points: tuple[tuple[float, Spread], ...]

    @property
    def exponent(self) -> float:
        """The p of ``time ~ value^p``: the slope of a straight line through the logarithms."""
        values, times = zip(*((value, s.median) for value, s in self.points), strict=True)
        return float(np.polyfit(np.log(values), np.log(times), 1)[0])

    @property
    def each(self) -> float:
        """What one more adds to the time, of the reference's: the slope of a straight line."""
        values, times = zip(*((value, s.median) for value, s in self.points), strict=True)
        return float(np.polyfit(values, times, 1)[0])


@dataclass(frozen=True)
class Performance:
    """What one run of ``make bench`` found.

    Attributes:
        about: The machine, versions and settings.
        ratios: One thing against another, in the order of the page.
        memory: Peaks.
        growth: How cost grows.
    """

    about: dict[str, Any]
    ratios: tuple[Ratio, ...]
    memory: tuple[Memory, ...]
    growth: tuple[Growth, ...]

    def grown(self, by: str) -> list[Growth]:
        """All that was timed against one number."""
        return [growth for growth in self.growth if growth.by == by]

    def to_json(self) -> str:
        """As it is stored; numbers keep four digits."""
        return json.dumps(_rounded(asdict(self)), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Performance:
        """Inverse of :meth:`to_json`."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        ratios = [
            Ratio(**row | {"faster": row["faster"] and Spread(*row["faster"])})
            for row in stored["ratios"]
        ]
        growth = [
            Growth(**row | {"points": tuple((x, Spread(*s)) for x, s in row["points"])})
            for row in stored["growth"]
        ]
        memory = [Memory(**row) for row in stored["memory"]]
        return cls(stored["about"], tuple(ratios), tuple(memory), tuple(growth))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(v) for name, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value
