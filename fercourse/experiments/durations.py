"""How long a run will take, from those that are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from fercourse.config import RunConfig
from fercourse.experiments.plans import Planned
from fercourse.runs.row import Row

OVERHEAD = 1.15
"""A row's seconds are of training alone; loading, validating and judging come on top."""


class Durations:
    """Expected wall seconds of runs.

    Args:
        rows: Of a ledger; those measured on another kind of device are left aside.
        device: "cpu", "cuda" or "mps"; None takes rows of any.
        threads: That a run will have on the CPU. Half as many as a row had take twice as long; more
            promise nothing, for small steps are computed by one. None: as many as the rows had.
    """

    def __init__(
        self, rows: Iterable[Row] = (), device: str | None = None, threads: int | None = None
    ) -> None:
        # Seconds an epoch.
        self._recorded: dict[RunConfig, list[float]] = {}
        self._here: dict[RunConfig, list[float]] = {}
        for row in rows:
            if device in (None, _kind(row.device)):
                seconds = OVERHEAD * row.seconds
                _, _, had = row.device.partition("cpu x ")
                times = max(1.0, int(had) / threads) if had and threads else 1.0
                self._keep(self._recorded, row.run, times * seconds)

    def add(self, config: RunConfig, seconds: float) -> None:
        """A run ended here, beside as many others as will go on: this counts before the ledger."""
        self._keep(self._here, config, seconds)

    def expect(self, config: RunConfig) -> float | None:
        """By the epochs of runs alike; else of the slowest of Table 1's models so; else None."""
        cost = _cost(config)
        for known in (self._here, self._recorded):
            if cost in known:
                return config.train.epochs * median(known[cost])
            siblings = [median(known[other]) for other in known if _trunk(other) == _trunk(cost)]
            if siblings:
                return config.train.epochs * max(siblings)
        return None

    @staticmethod
    def _keep(known: dict[RunConfig, list[float]], config: RunConfig, seconds: float) -> None:
        known.setdefault(_cost(config), []).append(seconds / config.train.epochs)

    def total(self, runs: Sequence[Planned], jobs: int = 1) -> tuple[float, int]:
        """Wall seconds of runs, ``jobs`` at a time, and of how many nothing is known."""
        expected = [self.expect(run.config) for run in runs]
        known = [seconds for seconds in expected if seconds is not None]
        return sum(known) / max(1, min(jobs, len(known))), len(runs) - len(known)


def _cost(config: RunConfig) -> RunConfig:
    """Without what an epoch's time does not depend on: epochs, seed, fold, weights of the loss."""
    return config.without("loss", "seed", "train.epochs", "data.fold", "data.seed")


def _trunk(cost: RunConfig) -> tuple[RunConfig, float]:
    """What Table 1's models have in common."""
    return cost.without("model"), cost.model.width


def _kind(device: str) -> str:
    """ "cuda" of "cuda:NVIDIA H100", "cpu" of "cpu x 2"."""
    return device.split(":")[0].split(" ")[0]
