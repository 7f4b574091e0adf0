"""A measured method that does not learn its features: a kind of row of its own in the ledger."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from fercourse.datasets.data_config import DataConfig
from fercourse.errors import FercourseError
from fercourse.runs.measured import Measured


@dataclass(frozen=True, kw_only=True)
class ShallowRow(Measured):
    """A shallow method; what :class:`Measured` does not say already:

    Attributes:
        method: One of :data:`fercourse.shallow.METHODS`.
        data_config: The DataConfig as a dict.
        settings: Of the method: "features", "classifier", and the "strengths" it chose among.
        strength: The chosen one.
        dimensions: Numbers a face.
        parameters: Numbers that the classifier learned.
        seconds_features: Of ``seconds``, for the features of the training and validation split;
            what an earlier seed had found already took no time.
        faces_per_second: Of the test split, from pixels to answers, on this device; None where an
            earlier seed had found its features already.
    """

    method: str
    data_config: dict[str, Any]
    settings: dict[str, Any]
    strength: float
    dimensions: int
    parameters: int
    seconds_features: float
    faces_per_second: float | None = None

    @property
    def data(self) -> DataConfig:
        """The data set as it was loaded."""
        return DataConfig(**self.data_config)

    @property
    def experiment(self) -> tuple[str, ...]:
        """Method, settings and data set, without seed and fold."""
        return self._without("fold", "seed") if self.folded else self._without("fold")

    @property
    def cross_validation(self) -> tuple[str, ...]:
        """Method, settings, seed and data set, without the fold."""
        return (*self._without("fold"), str(self.seed))

    def _without(self, *names: str) -> tuple[str, ...]:
        kept = {k: v for k, v in asdict(self.data).items() if k not in names}
        return self.method, *(json.dumps(v, sort_keys=True) for v in (self.settings, kept))

    def problems(self) -> list[str]:
        """What contradicts itself in this row, one phrase each; empty if nothing does."""
        found = super().problems()
        try:
            data = self.data
        except (FercourseError, TypeError) as error:
            return [*found, f"its data_config cannot be read: {error}"]
        expected = shallow_key(self.method, data, self.settings, self.seed)
        if self.key != expected:
            found.append(f"key {self.key} is not that of what it says, {expected}")
        if data.name != self.dataset:
            found.append(f"dataset {self.dataset!r} is not its data_config's, {data.name!r}")
        if self.strength not in self.settings.get("strengths", ()):
            found.append(f"strength {self.strength} is none of those it chose among")
        return found


def shallow_key(method: str, data: DataConfig, settings: dict[str, Any], seed: int) -> str:
    """Names a run, "hog-0123456789ab-0": of the data set only what differs from the defaults."""
    plain = asdict(DataConfig())
    changed = {name: v for name, v in asdict(data).items() if v != plain[name]}
    text = json.dumps([changed, settings], sort_keys=True)
    return f"{method}-{hashlib.sha256(text.encode()).hexdigest()[:12]}-{seed}"
