"""From a name or a path to a :class:`FaceDataset`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from fercourse.datasets import cache
from fercourse.datasets.archive import Archive
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.datasets.fingerprint import digest
from fercourse.datasets.registry import known, on_disk
from fercourse.datasets.splits import assign_folds, fold_splits, kept_together
from fercourse.datasets.table import Table
from fercourse.errors import FercourseError
from fercourse.images import resize
from fercourse.labels import Expression
from fercourse.settings import checkout, chosen_data


def load(
    source: str | Path,
    *,
    size: int = 48,
    count: int = 4000,
    seed: int = 0,
    difficulty: float = 0.5,
    folds: int = 10,
    fold: int = 0,
    by: Literal["subject", "sequence", "random"] = "subject",
    contempt: bool = False,
    path: str | Path | None = None,
) -> FaceDataset:
    """Load a data set, decoded once and cached.

    Args:
        source: "synthetic", "fer2013", "ckplus", or a path, whose layout is recognised.
        size: Height and width of the images, pixels; other sizes are resized bilinearly.
        count: For "synthetic", faces to draw.
        seed: Of the drawn faces ("synthetic"), or of the folds ("ckplus").
        difficulty: For "synthetic", in [0, 1].
        folds: For "ckplus", how many folds.
        fold: For "ckplus", the fold that is the test split; the next one is the validation split.
        by: For "ckplus", what stays in one fold; see
            :func:`fercourse.datasets.splits.kept_together`.
        contempt: For "ckplus", keep the class the paper drops.
        path: Where "fer2013" or "ckplus" lies; default: :func:`find`.

    Raises:
        FercourseError: Nothing was found, or it cannot be read; see the readers.
    """
    if size < 1:
        raise FercourseError(f"size must be at least 1 pixel, not {size}.")
    record = known(str(source))
    if record.drawn:
        from fercourse.datasets.synthetic import dataset

        return dataset(size=size, count=count, seed=seed, difficulty=difficulty)
    if source in on_disk():
        table = read_table(str(source), None if path is None else Path(path))
    elif path is None and Path(source).exists():
        table = read_table(None, Path(source))
    else:
        raise FercourseError(
            f"{str(source)!r} is neither a file or folder nor one of "
            f"synthetic, {', '.join(on_disk())}."
        )
    if known(table.name).folded:
        table = _cut(table, folds=folds, fold=fold, by=by, seed=seed, contempt=contempt)
    return _dataset(table, size)


def load_config(config: DataConfig, source: str | Path | None = None) -> FaceDataset:
    """Load what a run's config names, cropped by MTCNN and with drawn faces where it says so.

    Args:
        config: Name, size, folds and the like.
        source: A name or a path to take in place of ``config.name``: where data lie is not part of
            a run.
    """
    dataset = load(
        source or config.name,
        size=config.size,
        count=config.count,
        seed=config.seed,
        difficulty=config.difficulty,
        folds=config.folds,
        fold=config.fold,
        by=config.by,
        contempt=config.contempt,
    )
    if config.crop:
        from fercourse.datasets.cropped import crop_dataset

        dataset = crop_dataset(dataset, config.size)
    if config.drawn:
        more = load("synthetic", size=config.size, count=config.drawn, difficulty=config.difficulty)
        dataset = replace(dataset, drawn=more.train)
    return dataset


def read_table(name: str | None, path: Path | None = None) -> Table:
    """All images of a data set before it is cut, from the cache where it holds them.

    Args:
        name: "fer2013", "ckplus", or None to take what ``path`` turns out to be.
        path: The file or folder; None looks where :func:`find` looks.
    """
    if path is not None:
        archive = _at(path, name)
    elif name is not None:
        archive = find(name)
    else:
        raise FercourseError("a data set needs a name or a path.")
    key = archive.key()
    table = cache.get(key)
    if table is None:
        # The one registered last first: FER2013's reader takes any folders of images.
        readers = reversed(on_disk().values())
        table = next((found for each in readers if (found := each.read(archive))), None)
        if table is None:
            raise FercourseError(
                f"{archive.path} is no layout known here: FER2013 as csv, zip, parquet or folders "
                "of images, CK+ as cohn-kanade-images/ with Emotion/, or CK+48."
            )
        cache.put(key, table)
    if name is not None and table.name != name:
        raise FercourseError(f"{archive.path} is {table.name}, not {name}.")
    return replace(table, report=replace(table.report, source=str(archive.path)))


def folders() -> list[Path]:
    """Where data sets are looked for, first to last: ``$FERCOURSE_DATA`` alone where it is set."""
    if chosen := chosen_data():
        return [chosen]
    roots = [Path.cwd(), *filter(None, [checkout()])]
    places = [root / "data" for root in roots]
    places += [root.parent / "shared" / "data" for root in roots]
    return list(dict.fromkeys(places))


def find(name: str) -> Archive:
    """The data set ``name`` in :func:`folders`.

    Raises:
        FercourseError: It is in none of them.
    """
    chosen = chosen_data()
    if chosen and not chosen.is_dir():
        raise FercourseError(
            f"FERCOURSE_DATA is {chosen}, which is no folder; correct or unset it."
        )
    for folder in folders():
        if archive := _on_shelf(folder, name):
            return archive
    places = ", ".join(str(folder) for folder in folders())
    to = f" --to {chosen}" if chosen else ""
    raise FercourseError(
        f"No {name} was found: looked for {', '.join(known(name).files)} in {places}; "
        f"set FERCOURSE_DATA to its folder, or run: fercourse data get {name}{to}"
    )


def _at(path: Path, name: str | None) -> Archive:
    """What lies at a path, which may be a data set or the folder that holds it."""
    shelf = {n: a for n in ([name] if name else on_disk()) if (a := _on_shelf(path, n))}
    if len(shelf) > 1:
        raise FercourseError(f"{path} holds {' and '.join(shelf)}; say which, or name the file.")
    return next(iter(shelf.values())) if shelf else Archive(path)


def _on_shelf(folder: Path, name: str) -> Archive | None:
    """The data set in a folder that may hold others beside it."""
    for pattern in known(name).files:
        for entry in sorted(folder.glob(pattern)):
            if entry.name == "cohn-kanade-images":
                return Archive(folder, only=("cohn-kanade-images", "Emotion*"))
            return Archive(folder, only=(pattern,)) if "*" in pattern else Archive(entry)
    return None


def _cut(table: Table, *, folds: int, fold: int, by: str, seed: int, contempt: bool) -> Table:
    """CK+ with its classes chosen and its folds named as splits."""
    if (subjects := table.subjects) is None:
        raise FercourseError(f"{table.report.source} does not say who is shown: no folds.")
    keep = np.ones(len(table.labels), dtype=bool)
    if not contempt:
        keep = table.labels != Expression.CONTEMPT
        note = f"Left out {np.sum(~keep)} images of contempt, as the paper does."
        table = table.with_notes([note])
    labels, subjects, ids = table.labels[keep], subjects[keep], table.ids[keep]
    number = assign_folds(labels, kept_together(by, subjects, ids), folds, seed=seed)
    return replace(
        table,
        images=table.images[keep],
        labels=labels,
        subjects=subjects,
        ids=ids,
        splits=fold_splits(number, fold, folds),
    )


def _dataset(table: Table, size: int) -> FaceDataset:
    if table.splits is None:
        raise FercourseError(f"{table.report.source} has no splits.")
    parts = {}
    for split in ("train", "val", "test"):
        at = np.flatnonzero(table.splits == split)
        if not len(at):
            raise FercourseError(f"{table.report.source} has no images for the {split} split.")
        parts[split] = Faces(
            images=resize(torch.from_numpy(table.images[at]), size),
            labels=torch.from_numpy(table.labels[at]),
            subjects=None if table.subjects is None else table.subjects[at],
            ids=table.ids[at],
        )
    return FaceDataset(
        train=parts["train"],
        val=parts["val"],
        test=held_out(parts["test"]),
        name=table.name,
        fingerprint=digest(table.images, table.labels, table.splits),
        report=table.report,
    )
