"""The data sets: one record each, which everything that asks "which data set is this?" reads.

A new one is a reader (a module of :mod:`fercourse.datasets`) and a record here; CONTRIBUTING.md
goes through it step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fercourse.errors import FercourseError

if TYPE_CHECKING:
    from fercourse.datasets.archive import Archive
    from fercourse.datasets.table import Table


@dataclass(frozen=True)
class DataSet:
    """What is particular to a data set.

    Attributes:
        name: As in ``DataConfig.name`` and the ledger.
        title: As figures and pages print it.
        card: For a model card: what the faces are, and how they were split;
            may use ``{difficulty}``.
        files: What its file or folder is called where data sets are looked for, likeliest first.
        reader: Takes an archive and gives all images, or None where it is another data set. As
            ``"module:function"`` it is imported when it is needed.
        drawn: The faces are drawn by :mod:`fercourse.datasets.synthetic`: nothing is read.
        folded: It has no splits of its own: ``data.seed`` cuts it into ``data.folds`` folds.
        frames: Images of one recording, nearly one picture, which count as one in an error.
        leaks: Some test images have a copy in the training split, so that accuracy without them
            is reported too.
        splits: What it calls the splits that train, select and judge.
        by_hand: How to get it; ``{folder}`` is where data sets are kept.
        download: ``fercourse data get`` may fetch it.
        aliases: What else it is called, in lower case.
        asked: Its files can be read as another set, too: it is read by name only.
        recipe: Config fields in which a preset is changed for it, by preset: few images need small
            batches and more epochs.
    """

    name: str
    title: str
    card: str = ""
    files: tuple[str, ...] = ()
    reader: str | Callable[[Archive], Table | None] = ""
    drawn: bool = False
    folded: bool = False
    frames: int = 1
    leaks: bool = False
    splits: tuple[str, str, str] = ("train", "val", "test")
    by_hand: str = ""
    download: bool = False
    aliases: tuple[str, ...] = ()
    asked: bool = False
    recipe: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def read(self, archive: Archive) -> Table | None:
        """All images of an archive before they are cut into splits; None if it is not this."""
        reader = imported(self.reader) if isinstance(self.reader, str) else self.reader
        return reader(archive)


# Faces of 28,709 photographs make 224 steps an epoch, those of 780 frames a tenth even in batches
# a quarter as large: twice the epochs.
_FEW = {
    "course": {"train.batch_size": 32, "train.epochs": 300},
    "cpu": {"train.batch_size": 32, "train.epochs": 32},
}

REGISTRY: dict[str, DataSet] = {
    made.name: made
    for made in (
        DataSet(
            "fer2013",
            "FER2013",
            "FER2013 (Goodfellow et al., 2013): 48-pixel grey photographs found by web search, "
            "labelled by few annotators, with label noise; disgust is rare. Trained on Training, "
            "the epoch selected on PublicTest, judged once on PrivateTest.",
            files=(
                *("fer2013.zip", "fer2013.csv", "icml_face_data.csv", "fer2013"),
                *("fer2013.tar.gz", "fer2013.csv.gz", "*.parquet"),
            ),
            reader="fercourse.datasets.fer2013:read",
            aliases=("fer", "fer-2013", "fer_2013", "fer 2013"),
            leaks=True,
            splits=("Training", "PublicTest", "PrivateTest"),
            by_hand="with a free account, download "
            "https://www.kaggle.com/datasets/msambare/fer2013 and save the archive as "
            "{folder}/fer2013.zip, without unpacking it",
            download=True,
        ),
        DataSet(
            "ckplus",
            "CK+",
            files=(
                *("ckplus48.zip", "CK+48.zip", "CK+48", "ckplus", "CK+"),
                *("cohn-kanade-images", "*cohn-kanade-images.zip"),
            ),
            reader="fercourse.datasets.ckplus:read",
            aliases=("ck", "ck+", "ck+48", "ck48", "ckplus48", "ck plus", "ck-plus", "ck_plus"),
            folded=True,
            frames=3,
            by_hand="ask its authors as told at http://www.pitt.edu/~emotion/ck-spread.htm, sign "
            "their agreement, and unpack cohn-kanade-images.zip and Emotion_labels.zip side by "
            "side into {folder}/ckplus; or put a CK+48 archive you may use at "
            "{folder}/ckplus48.zip",
            recipe=_FEW,
        ),
        DataSet(
            "ferplus",
            "FER+",
            "FER+ (Barsoum et al., 2016): FER2013's photographs, each labelled anew by ten people; "
            "a face's label is what most of them saw, and it is trained on their votes.",
            files=("fer2013new.csv",),
            reader="fercourse.datasets.ferplus:read",
            aliases=("fer+", "fer-plus", "fer_plus"),
            asked=True,
            leaks=True,
            splits=("Training", "PublicTest", "PrivateTest"),
            by_hand="download https://github.com/microsoft/FERPlus/blob/master/fer2013new.csv and "
            "save it as {folder}/fer2013new.csv, beside FER2013's own {folder}/fer2013.csv",
        ),
        DataSet(
            "synthetic",
            "Built-in faces",
            "Built-in faces, drawn from facial action units at difficulty {difficulty:g}; no "
            "photograph was used. Subjects of the training, validation and test parts are "
            "disjoint. **The numbers say nothing about real faces.**",
            drawn=True,
        ),
    )
}
"""By name, in the paper's order; ours last."""


def canonical(name: str) -> str:
    """A data set's name, of whatever it was called: "fer2013" of "FER2013", "ckplus" of "CK+".

    What is nobody's name comes back as it is.
    """
    word = name.strip().lower()
    return next((n for n, each in REGISTRY.items() if word == n or word in each.aliases), name)


def known(name: str) -> DataSet:
    """The record of a data set; of a name that is not registered, one without peculiarities."""
    return REGISTRY.get(name) or DataSet(name, name)


def on_disk() -> dict[str, DataSet]:
    """Those that are read from files."""
    return {name: each for name, each in REGISTRY.items() if not each.drawn}


def imported(path: str) -> Any:
    """What ``"module:name"`` stands for.

    Raises:
        FercourseError: It is no such path.
    """
    module, _, name = path.partition(":")
    if not name:
        raise FercourseError(f"{path!r} is no 'module:function'.")
    return getattr(import_module(module), name)
