"""Finding, cutting out and scaling faces, as section 3.1 prepares its images: MTCNN, then bilinear.

MTCNN (Zhang et al. 2016) comes from facenet-pytorch, weights included, and is imported on first
use. Cut faces are uint8; :func:`fercourse.augment.normalise` makes them the network's input.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from fercourse.datasets.base import Faces
from fercourse.datasets.images import photograph
from fercourse.device import cuda_works
from fercourse.errors import FercourseError
from fercourse.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

Picture = Image.Image | np.ndarray | Tensor
"""A PIL image, or uint8 (H, W) grey or (H, W, 3) RGB as an array or a tensor."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels; may reach beyond the image."""

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
"""As seen in the picture: the left eye is the person's right."""

COLUMNS = (
    *("file", "face", "crop", "left", "top", "right", "bottom", "probability"),
    *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"),
    "reason",
)
"""Of ``faces.csv``, which :func:`crop_folder` writes."""


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
        if device is None:
            device = "cuda" if cuda_works() else "cpu"
        if not 0 <= threshold <= 1:
            raise FercourseError(f"threshold must be in [0, 1], not {threshold}.")
        self.threshold, self.min_face = threshold, min_face
        self.max_side, self.batch_size = max_side, batch_size
        # MTCNN's own last threshold is 0.7; a lower one here must reach it too.
        stages = [0.6, 0.7, min(0.7, threshold)]
        self._mtcnn = MTCNN(
            keep_all=True, min_face_size=min_face, thresholds=stages, device=torch.device(device)
        )

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Find every face in every picture; sizes may differ, equal ones share a batch.

        Returns:
            One list a picture, its largest face first; empty where there is none.
        """
        small = [self._scaled(to_pil(image)) for image in images]
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
            size = tuple(max(1, round(side / factor)) for side in picture.size)
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        return picture.convert("RGB"), factor

    def _search(self, pixels: np.ndarray) -> list[list[Detection]]:
        """uint8 (B, H, W, 3) to B lists, largest face first."""
        boxes, probabilities, points = self._mtcnn.detect(pixels, landmarks=True)
        result = []
        for box, probability, point in zip(boxes, probabilities, points, strict=True):
            faces = [] if box is None else zip(box, probability, point, strict=True)
            result.append(
                [
                    Detection(
                        tuple(map(float, b)), float(p), tuple((float(x), float(y)) for x, y in q)
                    )
                    for b, p, q in faces
                    if p >= self.threshold
                ]
            )
        return result


def detect(images: Sequence[Picture], threshold: float = 0.9) -> list[list[Detection]]:
    """:meth:`FaceDetector.detect` with a detector kept between calls."""
    return _detector(threshold).detect(images)


def crop(
    image: Picture, box: Box, size: int = 224, margin: float = 0.0, colour: bool = False
) -> Tensor:
    """Cut a face out and scale it bilinearly, without distorting it.

    The box becomes a square on its longer side. FER2013's own images are framed like this with
    margin 0: MTCNN's box has, in the median, 1.0 times their side. A square beyond the picture's
    edge is moved inside, and shrunk where the picture is smaller: nothing is made up.

    Args:
        image: The picture.
        box: Left, top, right, bottom, pixels.
        size: Side of the result, pixels.
        margin: Added to the square's side, as a share of it; negative cuts closer.
        colour: RGB instead of grey.

    Returns:
        uint8 (size, size), or (size, size, 3) with ``colour``.
    """
    picture = to_pil(image).convert("RGB" if colour else "L")
    cut = picture.resize((size, size), Image.Resampling.BILINEAR, square(box, picture.size, margin))
    return torch.from_numpy(np.array(cut))


def square(box: Box, size: tuple[int, int], margin: float = 0.0) -> Box:
    """The square :func:`crop` cuts for ``box`` from a picture of ``size`` (width, height)."""
    left, top, right, bottom = box
    side = min(max(right - left, bottom - top) * (1 + margin), *size)
    if not side > 0:
        raise FercourseError(f"The box {box} with margin {margin} holds no pixel.")
    x, y = (
        min(max((low + high - side) / 2, 0), limit - side)
        for low, high, limit in ((left, right, size[0]), (top, bottom, size[1]))
    )
    return x, y, x + side, y + side


def crop_faces(
    faces: Faces, size: int = 224, margin: float = 0.0, detector: FaceDetector | None = None
) -> tuple[Faces, Tensor]:
    """Crop a data set of single faces again, tighter, as the paper does (section 3.1).

    FER2013 and CK+48 are cut so closely that MTCNN needs help: it searches each image enlarged to
    144 pixels with a grey surround. Where it still finds nothing, the whole image is scaled, which
    happens to about one FER2013 image in ten.

    Args:
        faces: N images of any size; masks, where there are any, are cut alike.
        size: Side of the result, pixels.
        margin: As for :func:`crop`.
        detector: None is a detector of the default threshold.

    Returns:
        The faces, images uint8 (N, size, size), and bool (N,): False where the whole image stands.
    """
    boxes, found = find_boxes(faces, detector)
    return cut_faces(faces, boxes, size, margin), found


def find_boxes(faces: Faces, detector: FaceDetector | None = None) -> tuple[Tensor, Tensor]:
    """The slow half of :func:`crop_faces`: where the face is in each of N images.

    Returns:
        float32 (N, 4), left, top, right, bottom in pixels, and bool (N,): False where the box is
        the whole image.
    """
    detector = detector or _detector(0.9, min_face=40)
    h, w = faces.images.shape[1:]
    boxes = torch.tensor([0.0, 0.0, w, h]).repeat(len(faces), 1)
    found = torch.zeros(len(faces), dtype=torch.bool)
    for start in tqdm(range(0, len(faces), 64), "MTCNN", unit="batch", disable=None):
        part = faces.images[start : start + 64].cpu()
        for i, hits in enumerate(detector.detect([_surrounded(image) for image in part]), start):
            if hits:
                found[i] = True
                boxes[i] = torch.tensor(_unsurrounded(hits[0].box, w, h))
    return boxes, found


def cut_faces(faces: Faces, boxes: Tensor, size: int = 224, margin: float = 0.0) -> Faces:
    """The quick half of :func:`crop_faces`: cut boxes (N, 4) out and scale them to ``size``."""
    h, w = faces.images.shape[1:]
    images = torch.empty(len(faces), size, size, dtype=torch.uint8)
    masks = None if faces.masks is None else torch.empty(len(faces), size, size, dtype=torch.int32)
    for i, box in enumerate(boxes.tolist()):
        images[i] = crop(faces.images[i], tuple(box), size, margin)
        if masks is not None:
            mask = Image.fromarray(faces.masks[i].cpu().numpy())
            where = square(tuple(box), (w, h), margin)
            masks[i] = torch.from_numpy(
                np.array(mask.resize((size, size), Image.Resampling.NEAREST, where))
            )
    return replace(faces, images=images, masks=masks)


def crop_folder(
    source: str | os.PathLike,
    target: str | os.PathLike,
    size: int = 224,
    margin: float = 0.0,
    *,
    largest: bool = True,
    colour: bool = False,
    threshold: float = 0.9,
    detector: FaceDetector | None = None,
) -> pd.DataFrame:
    """Cut the faces out of every picture in a folder and below it.

    The crops keep their place in the tree, as ``name.png``, or with ``largest=False`` as
    ``name_0.png`` (the largest face), ``name_1.png``, ... A picture that cannot be read, or that
    shows no face, is a row with a reason. Photographs are turned as their EXIF data say.

    Args:
        source: A folder, or one picture.
        target: A folder, made where missing; pictures already in it are not taken for sources.
        size: Side of a crop, pixels.
        margin: As for :func:`crop`.
        largest: Cut the largest face of each picture only.
        colour: RGB instead of grey.
        threshold: Least probability of a face, in [0, 1].
        detector: Used instead of one made for ``threshold``.

    Returns:
        What ``target/faces.csv`` holds too: one row a face or missed picture, :data:`COLUMNS`.
    """
    import pandas as pd

    source, target = Path(source), Path(target)
    files = _pictures_in(source, target)
    root = source if source.is_dir() else source.parent
    detector = detector or _detector(threshold)
    rows: list[dict[str, Any]] = []
    taken: set[Path] = set()
    with tqdm(total=len(files), desc="faces", unit="picture", disable=None) as bar:
        for start in range(0, len(files), 8):  # eight photographs of 12 megapixels are 300 MB
            part = files[start : start + 8]
            pictures = [_read(path) for path in part]
            good = [picture for picture in pictures if not isinstance(picture, str)]
            hits = iter(detector.detect(good))
            for path, picture in zip(part, pictures, strict=True):
                name = path.relative_to(root)
                if isinstance(picture, str):
                    rows.append({"file": name.as_posix(), "reason": picture})
                    continue
                faces = next(hits)[: 1 if largest else None]
                if not faces:
                    reason = f"no face with probability {detector.threshold:g} or more"
                    rows.append({"file": name.as_posix(), "reason": reason})
                stem = name.with_suffix("")
                if stem in taken:  # a.jpg beside a.png
                    stem = name
                taken.add(stem)
                for k, face in enumerate(faces):
                    place = stem.with_name(stem.name + ("" if largest else f"_{k}") + ".png")
                    cut = crop(picture, face.box, size, margin, colour)
                    with whole_file(target / place) as unfinished:
                        Image.fromarray(cut.numpy()).save(unfinished, format="PNG")
                    rows.append(_row(name, k, place, face))
            bar.update(len(part))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"face": "Int64"})
    with whole_file(target / "faces.csv") as part:
        table.to_csv(part, index=False, float_format="%.4f")
    return table


def to_pil(image: Picture) -> Image.Image:
    """A picture as PIL's type, pixels shared where they can be."""
    if isinstance(image, Image.Image):
        return image
    pixels = image.cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    if pixels.dtype != np.uint8 or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    ):
        raise FercourseError(
            f"A picture must be uint8 (H, W) or (H, W, 3), not {pixels.dtype} {pixels.shape}."
        )
    return Image.fromarray(pixels)


@lru_cache(maxsize=4)
def _detector(threshold: float, min_face: int = 20) -> FaceDetector:
    return FaceDetector(threshold=threshold, min_face=min_face)


def _scale(face: Detection, factor: float) -> Detection:
    return Detection(
        tuple(factor * v for v in face.box),
        face.probability,
        tuple((factor * x, factor * y) for x, y in face.landmarks),
    )


# Enlarged to 96 of 144 pixels with a quarter of the image's side around it: of 256 random FER2013
# images MTCNN finds 91 % so, and 84 % as they are.
_SEARCHED, _AROUND = 144, 0.25


def _surrounded(image: Tensor) -> Image.Image:
    inner = round(_SEARCHED / (1 + 2 * _AROUND))
    canvas = Image.new("L", (_SEARCHED, _SEARCHED), 128)
    at = (_SEARCHED - inner) // 2
    canvas.paste(to_pil(image).resize((inner, inner), Image.Resampling.BILINEAR), (at, at))
    return canvas


def _unsurrounded(box: Box, w: int, h: int) -> Box:
    """From pixels of the searched picture to pixels of the image it was made from."""
    inner = round(_SEARCHED / (1 + 2 * _AROUND))
    at = (_SEARCHED - inner) // 2
    return tuple((v - at) / inner * side for v, side in zip(box, (w, h, w, h), strict=True))


def _pictures_in(source: Path, target: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise FercourseError(f"{source} is no folder and no picture; check the path.")
    if source.resolve() == target.resolve():
        raise FercourseError(f"Crops would fall among their sources in {source}; name another OUT.")
    kinds = Image.registered_extensions()
    inside = target.resolve()
    files = [
        path
        for path in sorted(source.rglob("*"))
        if path.suffix.lower() in kinds and path.is_file() and inside not in path.resolve().parents
    ]
    if not files:
        raise FercourseError(f"{source} holds no picture that Pillow can read.")
    return files


def _read(path: Path) -> Image.Image | str:
    """The picture, upright, or why it cannot be read."""
    try:
        return photograph(path)
    except FercourseError as error:
        return f"cannot be read: {error}"


def _row(name: Path, k: int, place: Path, face: Detection) -> dict[str, Any]:
    box = dict(zip(("left", "top", "right", "bottom"), face.box, strict=True))
    points = {
        f"{part}_{axis}": value
        for part, point in zip(LANDMARKS, face.landmarks, strict=True)
        for axis, value in zip("xy", point, strict=True)
    }
    start = {"file": name.as_posix(), "face": k, "crop": place.as_posix()}
    return start | box | {"probability": face.probability} | points
