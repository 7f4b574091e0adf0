"""What a notebook's first cell starts: seeds, mode, data, and training that fits the mode."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from fercourse.config import RunConfig
from fercourse.course.mode import MODES, mode
from fercourse.device import best_device
from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.settings import interactive, recording

if TYPE_CHECKING:
    from fercourse.datasets.faces import FaceDataset
    from fercourse.models.fernet import FERNet
    from fercourse.models.recogniser import Recogniser

T = TypeVar("T")

RECORDS = Path(__file__).parent / "records"
"""Histories and weights of the lessons' short runs, for the lecture mode."""


@dataclass
class Fitted:
    """A model and one dict an epoch of how it got there."""

    model: Recogniser
    history: list[dict[str, Any]]


@dataclass
class Lesson:
    """A lesson in a mode.

    Attributes:
        number: 0 to 20.
        mode: "smoke", "lecture" or "full".
        device: Where its networks run.
    """

    number: int
    mode: str = field(default_factory=mode)
    device: torch.device = field(default_factory=best_device)

    def pick(self, smoke: T, full: T, lecture: T | None = None) -> T:
        """The value for this mode; ``lecture`` takes smoke's where none is given."""
        if self.mode == "full":
            return full
        return smoke if self.mode == "smoke" or lecture is None else lecture

    def data(self, count: int = 1400, size: int = 48, difficulty: float = 0.1) -> FaceDataset:
        """Faces to work with: FER2013 in the full mode, else ``count`` built-in ones.

        Raises:
            FercourseError: The full mode finds no FER2013; the sentence says where it looks.
        """
        from fercourse.datasets.load import load

        if self.mode == "full":
            return load("fer2013")
        # Other people than those the bundled weights were trained on, who are of seed 0.
        return load("synthetic", count=count, size=size, difficulty=difficulty, seed=1)

    def trained(self, model: int = 6) -> FERNet:
        """Table 1's model with bundled weights: of real faces in the full mode, else of drawn ones.

        FER2013 has models 1 and 6; drawn faces have all six.
        """
        from fercourse.models.fernet import framework
        from fercourse.weights import bundled, pretrained

        real = self.mode == "full" and ("fer2013", model) in bundled()
        return framework(pretrained("fer2013" if real else "synthetic", model, self.device).network)

    def fit(self, name: str, config: RunConfig, data: FaceDataset, **settings: Any) -> Fitted:
        """Train, or in the lecture mode return what was recorded under ``name``.

        Args:
            name: Of this run within the lesson, such as "plain".
            config: What to train.
            data: On what.
            settings: For :func:`fercourse.train`.

        Raises:
            FercourseError: The lecture mode has no such record.
        """
        from fercourse.training.train import train
        from fercourse.weights.trained import load_weights, save_weights

        weights = RECORDS / f"{self.number:02}-{name}.safetensors"
        curve = weights.with_suffix(".json")
        if self.mode == "lecture":
            self._need(weights, name)
            history = json.loads(curve.read_text(encoding="utf-8"))
            return Fitted(load_weights(weights, self.device).network, history)
        settings.setdefault("progress", interactive())
        fit = train(config, data, device=self.device.type, **settings)
        if recording():
            save_weights(weights, fit.model.half(), config)
            fit.model.float()
            with atomic_write(curve) as part:
                part.write_text(json.dumps(fit.history), encoding="utf-8")
        return Fitted(fit.model.to(self.device), fit.history)

    def recall(self, name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """What ``make`` trains and returns, or in the lecture mode what was recorded of it.

        For training that :meth:`fit` cannot do: a network written in the lesson itself.

        Args:
            name: Of the result within the lesson.
            make: Takes nothing, returns tensors by name; fractions are recorded as float16.

        Raises:
            FercourseError: The lecture mode has no such record.
        """
        from safetensors.torch import load_file, save

        path = RECORDS / f"{self.number:02}-{name}.safetensors"
        if self.mode == "lecture":
            self._need(path, name)
            stored = load_file(path)
            return {k: v.float() if v.is_floating_point() else v for k, v in stored.items()}
        found = {k: v.detach().cpu().contiguous() for k, v in make().items()}
        if recording():
            with atomic_write(path) as part:
                part.write_bytes(
                    save({k: v.half() if v.is_floating_point() else v for k, v in found.items()})
                )
        return found

    def _need(self, record: Path, name: str) -> None:
        if not record.is_file():
            raise FercourseError(
                f"Nothing is recorded as {name!r} for lesson {self.number}; "
                "train it in the smoke mode (FERCOURSE_MODE=smoke)."
            )


def begin(number: int, seed: int | None = None, boxes: Sequence[str] = ()) -> Lesson:
    """Start a lesson: fix the seeds, say the mode, and show where in Fig. 1 it stands.

    Args:
        number: Of the lesson.
        seed: Of random numbers; the lesson's number by default.
        boxes: Parts of the framework it is about, for :func:`fercourse.plots.framework`.
    """
    seed = number if seed is None else seed
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  some libraries draw from it
    torch.manual_seed(seed)
    # Fabric would name its precision at every run.
    logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)
    lesson = Lesson(number)
    print(fill(f"Mode: {lesson.mode}: {MODES[lesson.mode]}", 100))
    print(f"Device: {lesson.device}. Another mode: set FERCOURSE_MODE, restart JupyterLab.")
    if boxes:
        from IPython.display import display

        from fercourse import plots

        display(plots.framework(boxes))
    return lesson
