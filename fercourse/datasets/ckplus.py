"""CK+ (Lucey et al. 2010): the original release, and CK+48, the crops most papers train on."""

from __future__ import annotations

import re

import torch
from tqdm.auto import tqdm

from fercourse.datasets.archive import Archive
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

_FRAME = re.compile(r"(?:^|/)((S\d{3})_(\d{3})_(\d{8}))\.(?:png|jpg|jpeg|tif|tiff)$", re.I)
_EMOTION = re.compile(r"(?:^|/)(S\d{3})_(\d{3})_\d{8}_emotion\.txt$", re.I)


def read(archive: Archive) -> Table | None:
    """Read whichever layout the archive has; None where it is no CK+."""
    frames = [n for n in archive.names if _FRAME.search(n)]
    if any(_EMOTION.search(n) for n in archive.names):
        return read_original(archive)
    if not frames:
        return None
    if any("cohn-kanade-images" in n for n in (archive.path.name, *frames[:1])):
        raise FercourseError(
            f"{archive.path} has CK+'s frames but no Emotion folder: put Emotion/ (from "
            "Emotion_labels.zip) beside cohn-kanade-images/ and name the folder above both."
        )
    return read_ck48(archive)


def read_ck48(archive: Archive) -> Table:
    """``<class>/S<subject>_<session>_<frame>.png``: peak frames only, so there is no neutral."""
    rows = Collector(str(archive.path), "CK+48")
    for name in sorted(archive.names):
        if not (found := _FRAME.search(name)):
            continue
        stem, subject, _, _ = found.groups()
        try:
            label = Expression.parse(name.split("/")[-2] if "/" in name else "")
            image = decode(archive.read(name))
        except FercourseError as bad:
            rows.skip(name, bad)
        else:
            rows.add(image, label, subject=subject.upper(), id=stem, where=name)
    return rows.table("ckplus")


def read_original(archive: Archive) -> Table:
    """Neutral and peak frames of every labelled sequence.

    Of a sequence the first frame is neutral and the last three are its emotion. A frame (640x490,
    a few in colour) becomes grey, is cut to the central square of its full height, which holds
    every subject's whole head, and is resized to 224x224; the face fills about half of that, and
    ``fercourse faces crop`` finds it.
    """
    rows = Collector(str(archive.path), "CK+ original release")
    sequences: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for name in archive.names:
        if match := _FRAME.search(name):
            stem, subject, session, frame = match.groups()
            key = subject.upper(), session
            sequences.setdefault(key, []).append((int(frame), stem, name))
    labelled = sorted(n for n in archive.names if _EMOTION.search(n))
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
