"""Predict before you measure: an interval, what came out, and how well one's intervals do.

The score is that of an interval at 80 %, from Gneiting and Raftery (2007): its width, and ten times
the distance by which it misses. Saying "anything" is never wrong, and expensive.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.settings import interactive, predictions_path

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SURE = 0.8
"""How often an interval should hold what is measured."""

UNTOUCHED = (0.0, 100.0)
"""As the lessons have it, until somebody predicts."""


@dataclass
class Prediction:
    """What somebody expects of a measurement.

    Attributes:
        what: Is measured, with its unit.
        low: They are fairly sure (four to one) that it is no less.
        high: Nor more.
        measured: What came out; None before.
    """

    what: str
    low: float
    high: float
    measured: float | None = None

    @property
    def inside(self) -> bool:
        """Whether it held."""
        return self.measured is not None and self.low <= self.measured <= self.high

    @property
    def score(self) -> float:
        """Width plus ten times the miss, in the unit of what is measured; low is good.

        Raises:
            FercourseError: Nothing was measured yet.
        """
        if self.measured is None:
            raise FercourseError(f"{self.what}: measure first, then score.")
        miss = max(self.low - self.measured, self.measured - self.high, 0.0)
        return self.high - self.low + 2 / (1 - SURE) * miss

    def beside(self, measured: float) -> Figure:
        """The prediction beside what came out, which is kept with it where somebody watches.

        Args:
            measured: In the unit of ``what``.
        """
        from fercourse import plots

        self.measured = float(measured)
        if interactive():
            _keep(self, predictions_path())
        return plots.prediction(self.what, self.low, self.high, self.measured, self.score)


def predict(what: str, low: float, high: float) -> Prediction:
    """Commit to an interval before running the cell that measures.

    Args:
        what: Will be measured, with its unit: "answers changed, %".
        low: The least you would expect, so that you are wrong once in five.
        high: The most.

    Raises:
        FercourseError: The interval is empty or not finite.
    """
    low, high = float(low), float(high)
    if not -float("inf") < low <= high < float("inf"):
        raise FercourseError(f"{what}: {low:g} to {high:g} is no interval; the lower number first.")
    print(f"Predicted: {what}: between {low:g} and {high:g}.")
    if (low, high) == UNTOUCHED:
        print("That is anything at all: put in two numbers of your own, and run this cell again.")
    return Prediction(what, low, high)


def predictions(path: Path | None = None) -> pd.DataFrame:
    """Every prediction that was held against its measurement: what, low, high, measured, inside.

    The first attempt at each counts, for later ones know the answer; a cell that nobody touched
    is no attempt.

    Args:
        path: Of the file; the learner's own by default.
    """
    import pandas as pd  # late: it is slow to import, and a lesson need not wait for it

    rows = [Prediction(**row) for row in _kept(path or predictions_path())]
    rows = [row for row in rows if (row.low, row.high) != UNTOUCHED]
    first = {row.what: row for row in reversed(rows)}
    found = [asdict(row) | {"inside": row.inside, "score": row.score} for row in first.values()]
    columns = ["what", "low", "high", "measured", "inside", "score"]
    return pd.DataFrame(found[::-1], columns=columns)


def _kept(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FercourseError(
            f"{path} no longer holds your predictions ({error}): delete it, and begin anew."
        ) from error


def _keep(made: Prediction, path: Path) -> None:
    rows = [*_kept(path), asdict(made)]
    with atomic_write(path) as part:
        part.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
