"""Sick training runs for the clinic: each case makes one mistake that people do make.

A case is a healthy run with one thing wrong. :func:`admit` trains it on drawn faces with the smoke
preset's net and examines it as any run can be examined; what it found is a :class:`Chart`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fercourse.config import RunConfig, preset
from fercourse.datasets.faces import FaceDataset, Faces
from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import confusion_matrix
from fercourse.evaluation.predict import probabilities
from fercourse.files import atomic_write
from fercourse.labels import BASIC
from fercourse.models.recogniser import Recogniser
from fercourse.preprocess import normalise, to_input

RECORDS = Path(__file__).parent / "course" / "records"
EPOCHS = 10
COUNT, DIFFICULTY = 2000, 0.1
"""Of the drawn faces: hard enough that a healthy run makes mistakes."""

ILLNESSES = {
    "healthy": "nothing is wrong",
    "learning rate too high": "steps so long that they jump over the valley",
    "learning rate too low": "it would get there, in ten times the epochs",
    "too little regularisation": "it learns the training faces by heart",
    "shuffled labels": "some training labels have nothing to do with their faces",
    "permuted label order": "training and validation number the classes differently",
    "left in training mode": "validation forgot model.eval()",
    "island loss too heavy": "lambda is so large that cross-entropy is not heard",
    "training faces in validation": "the same faces stand on both sides",
    "shortcut": "something in the image beside the face gives the class away",
}
"""What a run may suffer from: the name to answer with, and what it means."""


@dataclass(frozen=True)
class Case:
    """A run to be made.

    Attributes:
        config: Its recipe.
        data: Its faces.
        training_mode: Whether validation leaves the network in training mode.
    """

    config: RunConfig
    data: FaceDataset
    training_mode: bool = False


@dataclass(frozen=True)
class Chart:
    """What the examination of a run found.

    Attributes:
        history: One dict an epoch, as :func:`fercourse.train` writes it.
        confusion: Of the validation split, counts, row = label, column = answer.
        twice: Validation accuracy of the final weights, judged two times over.
        looks: How much the probability of the answer falls when a grey square covers this place,
            (P, P), mean over faces.
    """

    history: list[dict[str, Any]]
    confusion: list[list[int]]
    twice: tuple[float, float]
    looks: list[list[float]]


def faces() -> FaceDataset:
    """The clinic's drawn faces."""
    from fercourse.datasets.load import load

    return load("synthetic", count=COUNT, difficulty=DIFFICULTY)


def recipe(**changes: Any) -> RunConfig:
    """The healthy run's: model 6, no augmentation; ``changes`` as in :meth:`RunConfig.change`."""
    return preset("smoke", model=6, **({"train.epochs": EPOCHS} | changes))


def healthy(data: FaceDataset) -> Case:
    """Nothing wrong: what the others are compared with."""
    return Case(recipe(), data)


def fast(data: FaceDataset, lr: float = 1.0) -> Case:
    """A learning rate twenty times too high."""
    return Case(recipe(**{"train.lr": lr}), data)


def shuffled(data: FaceDataset, share: float = 0.4) -> Case:
    """A share of the training labels drawn anew: a spreadsheet sorted in one column only."""
    return Case(recipe(), replace(data, train=shuffle_labels(data.train, share)))


def permuted(data: FaceDataset) -> Case:
    """Validation read from folders, whose names a file system sorts by the alphabet."""
    return Case(recipe(), replace(data, val=alphabetical(data.val)))


def forgotten(data: FaceDataset) -> Case:
    """No ``model.eval()``, and validation faces that come class after class."""
    by_class = data.val[data.val.labels.argsort(stable=True)]
    return Case(recipe(), replace(data, val=by_class), training_mode=True)


def heavy(data: FaceDataset, weight: float = 5.0) -> Case:
    """A thousand times the paper's lambda."""
    return Case(recipe(**{"loss.weight": weight}), data)


def marked(data: FaceDataset) -> Case:
    """Each class photographed in a session of its own, and the camera stamped the session."""
    return Case(recipe(), replace(data, train=stamp(data.train), val=stamp(data.val)))


CASES: dict[str, Callable[[FaceDataset], Case]] = {
    "healthy": healthy,
    "a": permuted,
    "b": shuffled,
    "c": forgotten,
    "d": heavy,
    "e": marked,
}
"""The recorded runs. Reading on spoils the lesson: each function says what it does."""


def shuffle_labels(given: Faces, share: float, seed: int = 0) -> Faces:
    """The faces with ``share`` of the labels drawn from all seven classes, right ones included."""
    draw = torch.Generator().manual_seed(seed)
    chosen = torch.rand(len(given), generator=draw) < share
    anew = torch.randint(len(BASIC), (len(given),), generator=draw)
    return replace(given, labels=torch.where(chosen, anew, given.labels))


def alphabetical(given: Faces) -> Faces:
    """The faces labelled 0 to 6 in the order of the classes' names."""
    names = sorted(e.name for e in BASIC)
    index = torch.tensor([names.index(e.name) for e in BASIC])
    return replace(given, labels=index[given.labels])


def stamp(given: Faces, side: int = 4) -> Faces:
    """The faces with a white square at the lower edge, further to the right for each class."""
    images = given.images.clone()
    step = images.shape[2] // len(BASIC)
    for label in range(len(BASIC)):
        left = label * step + (step - side) // 2
        images[given.labels == label, -side - 1 : -1, left : left + side] = 255
    return replace(given, images=images)


def admit(case: Case, progress: bool = False) -> Chart:
    """Train a case on the CPU and examine it.

    Raises:
        FercourseError: Its loss stopped being a number.
    """
    from fercourse.training.train import train

    judge = in_training_mode if case.training_mode else probabilities
    fit = train(case.config, case.data, device="cpu", progress=progress, validate=judge)
    val = case.data.val
    first, second = (judge(fit.model, val.images, device="cpu").argmax(1) for _ in range(2))
    return Chart(
        history=fit.history,
        confusion=confusion_matrix(val.labels, first).tolist(),
        twice=(_share(first == val.labels), _share(second == val.labels)),
        looks=occlusion(fit.model, val[:70]).tolist(),
    )


@torch.no_grad()
def in_training_mode(
    model: Recogniser, images: Tensor, device: Any = None, bf16: bool = False, batch_size: int = 32
) -> Tensor:
    """:func:`fercourse.evaluation.predict.probabilities` without its ``model.eval()``.

    Batch norm takes its statistics from the batch at hand, GCCA draws its random pooling, and the
    running statistics go on moving.
    """
    place = torch.device(device or "cpu")
    model = model.to(place).train()
    found = []
    for part in images.split(batch_size):
        x = to_input(normalise(part.to(place)), model)  # (B, 1, H, W)
        with torch.autocast(place.type, torch.bfloat16, enabled=bf16):
            found.append(model(x).logits.float().softmax(1).cpu())
    return torch.cat(found)


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def occlusion(model: Recogniser, given: Faces, side: int = 8, step: int = 4) -> Tensor:
    """Where it looks: how far the answer's probability falls with a grey square there, (P, P)."""
    before, answers = probabilities(model, given.images, device="cpu").max(1)
    corners = range(0, given.size - side + 1, step)
    falls = []
    for top in corners:
        for left in corners:
            covered = given.images.clone()
            covered[:, top : top + side, left : left + side] = 128
            after = probabilities(model, covered, device="cpu")
            falls.append((before - after.gather(1, answers[:, None])[:, 0]).mean())
    return torch.stack(falls).reshape(len(corners), len(corners))


def record(name: str) -> Chart:
    """Make a case of :data:`CASES` and keep its chart for the lesson."""
    chart = admit(CASES[name](faces()))
    history = [{key: round(value, 5) for key, value in e.items()} for e in chart.history]
    looks = [[round(value, 4) for value in row] for row in chart.looks]
    with atomic_write(RECORDS / f"clinic-{name}.json") as part:
        text = json.dumps(asdict(replace(chart, history=history, looks=looks)))
        part.write_text(text + "\n", encoding="utf-8")
    return chart


def recorded(name: str) -> Chart:
    """A recorded chart: "healthy", or patient "a" to "e".

    Raises:
        FercourseError: There is no such patient.
    """
    path = RECORDS / f"clinic-{name}.json"
    if not path.is_file():
        raise FercourseError(f"The clinic has no chart of {name!r}; it has {', '.join(CASES)}.")
    values = json.loads(path.read_text(encoding="utf-8"))
    return Chart(**(values | {"twice": tuple(values["twice"])}))
