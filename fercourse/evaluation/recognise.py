"""From photographs to expressions: find faces, turn them upright, cut, classify, calibrate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.evaluation.calibration import cooled, even
from fercourse.evaluation.predict import probabilities
from fercourse.files import atomic_write
from fercourse.images import Held, is_one, open_one, opened
from fercourse.images import read_photo as read_photo  # for who reads photographs
from fercourse.labels import Expression
from fercourse.settings import BUNDLED
from fercourse.weights import find_weights
from fercourse.weights.trained import Trained, load_weights

if TYPE_CHECKING:
    from fercourse.detection import Detection

SURE = 0.5
"""Calibrated probability from which an answer counts: below it, being wrong is the likelier."""

AT_ONCE = 2**22
"""Pixels that are searched together, for MTCNN's maps are large (``results/photo_speed.json``).
A photograph that has more is searched alone, in a smaller copy."""

TILT = 10.0
"""Degrees from which a face is turned upright by its eyes. Landmarks err by some degrees, so that
turning faces which stand upright costs accuracy (``results/photographs.json``)."""


@dataclass(frozen=True)
class FacePrediction:
    """One face and what the model says of it.

    Attributes:
        detection: Where it is, see :class:`fercourse.detection.Detection`; None of a picture that
            was given as a face already.
        probabilities: One for each class of the model, in label order; they sum to 1.
        sure_from: Below this probability the answer counts as unsure.
        turned: Degrees, counter-clockwise, by which the picture was turned to be read.
    """

    detection: Detection | None
    probabilities: tuple[float, ...]
    sure_from: float = SURE
    turned: int = 0

    @property
    def found(self) -> Detection:
        """Where it is.

        Raises:
            FercourseError: The picture was given as a face already.
        """
        if self.detection is None:
            raise FercourseError("This face was cut out before: there is no photograph around it.")
        return self.detection

    def ranked(self) -> list[tuple[Expression, float]]:
        """Expressions with their probabilities, the likeliest first."""
        pairs = [(Expression(k), p) for k, p in enumerate(self.probabilities)]
        return sorted(pairs, key=lambda pair: -pair[1])

    @property
    def expression(self) -> Expression:
        """The likeliest."""
        return self.ranked()[0][0]

    @property
    def sure(self) -> bool:
        """Whether the likeliest is likely enough to be said."""
        return max(self.probabilities) >= self.sure_from

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        place = {}
        if self.detection is not None:
            place = {
                "box": [round(v, 1) for v in self.detection.box],
                "found_with": round(self.detection.probability, 4),
                **({"turned": self.turned} if self.turned else {}),
            }
        return {
            **place,
            "expression": self.expression.name.lower(),
            "sure": self.sure,
            "probabilities": {
                Expression(k).name.lower(): round(p, 4) for k, p in enumerate(self.probabilities)
            },
        }


@dataclass(frozen=True)
class Reader:
    """A trained network, and how photographs are read with it.

    Attributes:
        trained: As :func:`fercourse.load_weights` gives it; its temperature is used.
        device: None takes the best there is.
        sure_from: See :data:`SURE`.
        even: Answer as if every expression were as frequent
            (:func:`fercourse.evaluation.calibration.even`).
        turn: Look at pictures in their four quarter turns, and read them in the one that shows
            most faces upright; where none does better, as they are.
    """

    trained: Trained
    device: torch.device | str | None = None
    sure_from: float = SURE
    even: bool = False
    turn: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.sure_from <= 1:
            raise FercourseError(f"sure_from must be in [0, 1], not {self.sure_from}.")
        if self.even and "shares" not in self.trained.about:
            raise FercourseError(
                "These weights do not say how frequent each expression was in training: "
                "run fercourse calibrate on them first."
            )

    def classify(self, faces: Tensor) -> Tensor:
        """Calibrated probabilities float32 (N, K) of cut faces uint8 (N, S, S)."""
        # For a handful of faces, converting to bf16 costs more than it saves (docs/performance.md).
        p = probabilities(self.trained.network, faces, device=self.device, bf16=False)
        p = cooled(p, self.trained.temperature)
        return even(p, torch.tensor(self.trained.about["shares"])) if self.even else p

    def read(self, pictures: Sequence[Image.Image]) -> list[list[FacePrediction]]:
        """Every face of every picture, largest first."""
        from fercourse.detection import detect

        quarters = [0] * len(pictures)
        if self.turn:
            quarters = [_upright(picture) for picture in pictures]
        turned = [turned_by(p, k) for p, k in zip(pictures, quarters, strict=True)]
        found = detect(turned)
        cut = [
            cut_upright(picture, detection, self.trained.run.data.size)
            for picture, faces in zip(turned, found, strict=True)
            for detection in faces
        ]
        answers = iter(self.classify(torch.stack(cut)).tolist() if cut else [])
        return [
            [self._said(_turned_back(face, k, picture.size), next(answers), k) for face in faces]
            for faces, k, picture in zip(found, quarters, pictures, strict=True)
        ]

    def read_faces(self, pictures: Sequence[Image.Image]) -> list[FacePrediction]:
        """Of pictures that are one face each, already cut."""
        from fercourse.detection import crop

        size = self.trained.run.data.size
        cut = torch.stack([crop(picture, (0, 0, *picture.size), size) for picture in pictures])
        return [self._said(None, answer) for answer in self.classify(cut).tolist()]

    def _said(
        self, detection: Detection | None, answer: list[float], quarters: int = 0
    ) -> FacePrediction:
        return FacePrediction(detection, tuple(answer), self.sure_from, 90 * quarters)


def _upright(picture: Image.Image) -> int:
    """By how many quarters, counter-clockwise, a picture's faces stand upright."""
    from fercourse.detection import detect

    def upright(quarters: int) -> float:
        faces = detect([turned_by(picture, quarters)])[0]
        return sum(face.probability for face in faces if abs(face.tilt) < 45)

    return max(range(4), key=lambda quarters: (upright(quarters), -quarters))


_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def turned_by(picture: Image.Image, quarters: int) -> Image.Image:
    """A picture turned by quarters, counter-clockwise."""
    how = _TURNS[quarters]
    return picture if how is None else picture.transpose(how)


def _turned_back(face: Detection, quarters: int, size: tuple[int, int]) -> Detection:
    """A face of the turned picture, where it is in the picture of this (width, height)."""
    width, height = size

    def back(x: float, y: float) -> tuple[float, float]:
        return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[quarters]

    left, top, right, bottom = face.box
    (x0, y0), (x1, y1) = back(left, top), back(right, bottom)
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return replace(face, box=box, landmarks=tuple(back(x, y) for x, y in face.landmarks))


def cut_upright(picture: Image.Image, detection: Detection, size: int) -> Tensor:
    """A found face, cut as FER2013 is framed; upright if it leans by :data:`TILT` or more.

    Returns:
        uint8 (size, size).
    """
    from fercourse.detection import crop

    tilt = detection.tilt
    return crop(picture, detection.box, size, angle=tilt if abs(tilt) >= TILT else 0.0)


@overload
def predict(
    pictures: Held,
    weights: str | Path | Trained = BUNDLED,
    *,
    cropped: bool = False,
    bgr: bool = False,
    sure_from: float = SURE,
    even: bool = False,
    turn: bool = False,
    device: torch.device | str | None = None,
) -> list[FacePrediction]: ...


@overload
def predict(
    pictures: Iterable[Held],
    weights: str | Path | Trained = BUNDLED,
    *,
    cropped: bool = False,
    bgr: bool = False,
    sure_from: float = SURE,
    even: bool = False,
    turn: bool = False,
    device: torch.device | str | None = None,
) -> list[list[FacePrediction]]: ...


def predict(
    pictures: Held | Iterable[Held],
    weights: str | Path | Trained = BUNDLED,
    *,
    cropped: bool = False,
    bgr: bool = False,
    sure_from: float = SURE,
    even: bool = False,
    turn: bool = False,
    device: torch.device | str | None = None,
) -> list[FacePrediction] | list[list[FacePrediction]]:
    """Say what the faces in pictures express.

    Args:
        pictures: A path, a PIL image, an array or tensor (H, W[, 1, 3 or 4]), uint8 or float in
            [0, 1]; or several of these, whose sizes and kinds may differ.
        weights: A file, a bundled model's name, or loaded ones.
        cropped: Each picture is one face, cut out already: nothing is searched.
        bgr: Of arrays and tensors, blue comes first, as OpenCV has it.
        sure_from: Answers less probable than this count as unsure.
        even: Answer as if every expression were as frequent as any other.
        turn: Look at each picture in its four quarter turns, for those that lie on their side.
        device: None takes the best there is.

    Returns:
        Of one picture its faces, largest first, empty where there is none; of several a list of
        such lists.

    Raises:
        FercourseError: A picture is none of these kinds or cannot be read; in a list it says which.
    """
    trained = weights if isinstance(weights, Trained) else load_weights(find_weights(weights))
    reader = Reader(trained, device, sure_from, even, turn)
    if is_one(pictures):
        return _read(reader, [open_one(cast("Held", pictures), bgr)], cropped)[0]
    found, batch = [], []
    for picture in opened(cast("Iterable[Held]", pictures), bgr):
        batch.append(picture)
        if sum(image.width * image.height for image in batch) > AT_ONCE:
            found += _read(reader, batch, cropped)
            batch = []
    return found + _read(reader, batch, cropped)


def _read(reader: Reader, pictures: list[Image.Image], cropped: bool) -> list[list[FacePrediction]]:
    if not pictures:
        return []
    return [[face] for face in reader.read_faces(pictures)] if cropped else reader.read(pictures)


def recognise(
    trained: Trained, image: Image.Image, device: torch.device | str | None = None
) -> list[FacePrediction]:
    """Every face of a picture, largest first; an empty list where there is none."""
    return Reader(trained, device).read([image])[0]


def annotated(image: Image.Image, predictions: Sequence[FacePrediction]) -> Image.Image:
    """A copy of a picture with boxes and the likeliest expressions drawn onto it."""
    picture = image.convert("RGB") if image.mode != "RGB" else image.copy()
    draw = ImageDraw.Draw(picture)
    line = max(2, min(picture.size) // 200)
    font = ImageFont.load_default(size=max(12, min(picture.size) // 28))
    for prediction in predictions:
        if prediction.detection is None:
            continue
        left, top, right, bottom = prediction.detection.box
        expression, p = prediction.ranked()[0]
        text = f"{expression.title}{'' if prediction.sure else '?'} {p:.0%}"
        draw.rectangle((left, top, right, bottom), outline="#F0E442", width=line)
        box = draw.textbbox((0, 0), text, font=font)
        height = box[3] + 2 * line
        y = top - height if top >= height else bottom  # above the box, or below where it is cut
        draw.rectangle((left, y, left + box[2] + 4 * line, y + height), fill="#F0E442")
        draw.text((left + 2 * line, y + line / 2), text, fill="black", font=font)
    return picture


def annotate(image: Image.Image, predictions: Sequence[FacePrediction], target: Path) -> None:
    """:func:`annotated`, saved.

    Raises:
        FercourseError: The target's ending is no picture's, such as ``.png`` or ``.jpg``.
    """
    kind = check_drawable(target)
    with atomic_write(target) as part:
        annotated(image, predictions).save(part, format=kind)


def check_drawable(target: Path) -> str:
    """The format that a picture's name asks for.

    Raises:
        FercourseError: Its ending is no picture's.
    """
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind is None or kind not in Image.SAVE:
        raise FercourseError(f"{target} cannot be drawn: let its name end in .png or .jpg.")
    return kind
