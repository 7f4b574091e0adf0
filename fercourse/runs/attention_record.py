"""What ten seeds of supervised maps and of GCCA's mends came to: ``results/attention.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fercourse.runs.statistics import mean_interval
from fercourse.settings import ledger_path

NAMES = ("before2", "before3", "before5", "global", "refined5", "refined4", "refined3")
"""Maps that are scored, beside Grad-CAM."""

Record = dict[str, Any]
"""What ``benchmarks/attention.py`` wrote of one run: plan, variant, seed, accuracy, maps, ..."""


class Difference(NamedTuple):
    """A mean over n seeds of paired differences, with Student's 95 % interval."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def attention_records(plan: str, path: Path | None = None) -> list[Record]:
    """The measured runs of a plan, by variant and seed; none where nothing was measured."""
    path = path or ledger_path().with_name("attention.json")
    if not path.is_file():
        return []
    found = json.loads(path.read_text(encoding="utf-8")).values()
    return sorted((r for r in found if r["plan"] == plan), key=lambda r: (r["variant"], r["seed"]))


def difference(
    records: Sequence[Record], first: str, second: str, value: Callable[[Record], float]
) -> Difference | None:
    """The second variant minus the first, paired over the seeds that both have.

    Returns:
        None where they share fewer than two seeds.
    """
    of = {
        variant: {r["seed"]: value(r) for r in records if r["variant"] == variant}
        for variant in (first, second)
    }
    seeds = sorted(of[first].keys() & of[second].keys())
    if len(seeds) < 2:
        return None
    gains = np.array([of[second][s] - of[first][s] for s in seeds])
    return Difference(float(gains.mean()), *mean_interval(gains), len(gains))
