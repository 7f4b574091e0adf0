"""What runs with another attention, or another supervision, came to: ``results/attention.json``."""

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
"""What ``benchmarks/attention.py`` wrote of one run: plan, data set, variant, accuracy, ..."""


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

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:.1f}, {self.high:.1f}]".replace("-", "−")


def attention_records(
    plan: str, dataset: str = "synthetic", path: Path | None = None
) -> list[Record]:
    """The measured runs of a plan on a data set, by variant and seed; none where there are none."""
    path = path or ledger_path().with_name("attention.json")
    if not path.is_file():
        return []
    found = json.loads(path.read_text(encoding="utf-8")).values()
    mine = (r for r in found if (r["plan"], r["dataset"]) == (plan, dataset))
    return sorted(mine, key=lambda r: (r["variant"], r["seed"]))


def slot_records(dataset: str = "synthetic", path: Path | None = None) -> list[Record]:
    """What stands behind a block: the runs of plan ``slot``, and the two of ``gcca`` it shares."""
    shared = attention_records("gcca", dataset, path)
    return [
        *(r for r in shared if r["variant"] in ("gcca-none", "gcca-as-read")),
        *attention_records("slot", dataset, path),
    ]


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


def comparison(
    records: Sequence[Record], reference: str, variants: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What each variant came to, by variant: means over its seeds, and its difference.

    Returns:
        ``seeds``; ``accuracy``, per cent; ``gain``, points of accuracy against the reference over
        the seeds both have, a :class:`Difference` or None; ``moved``, by how much a channel weight
        changes from face to face on average, and ``frozen``, per cent of answers that change where
        it may not, both None where there is no such weight; ``gradcam``, per cent PR-AUC on drawn
        faces. Variants that were not measured are left out.
    """
    found = {}
    for variant in variants:
        mine = [r for r in records if r["variant"] == variant]
        alive = [r for r in mine if "over_faces" in r]
        if mine:
            found[variant] = {
                "seeds": len(mine),
                "accuracy": float(np.mean([100 * r["accuracy"] for r in mine])),
                "gain": None
                if variant == reference
                else difference(records, reference, variant, lambda r: 100 * r["accuracy"]),
                "moved": float(np.mean([r["over_faces"] for r in alive])) if alive else None,
                "frozen": float(np.mean([100 * r["frozen"] / r["judged"] for r in alive]))
                if alive
                else None,
                "gradcam": float(np.mean([100 * r["maps"]["gradcam"]["pr_auc"] for r in mine])),
            }
    return found
