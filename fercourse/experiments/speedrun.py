"""The speedrun: from preset ``cpu`` towards more accuracy a minute, one change at a time.

Every step is a change of a step before it, and trains for as many epochs as take the same time as
the first step's few. So a higher validation accuracy is more accuracy per core minute. A step is
gone on from if it is higher, and kept if it is over three seeds. What a training step costs beside
the first one's is measured in one run by ``benchmarks/speedrun.py``; docs/speedrun.md shows both,
and what failed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fercourse.config import RunConfig, preset
from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import mean_accuracy
from fercourse.runs.row import Row
from fercourse.runs.statistics import Paired, paired
from fercourse.runs.summaries import share

SEEDS = 3
"""Runs that a step needs to be kept."""


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


_FOLDED = {"model.architecture": "swift"}
_DIRAC = {"model.dirac": True}
_SMOOTHING = {"loss.label_smoothing": 0.1}
_TURNS = {"train.flip": "alternating"}
_MUON = {"train.optimizer": "muon", "train.lr": 0.02, "train.weight_decay": 0.05}
_ADAMW = {"train.optimizer": "adamw", "train.lr": 2e-3, "train.weight_decay": 0.05}
_LION = {"train.optimizer": "lion", "train.lr": 3e-4, "train.weight_decay": 0.3}
_CORRECTED = {"train.ema": 0.998, "train.ema_corrected": True}
_BALANCED = {"loss.class_weights": 0.5}
_DISTORTED = {"train.augment": "course"}
_TAUGHT = {"train.teacher": "fer2013-model1"}

STEPS = (
    Step("base", "model 1 by the cpu preset, four epochs", None, 4),
    Step("average", "a shorter weight average", "base", 4, {"train.ema": 0.99}),
    Step("width", "two thirds of the channels", "average", 9, {"model.width": 0.25}),
    Step("folded", "block 1 folded into channels", "width", 13, _FOLDED),
    Step("growing", "faces that grow: 32, 40, 48 pixels", "width", 12, {"train.start_size": 32}),
    Step("smoothing", "label smoothing 0.1", "width", 9, _SMOOTHING),
    Step("turns", "mirror images in turns, not by chance", "width", 9, _TURNS),
    Step("faster", "twice the learning rate", "width", 9, {"train.lr": 0.1}),
    Step("dirac", "kernels that start by passing on", "width", 9, _DIRAC),
    Step("strong", "the course's augmentation", "width", 9, _DISTORTED),
    Step("muon", "Muon instead of SGD", "width", 8, _MUON),
    Step("adamw", "AdamW instead of SGD", "width", 9, _ADAMW),
    Step("lion", "Lion instead of SGD", "width", 9, _LION),
    Step("batches", "batches of 64 faces", "width", 8, {"train.batch_size": 64}),
    Step("hardest", "the harder half of each batch", "width", 11, {"train.hardest": 0.5}),
    Step("decay", "twice the weight decay", "width", 9, {"train.weight_decay": 1e-3}),
    Step("corrected", "a long average that starts short", "width", 9, _CORRECTED),
    Step("muon-dirac", "with Muon: kernels that start by passing on", "muon", 8, _DIRAC),
    Step("muon-folded", "with Muon: block 1 folded into channels", "muon", 10, _FOLDED),
    Step("muon-fast", "with Muon: twice the learning rate", "muon", 8, {"train.lr": 0.04}),
    Step("muon-smoothing", "with Muon: label smoothing 0.1", "muon", 8, _SMOOTHING),
    Step("muon-turns", "with Muon: mirror images in turns, not by chance", "muon", 8, _TURNS),
    Step("balanced", "class-balanced cross-entropy", "width", 9, _BALANCED, labelled=True),
    Step("taught", "the bundled model 1 teaches", "width", 6, _TAUGHT, labelled=True),
)
"""In the order in which they were tried."""

BEST = "muon"
"""The last step that is kept: its recipe is the best of them."""


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


def kept() -> list[str]:
    """Names of the steps from the first one to :data:`BEST`, each a change of the one before."""
    known = {step.name: step for step in STEPS}
    path = [BEST]
    while (before := known[path[-1]].of) is not None:
        path.append(before)
    return path[::-1]


@dataclass(frozen=True)
class Aim:
    """What a preset made of the best step is to reach.

    Attributes:
        preset: Its name.
        accuracy: Of model 1 on the test split, one view, the mean of :data:`SEEDS` seeds: a
            fraction.
        minutes: Of training on two cores; infinite where any number will do.
        beside: Changes of the preset that were tried: validation accuracy chose among them.
    """

    preset: str
    accuracy: float
    minutes: float
    beside: tuple[dict[str, Any], ...] = ()

    @property
    def run(self) -> RunConfig:
        """What is trained."""
        return preset(self.preset, 1)


AIMS = (
    Aim(
        "quarter",
        0.68,
        15,
        tuple(
            {"train.epochs": 28} | change
            for change in (
                {},
                _DISTORTED,
                _DISTORTED | {"train.weight_decay": 0.0125},
                {"train.weight_decay": 0.1},
                {"train.weight_decay": 0.2},
                {"train.mixup": 0.2},
            )
        ),
    ),
    Aim("hour", 0.70, 60),
    Aim("long", 0.705, math.inf),
)


@dataclass(frozen=True)
class Tried:
    """What became of a step.

    Attributes:
        step: Which.
        accuracies: Validation accuracy of each seed, fractions, in the order of the seeds.
        gain: Over the step that it changes, paired over the seeds both have; None for the first
            step, and where they share none.
    """

    step: Step
    accuracies: list[float]
    gain: Paired | None

    @property
    def accuracy(self) -> float:
        """The mean over the seeds."""
        return mean_accuracy(self.accuracies)

    @property
    def verdict(self) -> str:
        """The base, kept or, of fewer seeds, kept for now, failed, or why none of these."""
        if self.step.of is None:
            return "the base"
        if self.step.labelled:
            return "beside the race"
        few = self.gain is None or self.gain.n < SEEDS
        if self.step.name in kept():
            return "kept for now" if few else "kept"
        if self.gain is None or (few and self.gain.mean > 0):
            return "not decided"
        return "failed" if self.gain.mean <= 0 else "gains, and another gains more"


def tried(rows: Sequence[Row]) -> list[Tried]:
    """The steps that were run around preset ``cpu``, in order.

    Args:
        rows: Of FER2013, of any plan.
    """
    found: dict[str, dict[int, Row]] = {}
    for variant, run in speedrun(preset("cpu", 1)).items():
        ours = [row for row in rows if row.hash == run.hash]
        found[variant.removeprefix("speedrun-")] = {row.seed: row for row in ours}
    made = []
    for step in STEPS:
        ours, theirs = found[step.name], found.get(step.of or "", {})
        accuracies = [ours[seed].val_accuracy for seed in sorted(ours)]
        if accuracies:
            made.append(Tried(step, accuracies, gained(theirs, ours)))
    return made


def gained(before: Mapping[int, Row], after: Mapping[int, Row]) -> Paired | None:
    """Validation accuracy of a recipe against another's, by seeds; None where they share none."""
    seeds = sorted(before.keys() & after.keys())
    old, new = ([share(of[seed], "val_accuracy") for seed in seeds] for of in (before, after))
    return paired(old, new) if seeds else None
