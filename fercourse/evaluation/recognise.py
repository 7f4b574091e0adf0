"""From a photograph to expressions: find faces, crop, classify, annotate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image, ImageDraw, ImageFont

from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities
from fercourse.files import atomic_write
from fercourse.images import photograph
from fercourse.labels import Expression
from fercourse.weights.trained import Trained

if TYPE_CHECKING:
    from fercourse.detection import Detection


@dataclass(frozen=True)
class FacePrediction:
    """One face and what the model says of it.

    Attributes:
        detection: Where it is, see :class:`fercourse.detection.Detection`.
        probabilities: One for each class of the model, in label order; they sum to 1.
    """

    detection: Detection
    probabilities: tuple[float, ...]

    def ranked(self) -> list[tuple[Expression, float]]:
        """Expressions with their probabilities, the likeliest first."""
        pairs = [(Expression(k), p) for k, p in enumerate(self.probabilities)]
        return sorted(pairs, key=lambda pair: -pair[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "box": [round(v, 1) for v in self.detection.box],
            "found_with": round(self.detection.probability, 4),
            "expression": self.ranked()[0][0].name.lower(),
            "probabilities": {
                Expression(k).name.lower(): round(p, 4) for k, p in enumerate(self.probabilities)
            },
        }


def read_photo(path: str | Path) -> Image.Image:
    """An RGB picture, turned upright by its EXIF note.

    Raises:
        FercourseError: There is no such file, or it is no picture.
    """
    if not Path(path).exists():
        raise FercourseError(f"There is no file {path}.")
    try:
        return photograph(path)
    except FercourseError as error:
        raise FercourseError(
            f"{path} cannot be read as a picture ({error}); use a whole 8-bit JPEG or PNG."
        ) from error


def recognise(
    trained: Trained, image: Image.Image, device: torch.device | str | None = None
) -> list[FacePrediction]:
    """Every face of a picture, largest first; an empty list where there is none."""
    from fercourse.detection import crop, detect

    found = detect([image])[0]
    if not found:
        return []
    size = trained.run.data.size
    faces = torch.stack([crop(image, d.box, size) for d in found])  # uint8 (N, size, size)
    # For a handful of faces, converting to bf16 costs more than it saves (benchmarks/predict.py).
    p = probabilities(trained.network, faces, device=device, bf16=False)
    return [FacePrediction(d, tuple(row)) for d, row in zip(found, p.tolist(), strict=True)]


def annotate(image: Image.Image, predictions: list[FacePrediction], target: Path) -> None:
    """Draw boxes and the likeliest expression onto a copy of the picture, and save it.

    Raises:
        FercourseError: The target's ending is no picture's, such as ``.png`` or ``.jpg``.
    """
    kind = Image.registered_extensions().get(target.suffix.lower())
    if kind not in Image.SAVE:
        raise FercourseError(f"{target} cannot be drawn: let its name end in .png or .jpg.")
    picture = image.copy()
    draw = ImageDraw.Draw(picture)
    line = max(2, min(picture.size) // 200)
    font = ImageFont.load_default(size=max(12, min(picture.size) // 28))
    for prediction in predictions:
        left, top, right, bottom = prediction.detection.box
        expression, p = prediction.ranked()[0]
        text = f"{expression.title} {p:.0%}"
        draw.rectangle((left, top, right, bottom), outline="#F0E442", width=line)
        box = draw.textbbox((0, 0), text, font=font)
        height = box[3] + 2 * line
        y = top - height if top >= height else bottom  # above the box, or below where it is cut
        draw.rectangle((left, y, left + box[2] + 4 * line, y + height), fill="#F0E442")
        draw.text((left + 2 * line, y + line / 2), text, fill="black", font=font)
    with atomic_write(target) as part:
        picture.save(part, format=kind)
