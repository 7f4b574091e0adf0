"""Sick training runs: each case makes one mistake that people do make.

Reading on spoils the lesson: each function says what it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from fercourse.config import RunConfig, preset
from fercourse.datasets.faces import FaceDataset, Faces
from fercourse.labels import BASIC

EPOCHS = 10
COUNT, DIFFICULTY = 1400, 0.1
"""Of the drawn faces: hard enough that a healthy run makes mistakes."""

ALPHABET = tuple(sorted(e.name for e in BASIC))
RAF_DB = ("SURPRISE", "FEAR", "DISGUST", "HAPPY", "SAD", "ANGRY", "NEUTRAL")
BY_HAND = ("ANGRY", "DISGUST", "SAD", "HAPPY", "FEAR", "SURPRISE", "NEUTRAL")
"""Orders that other sources number the classes in: folders, RAF-DB's list, a slip in typing. Each
leaves some classes where they are: with none right, the best epoch would be the first."""


@dataclass(frozen=True)
class Case:
    """A run to be made.

    Attributes:
        config: Its recipe.
        data: Its faces.
        training_mode: Whether validation leaves the network in training mode.
        truth: What the training faces show, int64 (N,); None: what their labels say.
    """

    config: RunConfig
    data: FaceDataset
    training_mode: bool = False
    truth: Tensor | None = None

    @property
    def shows(self) -> Tensor:
        """What the training faces show: int64 (N,)."""
        return self.data.train.labels if self.truth is None else self.truth


@lru_cache(maxsize=1)
def faces(seed: int = 0) -> FaceDataset:
    """The clinic's drawn faces; another seed has other people."""
    from fercourse.datasets.load import load

    return load("synthetic", count=COUNT, difficulty=DIFFICULTY, seed=seed)


def recipe(**changes: Any) -> RunConfig:
    """The healthy run's: model 6, no augmentation; ``changes`` as in :meth:`RunConfig.change`.

    In float32 everywhere: on a CPU a net this small gains nothing from bfloat16.
    """
    plain = {"train.epochs": EPOCHS, "train.precision": "float32"}
    return preset("smoke", model=6, **(plain | changes))


def healthy(data: FaceDataset) -> Case:
    """Nothing wrong: what the others are compared with."""
    return Case(recipe(), data)


def fast(data: FaceDataset, lr: float = 1.0) -> Case:
    """A learning rate twenty times too high."""
    return Case(recipe(**{"train.lr": lr}), data)


def slow(data: FaceDataset, lr: float = 0.001) -> Case:
    """A learning rate fifty times too low."""
    return Case(recipe(**{"train.lr": lr}), data)


def by_heart(data: FaceDataset, people: int = 20) -> Case:
    """The faces of a few people over and over, as many steps as ever, and no weight decay."""
    few = data.train[: people * len(BASIC)]
    again = few[torch.arange(len(data.train)) % len(few)]
    return Case(recipe(**{"train.weight_decay": 0.0}), replace(data, train=again))


def shuffled(data: FaceDataset, share: float = 0.4) -> Case:
    """A share of the training labels drawn anew: a spreadsheet sorted in one column only."""
    train = shuffle_labels(data.train, share)
    return Case(recipe(), replace(data, train=train), truth=data.train.labels)


def permuted(data: FaceDataset, order: tuple[str, ...] = ALPHABET) -> Case:
    """Validation read from another source, which numbers the classes in an order of its own."""
    return Case(recipe(), replace(data, val=renumber(data.val, order)))


def forgotten(data: FaceDataset) -> Case:
    """No ``model.eval()``, and validation faces that come class after class."""
    by_class = data.val[data.val.labels.argsort(stable=True)]
    return Case(recipe(), replace(data, val=by_class), training_mode=True)


def heavy(data: FaceDataset, weight: float = 5.0) -> Case:
    """A thousand times the paper's lambda."""
    return Case(recipe(**{"loss.weight": weight}), data)


def leaked(data: FaceDataset, share: float = 1.0) -> Case:
    """Validation faces drawn from the training faces, as where duplicates are split at random."""
    count = round(share * len(data.val))
    rows = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))[:count]
    images, labels = data.val.images.clone(), data.val.labels.clone()
    images[:count], labels[:count] = data.train.images[rows], data.train.labels[rows]
    return Case(recipe(), replace(data, val=Faces(images, labels)))


def marked(data: FaceDataset, side: int = 4) -> Case:
    """Each class photographed in a session of its own, and the camera stamped the session."""
    train, val = stamp(data.train, side), stamp(data.val, side)
    return Case(recipe(), replace(data, train=train, val=val))


VARIANTS = 3
CASES: dict[str, tuple[Callable[..., Case], tuple[dict[str, Any], ...]]] = {
    "healthy": (healthy, ({}, {}, {})),
    "learning rate too high": (fast, ({"lr": 1.0}, {"lr": 0.8}, {"lr": 1.0})),
    "learning rate too low": (slow, ({"lr": 0.001}, {"lr": 0.0006}, {"lr": 0.0015})),
    "too little regularisation": (by_heart, ({"people": 20}, {"people": 14}, {"people": 28})),
    "shuffled labels": (shuffled, ({"share": 0.4}, {"share": 0.5}, {"share": 0.35})),
    "permuted label order": (
        permuted,
        ({"order": ALPHABET}, {"order": RAF_DB}, {"order": BY_HAND}),
    ),
    "left in training mode": (forgotten, ({}, {}, {})),
    "island loss too heavy": (heavy, ({"weight": 5.0}, {"weight": 3.0}, {"weight": 8.0})),
    "training faces in validation": (leaked, ({"share": 1.0}, {"share": 0.9}, {"share": 0.95})),
    "shortcut": (marked, ({"side": 4}, {"side": 3}, {"side": 5})),
}
"""By illness who makes it, and how severely in each of its three variants."""


def case(illness: str, variant: int) -> Case:
    """A patient of the bank: of each variant the people and the random numbers differ too.

    Args:
        illness: Of :data:`fercourse.clinic.ILLNESSES`.
        variant: 0 to 2; of "healthy" also 3, which no ward has: the charts' reference.
    """
    make, severities = CASES[illness]
    made = make(faces(2 + variant), **severities[variant % VARIANTS])
    return replace(made, config=made.config.change(seed=variant))


def shuffle_labels(given: Faces, share: float, seed: int = 0) -> Faces:
    """The faces with ``share`` of the labels drawn from all seven classes, right ones included."""
    draw = torch.Generator().manual_seed(seed)
    chosen = torch.rand(len(given), generator=draw) < share
    anew = torch.randint(len(BASIC), (len(given),), generator=draw)
    return replace(given, labels=torch.where(chosen, anew, given.labels))


def renumber(given: Faces, order: tuple[str, ...]) -> Faces:
    """The faces labelled 0 to 6 by the place of their class's name in ``order``."""
    index = torch.tensor([order.index(e.name) for e in BASIC])
    return replace(given, labels=index[given.labels])


def stamp(given: Faces, side: int = 4) -> Faces:
    """The faces with a white square at the lower edge, further to the right for each class."""
    images = given.images.clone()
    step = images.shape[2] // len(BASIC)
    for label in range(len(BASIC)):
        left = label * step + (step - side) // 2
        images[given.labels == label, -side - 1 : -1, left : left + side] = 255
    return replace(given, images=images)
