"""From a name or a path to a :class:`FaceDataset`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from fercourse.datasets import cache
from fercourse.datasets.archive import Archive
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.datasets.fingerprint import digest
from fercourse.datasets.registry import REGISTRY, canonical, known, on_disk
from fercourse.datasets.splits import assign_folds, cut_splits, fold_splits, kept_together
from fercourse.datasets.table import Table
from fercourse.errors import FercourseError
from fercourse.images import resize
from fercourse.labels import Expression, stated_order
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
    split: bool = False,
    classes: str = "",
    path: str | Path | None = None,
) -> FaceDataset:
    """Load a data set, decoded once and cached.

    Args:
        source: "synthetic", "fer2013", "ckplus", "ferplus", or a path, whose layout is recognised.
        size: Height and width of the images, pixels; other sizes are resized bilinearly.
        count: For "synthetic", faces to draw.
        seed: Of the drawn faces ("synthetic"), of the folds ("ckplus"), or of ``split``.
        difficulty: For "synthetic", in [0, 1].
        folds: For "ckplus", how many folds.
        fold: For "ckplus", the fold that is the test split; the next one is the validation split.
        by: For "ckplus", what stays in one fold; see
            :func:`fercourse.datasets.splits.kept_together`.
        contempt: Keep the class the paper drops, where there is one.
        split: Of a copy without a split to select on, or to judge on, cut it from the training
            faces; see :func:`fercourse.datasets.splits.cut_splits`.
        classes: What numbers stand for where they name classes; see
            :func:`fercourse.labels.stated_order`.
        path: Where the data set lies; default: :func:`find`.

    Raises:
        FercourseError: Nothing was found, or it cannot be read; see the readers.
    """
    if size < 1:
        raise FercourseError(f"size must be at least 1 pixel, not {size}.")
    if not isinstance(source, str | Path):
        raise FercourseError(
            f"load takes a name or a path, not a {type(source).__name__}: of images and labels, "
            "make Faces(images, labels)."
        )
    name = canonical(str(source))
    if known(name).drawn:
        from fercourse.datasets.synthetic import dataset

        if split:
            raise FercourseError("The built-in faces have their splits: leave split.")
        return dataset(size=size, count=count, seed=seed, difficulty=difficulty)
    if name in on_disk() and (name == source or path is not None or not Path(source).exists()):
        table = read_table(name, None if path is None else Path(path), classes)
    elif path is None and str(source) and Path(source).exists():
        table = read_table(None, Path(source), classes)
    else:
        near = get_close_matches(str(source).lower(), list(REGISTRY), 1)
        raise FercourseError(
            f"{str(source)!r} is neither a file or folder nor one of "
            f"synthetic, {', '.join(on_disk())}{f': did you mean {near[0]}?' if near else '.'}"
        )
    if not contempt:
        table = _without_contempt(table)
    if known(table.name).folded:
        if split:
            raise FercourseError("CK+ is cut into folds (data.folds, data.fold): leave split.")
        table = _cut(table, folds=folds, fold=fold, by=by, seed=seed)
    elif split:
        table = _with_splits(table, seed)
    elif table.lacks:
        raise FercourseError(
            f"{table.lacks} Or cut what is lacking from the training faces, by a stated seed: "
            "--split (split=True); results then compare with no others."
        )
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
        split=config.split,
        classes=config.classes,
    )
    if config.crop:
        from fercourse.datasets.cropped import crop_dataset

        dataset = crop_dataset(dataset, config.size)
    if config.drawn:
        more = load("synthetic", size=config.size, count=config.drawn, difficulty=config.difficulty)
        dataset = replace(dataset, drawn=more.train)
    return dataset


def read_table(name: str | None, path: Path | None = None, classes: str = "") -> Table:
    """All images of a data set before it is cut, from the cache where it holds them.

    Args:
        name: "fer2013", "ckplus", "ferplus", or None to take what ``path`` turns out to be.
        path: The file or folder; None looks where :func:`find` looks.
        classes: As for :func:`load`.
    """
    numbers = stated_order(classes) if classes else None
    if path is not None:
        archive = _at(path, name, numbers)
    elif name is not None:
        archive = find(name, numbers)
    else:
        raise FercourseError("a data set needs a name or a path.")
    table = _read(archive, name)
    if name is not None and table.name != name:
        raise FercourseError(f"{archive.path} is {table.name}, not {name}.")
    notes = [*archive.notes, *_beside(archive, table)]
    table = replace(table, report=replace(table.report, source=str(archive.path)))
    return table.with_notes(notes)


def _read(archive: Archive, name: str | None) -> Table:
    """What an archive holds; of one that may be two data sets, the one that is asked for."""
    asked = name is not None and known(name).asked
    key = archive.key() + (f"-{name}" if asked else "")
    table = cache.get(key)
    if table is None:
        # The one registered last first: FER2013's reader takes any folders of images.
        readers = [each for each in reversed(on_disk().values()) if not each.asked]
        if asked:
            readers.insert(0, known(str(name)))
        table = next((found for each in readers if (found := each.read(archive))), None)
        if table is None:
            why = f" ({' '.join(archive.notes)})" if archive.notes else ""
            raise FercourseError(
                f"{archive.path} is no layout known here{why}: FER2013 as csv, zip, parquet or "
                "folders of images, CK+ as cohn-kanade-images/ with Emotion/, or CK+48."
            )
        cache.put(key, table)
    return table


def _beside(archive: Archive, table: Table) -> list[str]:
    """What else the files could be read as."""
    place = archive.path if archive.path.is_dir() else archive.path.parent
    for each in on_disk().values():
        if each.asked and each.name != table.name and _entry(place, each.files):
            return [f"{each.title}'s labels are there, too: {each.name} in place of {table.name}."]
    return []


def folders() -> list[Path]:
    """Where data sets are looked for, first to last: ``$FERCOURSE_DATA`` alone where it is set."""
    if chosen := chosen_data():
        return [chosen]
    roots = [Path.cwd(), *filter(None, [checkout()])]
    places = [root / "data" for root in roots]
    places += [root.parent / "shared" / "data" for root in roots]
    return list(dict.fromkeys(places))


def find(name: str, numbers: Mapping[int, Expression] | None = None) -> Archive:
    """The data set ``name`` in :func:`folders`, or the one that ``$FERCOURSE_DATA`` is itself.

    Raises:
        FercourseError: It is in none of them.
    """
    chosen = chosen_data()
    if chosen and not chosen.exists():
        raise FercourseError(
            f"FERCOURSE_DATA is {chosen}, which is not there; correct or unset it."
        )
    for folder in folders():
        if archive := _on_shelf(folder, name, numbers):
            return archive
    if chosen and (archive := _itself(chosen, name, numbers)):
        return archive
    places = ", ".join(str(folder) for folder in folders())
    to = f" --to {chosen}" if chosen else ""
    raise FercourseError(
        f"No {name} was found: looked for {', '.join(known(name).files)} in {places}; "
        f"set FERCOURSE_DATA to its folder, or run: fercourse data get {name}{to}"
    )


def _itself(path: Path, name: str, numbers: Mapping[int, Expression] | None) -> Archive | None:
    """A path that is no shelf of data sets but the one that is looked for."""
    if any(_entry(path, each.files) for each in on_disk().values()):
        return None
    try:
        archive = Archive(path, numbers=numbers)
        is_it = bool(archive.names) and _read(archive, name).name == name
    except FercourseError:
        # Not known to be another one: who asked for it should read why.
        return Archive(path, numbers=numbers) if path.is_file() else None
    return archive if is_it else None


def _at(path: Path, name: str | None, numbers: Mapping[int, Expression] | None) -> Archive:
    """What lies at a path, which may be a data set or the folder that holds it."""
    names = [name] if name else [n for n, each in on_disk().items() if not each.asked]
    shelf = {n: a for n in names if (a := _on_shelf(path, n, numbers))}
    if len(shelf) > 1:
        raise FercourseError(f"{path} holds {' and '.join(shelf)}; say which, or name the file.")
    found = next(iter(shelf.values()), None)
    alone = not any(_entry(path, known(n).files) for n in on_disk() if n not in names)
    if found is None or (found.path == path and alone):
        # The folder itself was meant, and with it all that belongs to it.
        return Archive(path, numbers=numbers)
    return found


def _on_shelf(
    folder: Path, name: str, numbers: Mapping[int, Expression] | None = None
) -> Archive | None:
    """The data set in a folder that may hold others beside it."""
    record = known(name)
    entry, pattern = _entry(folder, record.files) or (None, "")
    if entry is None:
        return None
    if "cohn-kanade-images" in entry.name:
        return Archive(folder, ("*cohn-kanade-images*", "Emotion*"), numbers)
    if record.asked:  # the faces are in a file beside it
        return Archive(folder, (pattern, *known("fer2013").files), numbers)
    return Archive(folder, (pattern,), numbers) if "*" in pattern else Archive(entry, (), numbers)


def _entry(folder: Path, patterns: Sequence[str]) -> tuple[Path, str] | None:
    """The first file or folder that is called so, in capitals or not, and by which pattern."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    for pattern in patterns:
        for entry in entries:
            if fnmatchcase(entry.name.lower(), pattern.lower()):
                return entry, pattern
    return None


def _without_contempt(table: Table) -> Table:
    """The paper's seven classes."""
    if table.votes is not None:
        table = replace(table, votes=table.votes[:, : Expression.CONTEMPT])
    keep = table.labels != Expression.CONTEMPT
    if keep.all():
        return table
    if not keep.any():
        raise FercourseError(f"{table.report.source} holds nothing but contempt.")
    table = table.at(keep)
    count = f"Left out {np.sum(~keep)} images of contempt, as the paper does"
    return table.with_notes([f"{count}: contempt=True (data.contempt) keeps them."])


def _cut(table: Table, *, folds: int, fold: int, by: str, seed: int) -> Table:
    """CK+ with its folds named as splits."""
    if table.subjects is None and by != "random":
        raise FercourseError(
            f"{table.report.source} does not say who is shown, so that no person can be kept in "
            "one fold: cut it at random (by='random', --set data.by=random), and say so."
        )
    together = None if table.subjects is None else kept_together(by, table.subjects, table.ids)
    number = assign_folds(table.labels, together, folds, seed=seed)
    return replace(table, splits=fold_splits(number, fold, folds))


def _with_splits(table: Table, seed: int) -> Table:
    """A copy that lacks splits, with own ones."""
    if not table.lacks:
        raise FercourseError(f"{table.report.source} has its splits: leave split.")
    splits, note = cut_splits(table.labels, table.splits, seed)
    return replace(table, splits=splits, lacks="").with_notes([note])


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
            votes=None if table.votes is None else _shares(table.votes[at]),
        )
    return FaceDataset(
        train=parts["train"],
        val=parts["val"],
        test=held_out(parts["test"]),
        name=table.name,
        fingerprint=digest(table.images, table.labels, table.splits),
        report=table.report,
    )


def _shares(votes: np.ndarray) -> torch.Tensor:
    """Counts (N, K) to rows that sum to 1."""
    return torch.from_numpy(votes / votes.sum(axis=1, keepdims=True))
