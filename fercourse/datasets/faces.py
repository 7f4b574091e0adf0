"""The one type every data set is read into."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.labels import Expression

if TYPE_CHECKING:
    from fercourse.datasets.synthetic.drawing import Drawing


@dataclass(frozen=True)
class Faces:
    """N grey face images with their labels.

    Attributes:
        images: uint8 (N, H, W), 0 black to 255 white.
        labels: int64 (N,), values of :class:`fercourse.Expression`.
        subjects: str array (N,), who is shown; None where the data set does not say (FER2013).
        ids: str array (N,), where each image came from, each once: the file's name without its
            suffix (with the class, for folders of FER2013), or the line of the csv.
        votes: float32 (N, K), the share of people who saw each expression, rows that sum to 1;
            None where there is one label a face. Training aims at them.
        drawing: How built-in faces were drawn, from which :attr:`masks` and the like follow; None
            for photographs, where nobody knows.
    """

    images: Tensor
    labels: Tensor
    subjects: np.ndarray | None = None
    ids: np.ndarray | None = None
    drawing: Drawing | None = None
    votes: Tensor | None = None

    def __post_init__(self) -> None:
        for name, kind in (("images", None), ("labels", torch.int64)):
            object.__setattr__(self, name, _tensor(getattr(self, name), name, kind))
        if self.images.dtype != torch.uint8 or self.images.ndim != 3:
            raise FercourseError(
                f"Faces.images must be uint8 (N, H, W), not {self.images.dtype} "
                f"{tuple(self.images.shape)}; convert RGB to grey first."
            )
        if self.labels.dtype != torch.int64:
            raise FercourseError(f"Faces.labels must be int64, not {self.labels.dtype}.")
        if len(self.labels) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < 8:
            row = int(((self.labels < 0) | (self.labels > 7)).nonzero()[0])
            raise FercourseError(
                f"Faces.labels must be values of Expression, 0 to 7, not {int(self.labels[row])}, "
                f"as in row {row}."
            )
        for name in ("labels", "subjects", "ids", "drawing", "votes"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.images):
                raise FercourseError(
                    f"Faces.{name} has {len(value)} entries for {len(self.images)} images."
                )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Height of the images in pixels."""
        return self.images.shape[1]

    def counts(self, num_classes: int = 7) -> np.ndarray:
        """Images per class, int64 (num_classes,)."""
        return torch.bincount(self.labels, minlength=num_classes).numpy()

    def __getitem__(self, index: slice | np.ndarray | Tensor) -> Faces:
        """The faces at a slice, an index array or a boolean mask, in that order."""
        rows = torch.arange(len(self))[
            index if isinstance(index, slice) else torch.as_tensor(index)
        ]
        if rows.ndim == 0:
            rows = rows[None]
        at = rows.numpy()
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            subjects=None if self.subjects is None else self.subjects[at],
            ids=None if self.ids is None else self.ids[at],
            drawing=None if self.drawing is None else self.drawing[rows],
            votes=None if self.votes is None else self.votes[rows],
        )

    @cached_property
    def masks(self) -> Tensor | None:
        """The pixels each action unit changes, against the face's twin with that unit at rest.

        int32 (N, H, W), bit k set where ``synthetic.UNITS[k]`` makes a difference of
        :data:`fercourse.datasets.synthetic.LEVEL` grey levels or more; None for photographs.
        Drawn when first asked for, five pictures or so a face.
        """
        return None if self.drawing is None else self.drawing.masks(self.images)

    @cached_property
    def changes(self) -> Tensor | None:
        """What :attr:`masks` are cut from: uint8 (N, U, H, W), grey levels; None of photographs."""
        return None if self.drawing is None else self.drawing.changes(self.images)

    @cached_property
    def regions(self) -> Tensor | None:
        """Ellipses that hold all a unit could move: int32 (N, H, W), bits as in :attr:`masks`."""
        return None if self.drawing is None else self.drawing.regions()

    def of(self, expression: Expression | str | int) -> Faces:
        """Only the faces of one expression."""
        return self[self.labels == int(Expression.parse(expression))]


class HeldOutFaces(Faces):
    """A test split. ``training.fit`` refuses it, so nothing can be selected on it by accident."""


@dataclass(frozen=True)
class ReadReport:
    """What a reader met: how many faces it read, and which it had to leave out.

    Attributes:
        source: The file or folder read.
        layout: Which of the known layouts it turned out to have.
        read: Images read.
        skipped: One sentence per row or file left out, with its line number or path.
        notes: What a user should know of this copy (fingerprint findings, dropped classes).
        size: (height, width) of the images as stored, pixels; None where nothing is stored.
    """

    source: str
    layout: str
    read: int
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class FaceDataset:
    """Three splits with three jobs: ``train`` trains, ``val`` selects, ``test`` reports.

    Attributes:
        train: Seen by the optimizer.
        val: Seen by schedules, early stopping and every choice (FER2013's PublicTest).
        test: Seen once, by ``evaluate`` (FER2013's PrivateTest).
        name: "fer2013", "ckplus", "synthetic" or the file's stem.
        fingerprint: Hex digest of all pixels, labels and splits: runs compare only if it is equal.
        report: What the reader met.
        drawn: Drawn faces that are trained on beside ``train``; None: none are.
    """

    train: Faces
    val: Faces
    test: HeldOutFaces
    name: str
    fingerprint: str
    report: ReadReport | None = field(default=None, compare=False)
    drawn: Faces | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.test, HeldOutFaces):
            raise FercourseError("FaceDataset.test must be HeldOutFaces: wrap it with held_out().")

    @property
    def splits(self) -> dict[str, Faces]:
        """The splits by name, in the order train, val, test."""
        return {"train": self.train, "val": self.val, "test": self.test}


def held_out(faces: Faces) -> HeldOutFaces:
    """Seal a split for the final report."""
    return HeldOutFaces(**{f.name: getattr(faces, f.name) for f in fields(Faces)})


def _tensor(value: Any, name: str, kind: torch.dtype | None) -> Tensor:
    """A tensor of what people hold: arrays, lists of arrays, lists of numbers.

    Raises:
        FercourseError: It is none of these, or of another type of number than is needed.
    """
    if isinstance(value, Tensor):
        return value
    try:
        if kind is not None and any(isinstance(word, str) for word in value):
            value = [int(Expression.parse(word)) for word in value]
        array = np.asarray(value)
        if kind is None and array.dtype.kind in "iu" and array.size:
            if array.min() < 0 or array.max() > 255:
                raise FercourseError(f"Faces.{name} must be grey values in 0..255.")
            array = array.astype(np.uint8)
        found = torch.as_tensor(array)
    except FercourseError:
        raise
    except (TypeError, ValueError, RuntimeError):
        raise FercourseError(
            f"Faces.{name} must be a tensor, an array or a list of numbers of one shape, not a "
            f"{type(value).__name__}."
        ) from None
    whole = not found.is_floating_point() and not found.is_complex() and found.dtype != torch.bool
    return found.to(kind) if kind is not None and whole else found
