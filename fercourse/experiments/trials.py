"""The search for a recipe: model 6 with one setting changed at a time.

The paper gives lambda, dropout and a learning-rate rule, and leaves the rest of training open. So
each setting is varied by itself around a preset, and every trial is a recorded run of the plan
``recipe``; :mod:`fercourse.pages.recipes` compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fercourse.config import RunConfig
from fercourse.errors import FercourseError

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
