"""FER2013 in every layout it is passed around in (Goodfellow et al. 2013).

Training becomes ``train``, PublicTest ``val`` and PrivateTest ``test``, as in the contest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fercourse.datasets.archive import Archive
from fercourse.datasets.images import decode
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError
from fercourse.labels import BASIC, Expression

SIDE = 48
"""Height and width of the original images."""

OFFICIAL = {"training": "train", "publictest": "val", "privatetest": "test"}
"""The contest's word -> our split."""

_FOLDER = OFFICIAL | {
    "train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
}  # fmt: skip
_CSV = ("fer2013.csv", "icml_face_data.csv")
_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".pgm")


def read(archive: Archive) -> Table | None:
    """Read whichever layout the archive has; None where it is no FER2013.

    Raises:
        FercourseError: The official split cannot be known, columns are missing, or more than 1 %
            of the rows are bad.
    """
    by_suffix: dict[str, list[str]] = {}
    for name in archive.names:
        by_suffix.setdefault("." + name.lower().rpartition(".")[2], []).append(name)
    if csvs := by_suffix.get(".csv"):
        known = [n for n in csvs if n.rpartition("/")[2].lower() in _CSV]
        if known or len(csvs) == 1:
            return read_csv(archive, (known or csvs)[0])
    if parquets := by_suffix.get(".parquet"):
        return read_parquet(archive, parquets)
    if any(suffix in by_suffix for suffix in _IMAGES):
        return read_images(archive)
    return None


# --- fer2013.csv (emotion,pixels,Usage) and icml_face_data.csv (emotion, Usage, pixels) ---------


def read_csv(archive: Archive, name: str) -> Table:
    """One line an image: a class number, 2,304 grey values, and the usage, in any order.

    No field of the file holds a comma or a line break, so lines are cut without a csv parser's
    memory of open quotes: a stray quote costs its own row only.
    """
    where = str(archive.path) if archive.names == [name] else f"{archive.path}: {name}"
    rows = Collector(where, "csv")
    with archive.open(name) as file:
        header = _fields(file.readline().decode("utf-8-sig", "replace").lower())
        missing = {"emotion", "pixels", "usage"} - set(header)
        if missing:
            raise FercourseError(
                f"{where} has no column {', '.join(sorted(missing))} in line 1; FER2013 has "
                "emotion, pixels and Usage (the contest's train.csv and test.csv do not do)."
            )
        column = {key: header.index(key) for key in ("emotion", "pixels", "usage")}
        for number, line in enumerate(_progress(file, f"reading {name}"), start=2):
            text = line.decode("utf-8", "replace")
            if not text.strip():
                continue
            try:
                fields = _fields(text)
                if len(fields) != len(header):
                    raise FercourseError(f"{len(fields)} fields instead of {len(header)}")
                label = _label(fields[column["emotion"]])
                image = _pixels(fields[column["pixels"]])
                split = _usage(fields[column["usage"]])
            except FercourseError as bad:
                rows.skip(f"line {number}", bad)
            else:
                rows.add(image, label, split=split, id=str(number), where=f"line {number}")
    return rows.table("fer2013")


def _fields(line: str) -> list[str]:
    return [field.strip().strip('"').strip() for field in line.split(",")]


def _pixels(text: str) -> np.ndarray:
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError:
        raise FercourseError("pixels that are not whole numbers") from None
    if len(values) != SIDE * SIDE:
        raise FercourseError(f"{len(values):,} pixels instead of {SIDE * SIDE:,}")
    if values.min() < 0 or values.max() > 255:
        raise FercourseError("a pixel outside 0..255")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _label(value: Any) -> Expression:
    """One of the seven classes, from a number (as text, too) or a name."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    try:
        label = Expression.parse(value)
    except FercourseError:
        label = None
    if label not in BASIC:
        raise FercourseError(f"unknown emotion {value!r}")
    return label


def _usage(value: str) -> str:
    split = OFFICIAL.get(value.strip().lower())
    if split is None:
        raise FercourseError(f"unknown usage {value!r}")
    return split


# --- folders of images, also inside a zip -------------------------------------------------------


def read_images(archive: Archive) -> Table:
    """``<split>/<class>/<Usage>_<number>.jpg``, with or without folders above.

    The usage in the file name decides. Without it the folders must: Training, PublicTest and
    PrivateTest, or train, val and test.
    """
    rows = Collector(str(archive.path), "zip of folders" if archive.path.is_file() else "folders")
    names = sorted((n for n in archive.names if _split_of(n)), key=_natural)
    _require_official(str(archive.path), {_split_of(n) for n in names}, rows)
    for name in _progress(names, f"decoding {archive.path.name}"):
        split, official = _split_of(name)
        folder, _, file = f"/{name}".rpartition("/")
        try:
            label = _label(folder.rpartition("/")[2])
            image = decode(archive.read(name))
        except FercourseError as bad:
            rows.skip(name, bad)
        else:
            id = file.rpartition(".")[0] if official else name
            rows.add(image, label, split=split, id=id, where=name)
    return rows.table("fer2013")


def _split_of(name: str) -> tuple[str, bool] | None:
    """The split a path tells, and whether in the contest's own words; None where it tells none."""
    *folders, file = name.lower().split("/")
    words = [re.split(r"[^a-z]", file, maxsplit=1)[0], *reversed(folders)]
    for vocabulary in (OFFICIAL, _FOLDER):
        for word in words if vocabulary is OFFICIAL else words[1:]:
            if word in vocabulary:
                return vocabulary[word], vocabulary is OFFICIAL
    return None


def _require_official(source: str, splits: set[tuple[str, bool]], rows: Collector) -> None:
    """Refuse a copy that does not tell PublicTest from PrivateTest."""
    if ("test", False) not in splits:
        return
    if not any(split == "val" for split, _ in splits):
        raise FercourseError(
            f"{source} has train and test but does not say which test images are PublicTest and "
            "which PrivateTest, so the official split cannot be known; take a copy whose file "
            "names begin with PublicTest_ and PrivateTest_, or fer2013.csv."
        )
    rows.notes.append(
        "The usage is not in the file names: val was taken for PublicTest, test for PrivateTest."
    )


def _natural(name: str) -> tuple[list[Any], str]:
    """Sort by file name, numbers as numbers: the same order whatever the folders are called."""
    parts = re.split(r"([0-9]+)", name.rpartition("/")[2])
    return [int(p) if p.isdecimal() else p for p in parts], name


# --- the hub's parquet --------------------------------------------------------------------------


def read_parquet(archive: Archive, names: list[str]) -> Table:
    """A column of encoded images (or of pixels as text), one of labels; splits as files or column.

    Labels may be numbers whose names stand in the file's own metadata: many copies on the hub
    number the classes alphabetically, so that 4 is neutral.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise FercourseError(
            f"Reading {archive.path} needs pyarrow: pip install 'fercourse[data]'."
        ) from None
    rows = Collector(str(archive.path), "parquet")
    splits = {n: _split_of(n) or _split_of(re.sub(r"[^A-Za-z/]", "/", n)) for n in names}
    for name in sorted(names):
        where = str(archive.path) if archive.names == [name] else f"{archive.path}: {name}"
        try:
            file = pq.ParquetFile(archive.open(name))
            column = _columns(file.schema_arrow.names, where, splits[name] is None)
            classes = _class_names(file.schema_arrow.metadata, column["label"])
            wanted = [c for c in column.values() if c is not None]
            batches = file.iter_batches(batch_size=1024, columns=wanted)
            cells = (row for batch in batches for row in batch.to_pylist())
            for number, row in enumerate(_progress(cells, f"decoding {name}"), start=1):
                try:
                    label = row[column["label"]]
                    if classes and isinstance(label, int) and 0 <= label < len(classes):
                        label = classes[label]
                    label = _label(label)
                    image = _cell(row[column["image"]])
                    split = splits[name] or (_usage_or_split(row[column["split"]]), True)
                except FercourseError as bad:
                    rows.skip(f"{name} row {number}", bad)
                else:
                    rows.add(image, label, split=split[0], id=f"{name}:{number}", where=name)
        except (pa.ArrowException, OSError) as error:
            raise FercourseError(f"{where} is not a readable parquet file: {error}.") from error
    _require_official(str(archive.path), {s for s in splits.values() if s}, rows)
    return rows.table("fer2013")


_COLUMNS = {
    "image": ("image", "img", "img_bytes", "image_bytes", "bytes", "pixels", "jpg", "png"),
    "label": ("label", "labels", "emotion", "class", "cls", "target"),
    "split": ("usage", "split"),
}


def _columns(names: list[str], where: str, need_split: bool) -> dict[str, str | None]:
    """Which column is which, by the names the hub's copies use."""
    found = {
        role: next((n for word in words for n in names if n.strip().lower() == word), None)
        for role, words in _COLUMNS.items()
    }
    for role in ("image", "label", *(("split",) if need_split else ())):
        if found[role] is None:
            raise FercourseError(
                f"{where} has no {role} column among {', '.join(names)}; it should be called one "
                f"of {', '.join(_COLUMNS[role])}"
                + (", or the file be named after its split." if role == "split" else ".")
            )
    return found


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str] | None:
    """The names of a hub ClassLabel column, from the JSON the hub's library leaves in the file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = features[column]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return [str(n) for n in names] if isinstance(names, list) else None


def _cell(value: Any) -> np.ndarray:
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, str):
        return _pixels(value)
    if not isinstance(value, bytes):
        raise FercourseError("no image in the row")
    return decode(value)


def _usage_or_split(value: Any) -> str:
    word = str(value).strip().lower()
    return _FOLDER.get(word) or _usage(str(value))


def _progress(rows: Iterable[Any], what: str) -> Iterable[Any]:
    """A bar on a terminal, nothing elsewhere."""
    return tqdm(rows, what, unit=" images", leave=False, disable=None)
