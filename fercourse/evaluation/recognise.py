"""From photographs to expressions: find faces, turn them upright, cut, classify, calibrate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.evaluation.calibration import cooled, even
from fercourse.evaluation.predict import probabilities
from fercourse.files import atomic_write
from fercourse.images import Picture, photograph, to_pil
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
    """

    detection: Detection | None
    probabilities: tuple[float, ...]
    sure_from: float = SURE

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
    """

    trained: Trained
    device: torch.device | str | None = None
    sure_from: float = SURE
    even: bool = False

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
        # For a handful of faces, converting to bf16 costs more than it saves
        # (benchmarks/predict.py).
        p = probabilities(self.trained.network, faces, device=self.device, bf16=False)
        p = cooled(p, self.trained.temperature)
        return even(p, torch.tensor(self.trained.about["shares"])) if self.even else p

    def read(self, pictures: Sequence[Image.Image]) -> list[list[FacePrediction]]:
        """Every face of every picture, largest first."""
        from fercourse.detection import detect

        found = detect(pictures)
        cut = [
            cut_upright(picture, detection, self.trained.run.data.size)
            for picture, faces in zip(pictures, found, strict=True)
            for detection in faces
        ]
        answers = iter(self.classify(torch.stack(cut)).tolist() if cut else [])
        return [[self._said(detection, next(answers)) for detection in faces] for faces in found]

    def read_faces(self, pictures: Sequence[Image.Image]) -> list[FacePrediction]:
        """Of pictures that are one face each, already cut."""
        from fercourse.detection import crop

        size = self.trained.run.data.size
        cut = torch.stack([crop(picture, (0, 0, *picture.size), size) for picture in pictures])
        return [self._said(None, answer) for answer in self.classify(cut).tolist()]

    def _said(self, detection: Detection | None, answer: list[float]) -> FacePrediction:
        return FacePrediction(detection, tuple(answer), self.sure_from)


def cut_upright(picture: Image.Image, detection: Detection, size: int) -> Tensor:
    """A found face, cut as FER2013 is framed; upright if it leans by :data:`TILT` or more.

    Returns:
        uint8 (size, size).
    """
    from fercourse.detection import crop

    tilt = detection.tilt
    return crop(picture, detection.box, size, angle=tilt if abs(tilt) >= TILT else 0.0)


Held = str | os.PathLike | Picture
"""A picture, as people hold it: a path, or what :func:`fercourse.images.to_pil` takes."""


@overload
def predict(
    pictures: Held,
    weights: str | Path | Trained = BUNDLED,
    *,
    cropped: bool = False,
    bgr: bool = False,
    sure_from: float = SURE,
    even: bool = False,
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
        device: None takes the best there is.

    Returns:
        Of one picture its faces, largest first, empty where there is none; of several a list of
        such lists.

    Raises:
        FercourseError: A picture is none of these kinds or cannot be read; in a list it says which.
    """
    trained = weights if isinstance(weights, Trained) else load_weights(find_weights(weights))
    reader = Reader(trained, device, sure_from, even)
    if isinstance(pictures, str | os.PathLike | Image.Image) or _ndim(pictures) in (2, 3):
        return _read(reader, [_opened(pictures, bgr)], cropped)[0]
    if isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise FercourseError(
            f"A picture is a path, a PIL image, an array or a tensor, or several of these in a "
            f"list, not a {type(pictures).__name__}."
        )
    found, batch, count = [], [], 0
    for count, picture in enumerate(pictures, start=1):
        try:
            batch.append(_opened(picture, bgr))
        except FercourseError as error:
            raise FercourseError(f"Picture {count - 1} of the list: {error}") from error
        if sum(image.width * image.height for image in batch) > AT_ONCE:
            found += _read(reader, batch, cropped)
            batch = []
    return found + _read(reader, batch, cropped)


def _ndim(pictures: Any) -> int:
    """Axes of an array or a tensor."""
    return int(getattr(pictures, "ndim", 0))


def _opened(picture: Any, bgr: bool) -> Image.Image:
    if isinstance(picture, str | os.PathLike):
        return read_photo(picture)
    return to_pil(picture, bgr)


def _read(reader: Reader, pictures: list[Image.Image], cropped: bool) -> list[list[FacePrediction]]:
    if not pictures:
        return []
    return [[face] for face in reader.read_faces(pictures)] if cropped else reader.read(pictures)


def read_photo(path: str | os.PathLike) -> Image.Image:
    """An RGB picture, turned upright by its EXIF note.

    Raises:
        FercourseError: There is no such file, or it is no picture.
    """
    if "://" in str(path):
        raise FercourseError(
            f"{path} is an address: nothing is fetched from the web here; save the picture first."
        )
    if not Path(path).exists():
        raise FercourseError(f"There is no file {path}.")
    try:
        return photograph(Path(path))
    except FercourseError as error:
        raise FercourseError(
            f"{path} cannot be read as a picture ({error}); use a whole 8-bit JPEG or PNG."
        ) from error


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
