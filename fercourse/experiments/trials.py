"""The search for a recipe: model 6 with one setting changed at a time.

The paper gives lambda, dropout and a learning-rate rule, and leaves the rest of training open. So
each setting is varied by itself around a preset, and every trial is a recorded run of the plan
``recipe``, and compared by *validation* accuracy over the same seeds: the test split has no say in
a choice. :mod:`fercourse.pages.recipes` writes that down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fercourse.config import RunConfig
from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import mean_accuracy
from fercourse.runs.row import Row
from fercourse.runs.statistics import Paired, paired
from fercourse.runs.summaries import share

SETTINGS: dict[str, tuple[Any, ...]] = {
    "train.augment": ("none", "paper", "light", "course"),
    "train.mixup": (0.0, 0.2),
    "loss.label_smoothing": (0.0, 0.1),
    "train.schedule": ("cosine", "plateau"),
    "train.lr": (0.02, 0.05, 0.1),
    "train.ema": (0.0, 0.998, 0.999),
    "train.swa": (0.0, 0.25),
    "model.dropout": (0.001, 0.2, 0.5),
    "model.embedding": (64, 128, 256),
    "model.gcca_norm": (False, True),
    "loss.weight": (0.001, 0.005, 0.02),
    "model.width": (0.125, 0.25, 0.375, 0.5, 0.75, 1.0),
}
"""What is tried, by its name in :class:`fercourse.RunConfig`; the base has one value of each."""

WIDEST = 2
"""Times the base's width: a wider trial would cost more than four of the others."""


def trials(base: RunConfig, settings: Sequence[str] = tuple(SETTINGS)) -> dict[str, RunConfig]:
    """The base, as "model6", and every trial around it, by the variant's name in the ledger.

    Args:
        base: What one setting is changed of.
        settings: Which ones, of :data:`SETTINGS`.

    >>> list(trials(fercourse.preset("cpu")))[:2]
    ['model6', 'model6-train.augment=none']

    Raises:
        FercourseError: A setting is none of those that are tried.
    """
    found = {"model6": base}
    for name in settings:
        if name not in SETTINGS:
            raise FercourseError(f"{name!r} is not tried; of {', '.join(SETTINGS)} take some.")
        for value in SETTINGS[name]:
            config = base.change(**{name: value})
            if config != base and config.model.width <= WIDEST * base.model.width:
                found[f"model6-{name}={value}"] = config
    return found


@dataclass(frozen=True)
class Trial:
    """A recipe beside its base.

    Attributes:
        changed: What differs from the base, by dotted name; empty for the base itself.
        megabytes: Of the weights as float16, in 10^6 bytes.
        accuracy: Mean validation accuracy, a fraction.
        gain: Over the base, paired over the seeds both have; None for the base, and where they
            share no seed.
        n: Runs.
    """

    changed: dict[str, Any]
    megabytes: float
    accuracy: float
    gain: Paired | None
    n: int


def compare_recipes(rows: Sequence[Row], base: RunConfig) -> list[Trial]:
    """Every recorded trial around ``base``, the base first, then by gain.

    Args:
        rows: Of one data set; those of the plan "recipe" count, and of any other plan those that
            are the same runs, or model 6 trained in another way.
        base: The recipe that is changed; its seed does not matter.
    """
    groups: dict[str, list[Row]] = {base.hash: []}
    shared = {config.hash for config in trials(base).values()}
    for row in rows:
        if row.run.data != base.data:
            continue
        if row.plan == "recipe" or row.variant == "model6" or row.run.hash in shared:
            groups.setdefault(row.run.hash, []).append(row)
    at_base = {row.pair_key: share(row, "val_accuracy") for row in groups.pop(base.hash)}
    found = [_trial(members, base, at_base) for members in groups.values()]
    found.sort(key=lambda trial: -(trial.gain.mean if trial.gain else trial.accuracy - 1))
    if at_base:
        accuracy = mean_accuracy(list(at_base.values()))
        found.insert(0, Trial({}, _megabytes(base), accuracy, None, len(at_base)))
    return found


def _trial(
    rows: list[Row], base: RunConfig, at_base: dict[tuple[int, int, str], float | Fraction]
) -> Trial:
    run = rows[0].run
    values = {row.pair_key: share(row, "val_accuracy") for row in rows}
    shared = sorted(values.keys() & at_base.keys())
    gain = paired([at_base[p] for p in shared], [values[p] for p in shared]) if shared else None
    accuracy = mean_accuracy(list(values.values()))
    return Trial(differences(run, base), _megabytes(run), accuracy, gain, len(values))


def differences(run: RunConfig, base: RunConfig) -> dict[str, Any]:
    """What is changed in a run, its seed apart."""
    return run.without("seed").diff(base.without("seed"))


def _megabytes(run: RunConfig) -> float:
    import torch  # heavy, and plans are only listed

    from fercourse.models.fernet import FERNet

    with torch.device("meta"):
        net = FERNet(run.model)
    return sum(2 * value.numel() for value in net.state_dict().values()) / 1e6
