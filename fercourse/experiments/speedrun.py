"""The speedrun: from preset ``cpu`` towards more accuracy a minute, one change at a time.

Every step is a change of a step before it, and trains for as many epochs as take the same time as
the first step's few. So a higher validation accuracy is more accuracy per core minute. A step is
gone on from if it is higher over three seeds. What a training step costs beside the first one's is
measured in one run by ``benchmarks/speedrun.py``; docs/speedrun.md shows both, and what failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fercourse.config import RunConfig
from fercourse.errors import FercourseError


@dataclass(frozen=True)
class Step:
    """One change of a recipe.

    Attributes:
        name: Of its runs' variant, "speedrun-width".
        title: What is changed, for people.
        of: The step that is changed; None for the first.
        epochs: That take as long as the first step's.
        changes: By dotted name, as in :meth:`fercourse.RunConfig.change`.
        labelled: It learns from more than the training split, and is not gone on from.
    """

    name: str
    title: str
    of: str | None
    epochs: int
    changes: dict[str, Any] = field(default_factory=dict)
    labelled: bool = False


STEPS = (
    Step("base", "model 1 by preset `cpu`, four epochs", None, 4),
    Step("average", "a shorter weight average", "base", 4, {"train.ema": 0.99}),
    Step("width", "two thirds of the channels", "average", 9, {"model.width": 0.25}),
    Step("folded", "block 1 folded into channels", "width", 13, {"model.architecture": "swift"}),
    Step("growing", "faces that grow: 32, 40, 48 pixels", "folded", 18, {"train.start_size": 32}),
)
"""In the order in which they were tried."""


def speedrun(base: RunConfig, names: Sequence[str] | None = None) -> dict[str, RunConfig]:
    """The steps' runs around a base, by their variants' names.

    Args:
        base: Model 1 by a preset; its epochs are the first step's.
        names: Of steps; None is all.

    Raises:
        FercourseError: There is no such step.
    """
    known = {step.name: step for step in STEPS}
    found = {}
    for name in known if names is None else names:
        if name not in known:
            raise FercourseError(f"The speedrun has no step {name!r}; it has {', '.join(known)}.")
        changes: dict[str, Any] = {"train.epochs": known[name].epochs}
        step: Step | None = known[name]
        while step is not None:
            changes = step.changes | changes  # a later step's value stands
            step = known[step.of] if step.of else None
        found[f"speedrun-{name}"] = base.change(**changes)
    return found
