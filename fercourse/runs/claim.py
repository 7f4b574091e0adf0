"""A number that the paper claims: never a measurement, and in the ledger only beside those."""

from __future__ import annotations

from dataclasses import dataclass

from fercourse.errors import FercourseError
from fercourse.runs.entry import SCHEMA, Entry

PAPER = "paper"
"""The label of every claim."""


@dataclass(frozen=True, kw_only=True)
class Claim(Entry):
    """What the paper says of a model; what it does not say is None.

    Attributes:
        label: Always "paper".
        source: Where it says so.
        test_accuracy: Acc (eq. 8).
        recall: Per class, in label order.
        runs: Over how many runs (N of eq. 8).
        stability: Sta (eq. 9), as a fraction.
        note: Anything a reader should know.
        schema: Version of this layout.
    """

    label: str = PAPER
    test_accuracy: float | None = None
    recall: list[float | None] | None = None
    runs: int | None = None
    stability: float | None = None
    source: str
    note: str = ""
    schema: int = SCHEMA

    @property
    def acc(self) -> float:
        """The test accuracy, of a claim that gives one."""
        return self._given(self.test_accuracy)

    @property
    def sta(self) -> float:
        """The stability, of a claim that gives one."""
        return self._given(self.stability)

    def _given(self, value: float | None) -> float:
        if value is None:
            raise FercourseError(f"the paper gives no such number ({self.key}).")
        return value

    def problems(self) -> list[str]:
        """What contradicts itself, one phrase each; empty if nothing does."""
        found = super().problems()
        if self.label != PAPER:
            found.append(f"a claim's label is {PAPER!r}, not {self.label!r}")
        return found
