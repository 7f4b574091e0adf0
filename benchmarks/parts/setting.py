"""What all parts share: where they compute, for how long, and how two things are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from fercourse.experiments.cost import in_turns
from fercourse.runs.performance import Ratio, spread

SIZE = 48
"""Pixels, FER2013's."""


@dataclass(frozen=True)
class Setting:
    """One run of the benchmark.

    Attributes:
        device: Where networks compute.
        bf16: Whether they do in bfloat16: where it is native.
        seconds: Of timing, for each thing that takes turns.
        quick: Narrow networks and small batches, to see that all runs.
    """

    device: torch.device
    bf16: bool
    seconds: float
    quick: bool

    @property
    def width(self) -> float:
        """Of the networks."""
        return 0.125 if self.quick else 1.0

    @property
    def batch(self) -> int:
        """Faces a step."""
        return 8 if self.quick else 64

    def faces(self, count: int, size: int = SIZE) -> torch.Tensor:
        """Noise, for no time depends on what a face shows: uint8 (count, size, size)."""
        return torch.randint(0, 256, (count, size, size), dtype=torch.uint8, device=self.device)

    def times(self, paths: Mapping[Any, Callable[[], object]]) -> dict[Any, list[float]]:
        """Seconds of each turn of each; a quick run has one."""
        if self.quick:
            return in_turns(paths, 0, self.device, warm_up=0, least=1)
        return in_turns(paths, self.seconds, self.device)

    def ratios(
        self,
        part: str,
        paths: Mapping[str, Callable[[], object]],
        unit: str,
        count: int,
        aim: float | None = None,
    ) -> list[Ratio]:
        """The first of some things against each of the others.

        Args:
            part: What is compared.
            paths: By name; they take turns.
            unit: What each makes.
            count: How many of it each makes at a call.
            aim: How many times as fast as the second the first should be.
        """
        (ours, mine), *others = self.times(paths).items()
        rate = count / median(mine)
        aims = [aim] + [None] * (len(others) - 1)
        return [
            Ratio(part, ours, other, unit, rate, spread(theirs, mine), wanted)
            for (other, theirs), wanted in zip(others, aims, strict=True)
        ]
