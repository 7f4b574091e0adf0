"""What was read in pictures and films, as lines for people and as rows for tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from fercourse.evaluation.film import Frame, Seen
from fercourse.evaluation.recognise import FacePrediction
from fercourse.evaluation.sources import PIPED, Answer
from fercourse.labels import Expression

_FACE = ("left", "top", "right", "bottom", "found_with", "expression", "sure")

PICTURE_COLUMNS = ("file", "face", *_FACE)
"""Of a table of pictures, before a column for each expression and ``error``."""

FILM_COLUMNS = ("frame", "seconds", "face", *_FACE)
"""Of a table of a film, before a column for each expression."""


def classes(count: int) -> tuple[str, ...]:
    """Columns of probabilities: "p_angry", ..."""
    return tuple(f"p_{Expression(k).name.lower()}" for k in range(count))


def in_words(face: FacePrediction, shown: int = 3) -> str:
    """ "Happy 83%, Neutral 10%, Sad 3%", or after "unsure: " if no answer is likely enough."""
    said = ", ".join(f"{e.title} {p:.0%}" for e, p in face.ranked()[:shown])
    return said if face.sure else f"unsure: {said}"


def lines(answer: Answer) -> list[str]:
    """A line a face: file, number and place, and what it is read as."""
    name = answer.source.name
    if not answer.faces:
        return [f"{name}: no face was found."]
    return [
        f"{name}, face {k}{_place(face)}: {in_words(face)}"
        for k, face in enumerate(answer.faces, start=1)
    ]


def document(answer: Answer) -> dict[str, Any]:
    """Plain JSON values: file, faces, and an error where it could not be read."""
    found: dict[str, Any] = {
        "file": answer.source.name,
        "faces": [face.to_dict() for face in answer.faces],
    }
    return found | ({"error": answer.error} if answer.error else {})


def picture_rows(answer: Answer, count: int) -> list[list[Any]]:
    """Of :data:`PICTURE_COLUMNS`; one without a face is a row too."""
    name = answer.source.name
    if not answer.faces:
        empty = [""] * (len(_FACE) + count)
        return [[name, "", *empty, answer.error or "no face was found"]]
    return [[name, k, *_cells(face), ""] for k, face in enumerate(answer.faces, start=1)]


def film_rows(frame: Frame, faces: list[Seen]) -> list[list[Any]]:
    """Of :data:`FILM_COLUMNS`, for one frame."""
    seconds = f"{frame.seconds:.3f}"
    return [[frame.number, seconds, each.face, *_cells(each.prediction)] for each in faces]


class Names:
    """Names of annotated pictures, each given once: "a-faces.png", then "a-faces-2.png"."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def take(self, source: str) -> str:
        """A name for the picture made of a source."""
        stem = "piped" if source == PIPED else Path(source).stem
        self._given[stem.lower()] += 1  # some file systems do not tell A from a
        again = self._given[stem.lower()]
        return f"{stem}-faces{f'-{again}' if again > 1 else ''}.png"


def _place(face: FacePrediction) -> str:
    if face.detection is None:
        return ""
    left, top, right, bottom = (round(v) for v in face.detection.box)
    return f" at ({left}, {top}, {right}, {bottom})"


def _cells(face: FacePrediction) -> list[Any]:
    place: list[Any] = [""] * 5
    if face.detection is not None:
        place = [*(round(v, 1) for v in face.detection.box), round(face.detection.probability, 4)]
    p = [round(p, 4) for p in face.probabilities]
    return [*place, face.expression.name.lower(), int(face.sure), *p]
