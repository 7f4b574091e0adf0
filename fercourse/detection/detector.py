"""MTCNN (Zhang et al. 2016) finds the faces of a photograph, as section 3.1 prepares its images.

It comes from facenet-pytorch, weights included, and is imported on first use.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from PIL import Image

from fercourse.detection.cropping import Box
from fercourse.device import cuda_works, find_device
from fercourse.errors import FercourseError
from fercourse.images import Held, is_one, opened

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
"""As seen in the picture: the left eye is the person's right."""


@dataclass(frozen=True)
class Detection:
    """One face found.

    Attributes:
        box: Left, top, right, bottom in pixels, possibly a little outside the picture.
        probability: MTCNN's, in [0, 1].
        landmarks: Five (x, y) in pixels, in the order of :data:`LANDMARKS`.
    """

    box: Box
    probability: float
    landmarks: tuple[tuple[float, float], ...]

    @property
    def area(self) -> float:
        """Of the box, square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    @property
    def tilt(self) -> float:
        """Degrees by which the line through the eyes falls to the right: turned so far
        counter-clockwise, the face is upright."""
        (x0, y0), (x1, y1) = self.landmarks[:2]
        return math.degrees(math.atan2(y1 - y0, x1 - x0))


class FaceDetector:
    """MTCNN, loaded once.

    Args:
        device: Where to run; None is CUDA where there is one, else the CPU (MPS lacks the uneven
            area pooling MTCNN needs).
        threshold: Faces less probable than this are left out.
        min_face: Smallest face looked for, pixels.
        max_side: Larger photographs are searched in a copy scaled to this longer side, which
            bounds time and memory; boxes are still in the photograph's own pixels.
        batch_size: Pictures of equal size searched at once.

    Raises:
        FercourseError: facenet-pytorch is not installed.
    """

    def __init__(
        self,
        device: torch.device | str | None = None,
        *,
        threshold: float = 0.9,
        min_face: int = 20,
        max_side: int = 1280,
        batch_size: int = 64,
    ) -> None:
        try:
            from facenet_pytorch import MTCNN
        except ImportError as error:
            raise FercourseError(
                "Finding faces needs facenet-pytorch: run `make setup`, or `pip install requests` "
                f"and `pip install --no-deps facenet-pytorch==2.6.0` ({error})."
            ) from error
        place = find_device(device or ("cuda" if cuda_works() else "cpu"))
        if not 0 <= threshold <= 1:
            raise FercourseError(f"threshold must be in [0, 1], not {threshold}.")
        self.threshold, self.min_face = threshold, min_face
        self.max_side, self.batch_size = max_side, batch_size
        # MTCNN's own last threshold is 0.7; a lower one here must reach it too.
        stages = [0.6, 0.7, min(0.7, threshold)]
        self._mtcnn = MTCNN(keep_all=True, min_face_size=min_face, thresholds=stages, device=place)

    def detect(self, images: Held | Iterable[Held]) -> list[list[Detection]]:
        """Find every face in every picture; sizes may differ, equal ones share a batch.

        Args:
            images: Paths, PIL images, arrays or tensors; one alone counts as a list of one, and an
                array (N, H, W, C) as N pictures.

        Returns:
            One list a picture, its largest face first; empty where there is none.
        """
        several = [cast("Held", images)] if is_one(images) else cast("Iterable[Held]", images)
        small = [self._scaled(picture) for picture in opened(several)]
        by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, (picture, _) in enumerate(small):
            by_size[picture.size].append(index)
        found: list[list[Detection]] = [[] for _ in small]
        for size, members in by_size.items():
            if min(size) < self.min_face:  # MTCNN fails on an empty pyramid
                continue
            for start in range(0, len(members), self.batch_size):
                batch = members[start : start + self.batch_size]
                pixels = np.stack([np.asarray(small[i][0]) for i in batch])  # (B, H, W, 3)
                for i, faces in zip(batch, self._search(pixels), strict=True):
                    found[i] = [_scale(face, small[i][1]) for face in faces]
        return found

    def _scaled(self, picture: Image.Image) -> tuple[Image.Image, float]:
        """RGB picture no larger than ``max_side``, and the factor back to the original's pixels."""
        factor = max(1.0, max(picture.size) / self.max_side)
        if factor > 1:
            width, height = (max(1, round(side / factor)) for side in picture.size)
            picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
        return picture.convert("RGB"), factor

    def _search(self, pixels: np.ndarray) -> list[list[Detection]]:
        """uint8 (B, H, W, 3) to B lists, largest face first."""
        found: Any = self._mtcnn.detect(pixels, landmarks=True)
        boxes, probabilities, points = found
        result = []
        for box, probability, point in zip(boxes, probabilities, points, strict=True):
            faces = [] if box is None else zip(box, probability, point, strict=True)
            result.append(
                [
                    Detection(_box(b), float(p), tuple((float(x), float(y)) for x, y in q))
                    for b, p, q in faces
                    if p >= self.threshold
                ]
            )
        return result


def detect(images: Held | Iterable[Held], threshold: float = 0.9) -> list[list[Detection]]:
    """:meth:`FaceDetector.detect` with a detector kept between calls."""
    return shared_detector(threshold).detect(images)


@lru_cache(maxsize=4)
def shared_detector(threshold: float, min_face: int = 20) -> FaceDetector:
    """A detector kept between calls: loading MTCNN takes longer than a search."""
    return FaceDetector(threshold=threshold, min_face=min_face)


def _scale(face: Detection, factor: float) -> Detection:
    return Detection(
        _box([factor * v for v in face.box]),
        face.probability,
        tuple((factor * x, factor * y) for x, y in face.landmarks),
    )


def _box(ends: Sequence[float]) -> Box:
    left, top, right, bottom = map(float, ends)
    return left, top, right, bottom
