"""CK+ (Lucey et al. 2010): the original release, and CK+48, the crops most papers train on."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import torch
from tqdm.auto import tqdm

from fercourse.datasets.archive import Archive
from fercourse.datasets.fer2013 import parsing
from fercourse.datasets.fer2013.folders import images_in, told
from fercourse.datasets.table import Collector, Table
from fercourse.errors import FercourseError
from fercourse.images import central_square, decode, resize
from fercourse.labels import Expression

SIDE = 224
"""Frames of the original release are kept at this height and width, the paper's input size."""

CODES = (
    Expression.NEUTRAL,
    Expression.ANGRY,
    Expression.CONTEMPT,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.HAPPY,
    Expression.SAD,
    Expression.SURPRISE,
)
"""What the numbers 0 to 7 in ``*_emotion.txt`` stand for."""

PEAK = 3
"""Frames taken from the end of a labelled sequence."""

_FRAME = re.compile(
    r"(?:^|/)[^/]*?((S\d{3})_(\d{3})_(\d{8}))[^/]*\.(?:png|jpg|jpeg|tif|tiff)$", re.I
)
_EMOTION = re.compile(r"(?:^|/)(S\d{3})_(\d{3})_\d{8}_emotion\.txt$", re.I)
_CALLED = re.compile(r"(?:^|[^a-z])ck[ _-]?(?:\+|plus)?[ _-]?(?:48|extended)?(?:$|[^a-z0-9])", re.I)
"""A folder or file named after CK+; "ck" alone counts only with nothing behind it."""


def read(archive: Archive) -> Table | None:
    """Read whichever layout the archive has; None where it is no CK+."""
    frames = [n for n in archive.names if _FRAME.search(n)]
    if any(_EMOTION.search(n) for n in archive.names):
        return read_original(archive)
    if any("cohn-kanade-images" in n for n in (archive.path.name, *frames[:1])):
        raise FercourseError(
            f"{archive.path} has CK+'s frames but no Emotion folder: put Emotion/ (from "
            "Emotion_labels.zip) beside cohn-kanade-images/ and name the folder above both."
        )
    if frames:
        return read_ck48(archive, frames)
    return read_ck48(archive, _renamed(archive))


def _renamed(archive: Archive) -> list[str]:
    """The images of a CK+48 whose files are called otherwise: known by what its folder is called.

    None where they are in splits: then it is another's work, or another set.
    """
    images, _ = images_in(archive)
    called = [archive.path.name, *{name.partition("/")[0] for name in images}]
    if not any(_CALLED.search(name.rpartition(".")[0] or name) for name in called):
        return []
    return [] if any(parsing.split_of(name) for name in images) else images


def read_ck48(archive: Archive, names: list[str]) -> Table | None:
    """``<class>/S<subject>_<session>_<frame>.png``: peak frames only, so there is no neutral.

    The class may stand in the file's name instead. Who is shown stands nowhere else: of files that
    are called otherwise it is not known.
    """
    if not names:
        return None
    rows = Collector(str(archive.path), "CK+48")
    pictures = [told(name) for name in sorted(names)]
    codes = {n for p in pictures if (n := parsing.as_number(p.kind)) is not None}
    numbers = parsing.order_of(codes, archive.numbers, str(archive.path))
    seen: dict[tuple[object, ...], str] = {}
    strange = 0
    for picture in pictures:
        frame = _FRAME.search(picture.name)
        try:
            if not picture.kind:
                raise FercourseError("no class: CK+48 keeps a frame in a folder of its class")
            label = parsing.label(picture.kind, numbers)
            data = archive.read(picture.name)
            stem = frame[1].upper() if frame else ""
            own = (label, stem or hashlib.sha256(data).hexdigest())
            if own in seen:
                rows.repeat(picture.name, seen[own])
                continue
            image = decode(data)
        except FercourseError as bad:
            rows.skip(picture.name, bad)
            continue
        seen[own] = picture.name
        strange += not frame
        rows.add(
            image,
            label,
            subject=frame[2].upper() if frame else "",
            id=stem or picture.name,
            where=picture.name,
        )
    table = rows.table("ckplus")
    if not strange:
        return table
    note = (
        f"Who is shown is not told by the names of {strange:,} files, so that no person can be "
        "kept in one fold: only random folds can be cut (data.by=random)."
    )
    return replace(table, subjects=None).with_notes([note])


def read_original(archive: Archive) -> Table:
    """Neutral and peak frames of every labelled sequence.

    Of a sequence the first frame is neutral and the last three are its emotion. A frame (640x490,
    a few in colour) becomes grey, is cut to the central square of its full height, which holds
    every subject's whole head, and is resized to 224x224; the face fills about half of that, and
    ``fercourse faces crop`` finds it.
    """
    rows = Collector(str(archive.path), "CK+ original release")
    sequences: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    seen: set[str] = set()
    for name in archive.names:
        if match := _FRAME.search(name):
            stem, subject, session, frame = match.groups()
            if stem.upper() in seen:  # a zip of the images beside their folder
                rows.repeat(name)
                continue
            seen.add(stem.upper())
            key = subject.upper(), session
            sequences.setdefault(key, []).append((int(frame), stem, name))
    by_recording = {_EMOTION.findall(n)[0]: n for n in archive.names if _EMOTION.search(n)}
    labelled = sorted(by_recording.values())
    for name in tqdm(labelled, "decoding CK+", unit=" sequences", leave=False, disable=None):
        subject, session = _EMOTION.findall(name)[0]
        frames = sorted(sequences.get((subject.upper(), session), ()))
        try:
            peak = _code(archive.read(name))
            if len(frames) <= PEAK:
                raise FercourseError(f"{len(frames)} frames, too few for a neutral and three peaks")
        except FercourseError as bad:
            rows.skip(name, bad)
            continue
        chosen = [(frames[0], Expression.NEUTRAL), *((f, peak) for f in frames[-PEAK:])]
        for (_, stem, path), label in chosen:
            try:
                image = torch.from_numpy(central_square(decode(archive.read(path))).copy())[None]
            except FercourseError as bad:
                rows.skip(path, bad)
            else:
                small = resize(image, SIDE)[0].numpy()
                rows.add(small, label, subject=subject.upper(), id=stem, where=path)
    return rows.table("ckplus")


def _code(data: bytes) -> Expression:
    """The emotion in the text ``   3.0000000e+00``."""
    text = data.decode("ascii", "replace").strip()
    try:
        code = float(text)
    except ValueError:
        code = -1.0
    if code not in range(len(CODES)):
        raise FercourseError(f"unknown emotion {text[:20]!r}")
    return CODES[int(code)]
