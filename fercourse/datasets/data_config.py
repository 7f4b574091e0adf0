"""Which faces a run is trained and judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fercourse.datasets.registry import canonical, known
from fercourse.datasets.splits import CUTS
from fercourse.field_checks import check_types, require
from fercourse.labels import stated_order


@dataclass(frozen=True)
class DataConfig:
    """Which faces, cut how.

    Attributes:
        name: "synthetic", "fer2013", "ckplus", "ferplus"; where it lies on disk is not part of a
            run's name. Other spellings, as "CK+", are replaced by these.
        size: Side of the input images, pixels.
        count: Faces to draw, for "synthetic".
        difficulty: In [0, 1], for "synthetic".
        seed: Of the drawn faces, of the folds, or of ``split``.
        folds: For "ckplus", how many.
        fold: For "ckplus", which one is the test split, from 0.
        by: For "ckplus": "subject" keeps a person in one fold, "sequence" a recording of one,
            "random" neither.
        contempt: Keep the class the paper drops, where there is one ("ckplus", "ferplus").
        split: Of a copy that lacks a split, cut it from the training faces by ``seed``: a run on it
            compares with no run on the official splits.
        classes: What numbers stand for where they name classes: "affectnet", "rafdb", "fer2013",
            or names in order, "neutral,happy,sad"; "" where they are named.
        crop: Detect and crop the face with MTCNN first (section 3.1).
        drawn: Drawn faces to train on beside photographs, of ``difficulty``; 0 is none.
        drawn_first: Epochs at the start that see the drawn faces alone.
    """

    name: str = "synthetic"
    size: int = 48
    count: int = 4000
    difficulty: float = 0.5
    seed: int = 0
    folds: int = 10
    fold: int = 0
    by: Literal["subject", "sequence", "random"] = "subject"
    contempt: bool = False
    split: bool = False
    classes: str = ""
    crop: bool = False
    drawn: int = 0
    drawn_first: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        object.__setattr__(self, "name", canonical(self.name))
        if self.classes:
            stated_order(self.classes)
        require(self.size >= 32, f"size must be at least 32 pixels, not {self.size}.")
        require(self.folds >= 3, f"folds must be at least 3, not {self.folds}.")
        require(
            0 <= self.fold < self.folds, f"fold must be in 0..{self.folds - 1}, not {self.fold}."
        )
        require(self.by in CUTS, f"by must be one of {', '.join(CUTS)}, not {self.by!r}.")
        require(0 <= self.difficulty <= 1, f"difficulty must be in [0, 1]: {self.difficulty}.")
        require(
            self.drawn == 0 or self.drawn >= 21, f"drawn must be 0 or at least 21: {self.drawn}."
        )
        require(
            self.drawn_first == 0 or self.drawn > 0,
            "drawn_first needs drawn faces: set data.drawn.",
        )
        require(self.drawn_first >= 0, f"drawn_first must not be negative: {self.drawn_first}.")

    @property
    def split_names(self) -> tuple[str, str, str]:
        """What trains, selects and judges, as pages say it; own splits are called so."""
        if self.split:
            rest = "the faces that were left to train"
            return rest, f"faces cut off them (seed {self.seed})", "an unofficial test split"
        return known(self.name).splits
