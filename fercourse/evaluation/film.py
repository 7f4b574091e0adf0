"""Films and cameras: a face is followed from frame to frame, its answers are smoothed in time."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from fercourse.errors import FercourseError
from fercourse.evaluation.recognise import FacePrediction, Reader, annotated, cut_upright
from fercourse.files import atomic_write, part_of

if TYPE_CHECKING:
    from fercourse.detection import Detection

EVERY = 5
"""Frames from one search for faces to the next; between them boxes stay where they were."""

SMOOTHING = 0.3
"""Seconds after which a frame counts for a third of what it did."""

SAME = 0.3
"""Overlap (intersection over union) from which a box is that of a face seen before."""


@dataclass(frozen=True)
class Frame:
    """A picture of a film.

    Attributes:
        number: From 0.
        seconds: Since the first.
        picture: RGB.
    """

    number: int
    seconds: float
    picture: Image.Image


@dataclass(frozen=True)
class Seen:
    """A face in a frame.

    Attributes:
        face: Its number, the same as long as it is followed.
        prediction: Smoothed over time.
    """

    face: int
    prediction: FacePrediction


@contextmanager
def opened(source: str | Path | int) -> Iterator[tuple[Iterator[Frame], float]]:
    """The frames of a film, or of a camera by its number, and their rate.

    Yields:
        Frames, and how many there are a second: as a film's file says, or of a camera as it claims.

    Raises:
        FercourseError: OpenCV is missing, or the film or camera cannot be opened.
    """
    cv2 = _opencv()
    camera = isinstance(source, int)
    if not camera and not Path(source).is_file():
        raise FercourseError(f"There is no file {source}.")
    capture = cv2.VideoCapture(source if camera else os.fspath(source))
    try:
        if not capture.isOpened():
            raise FercourseError(
                f"There is no camera {source} here, or another program has it."
                if camera
                else f"{source} cannot be read as a film; use an MP4, MOV, AVI or WebM."
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if math.isfinite(rate) and rate > 0 else 25.0
        yield _frames(cv2, capture, rate, camera), rate
    finally:
        capture.release()


def _frames(cv2: Any, capture: Any, rate: float, camera: bool) -> Iterator[Frame]:
    started = time.monotonic()
    number = 0
    while True:
        there, pixels = capture.read()
        if not there:
            return
        seconds = time.monotonic() - started if camera else number / rate
        yield Frame(number, seconds, Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)))
        number += 1


@dataclass
class _Face:
    number: int
    detection: Detection
    logits: torch.Tensor | None = None
    seconds: float = 0.0


class Follower:
    """Reads frames in order.

    Args:
        reader: How faces are read.
        every: Frames from one search to the next.
        smoothing: Seconds; 0 takes each frame's own answer.

    Raises:
        FercourseError: ``every`` is below 1, or ``smoothing`` negative.
    """

    def __init__(self, reader: Reader, every: int = EVERY, smoothing: float = SMOOTHING) -> None:
        if every < 1 or smoothing < 0:
            raise FercourseError(
                f"every must be 1 or more and smoothing not negative, not {every} and {smoothing}."
            )
        self.reader, self.every, self.smoothing = reader, every, smoothing
        self._faces: list[_Face] = []
        self._count = 0

    def read(self, frame: Frame) -> list[Seen]:
        """The faces of the next frame, largest first."""
        if frame.number % self.every == 0:
            from fercourse.detection import detect

            self._faces = self._matched(detect([frame.picture])[0])
        if not self._faces:
            return []
        size = self.reader.trained.run.data.size
        cut = [cut_upright(frame.picture, face.detection, size) for face in self._faces]
        found = []
        for face, p in zip(self._faces, self.reader.classify(torch.stack(cut)), strict=True):
            own = p.clamp_min(1e-6).log()
            if face.logits is None or not self.smoothing:
                face.logits = own
            else:  # an exponential mean: of log-probabilities, so that one clear frame counts
                kept = math.exp(-(frame.seconds - face.seconds) / self.smoothing)
                face.logits = kept * face.logits + (1 - kept) * own
            face.seconds = frame.seconds
            smooth = tuple(face.logits.softmax(0).tolist())
            prediction = FacePrediction(face.detection, smooth, self.reader.sure_from)
            found.append(Seen(face.number, prediction))
        return found

    def _matched(self, detections: Sequence[Detection]) -> list[_Face]:
        """Faces seen before keep number and memory."""
        from fercourse.detection import match

        before = np.array([face.detection.box for face in self._faces])
        same = match(np.array([found.box for found in detections]), before, SAME)
        faces = []
        for detection, index in zip(detections, same, strict=True):
            if index >= 0:
                faces.append(replace(self._faces[index], detection=detection))
            else:
                faces.append(_Face(self._count, detection))
                self._count += 1
        return faces


class FilmWriter:
    """An annotated film; the file appears when it is whole.

    Args:
        path: Ends in ".mp4".
        rate: Frames a second.

    Raises:
        FercourseError: Another ending, or OpenCV cannot write films here.
    """

    def __init__(self, path: Path, rate: float) -> None:
        if path.suffix.lower() != ".mp4":
            raise FercourseError(f"{path} cannot be written: let the film's name end in .mp4.")
        self.path, self.rate = path, rate
        self._part = part_of(path, ".mp4")
        self._writer: Any = None
        self._written = 0

    def add(self, frame: Frame, faces: Sequence[Seen]) -> None:
        """One frame with its faces drawn, as often as the film's clock needs it.

        A camera that is read more slowly than it claims would else make a film that runs too fast.
        """
        cv2 = _opencv()
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._part), code, self.rate, frame.picture.size)
            if not self._writer.isOpened():
                raise FercourseError(f"OpenCV cannot write films here: {self.path} was not begun.")
        copies = round(frame.seconds * self.rate) + 1 - self._written
        if copies > 0:
            drawn = annotated(frame.picture, [each.prediction for each in faces])
            pixels = cv2.cvtColor(np.asarray(drawn), cv2.COLOR_RGB2BGR)
            for _ in range(copies):
                self._writer.write(pixels)
            self._written += copies

    def finish(self) -> None:
        """Move the film into its place; one that was never begun leaves nothing."""
        if self._writer is not None:
            self._writer.release()
            with atomic_write(self.path) as part:
                os.replace(self._part, part)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._writer is not None:
            self._writer.release()
        self._part.unlink(missing_ok=True)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise FercourseError(
            "Films and cameras need OpenCV: run `make setup`, or `pip install 'fercourse[video]'` "
            f"({error})."
        ) from error
    return cv2
