"""Every picture of a folder, its faces cut out and listed: ``fercourse faces crop``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from tqdm.auto import tqdm

from fercourse.detection.cropping import crop
from fercourse.detection.detector import LANDMARKS, Detection, FaceDetector, shared_detector
from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.images import photograph

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("file", "face", "crop", "left", "top", "right", "bottom", "probability"),
    *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"),
    "reason",
)
"""Of ``faces.csv``, which :func:`crop_folder` writes."""


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
    files = _sources(source, target)
    root = source if source.is_dir() else source.parent
    detector = detector or shared_detector(threshold)
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
                    with atomic_write(target / place) as unfinished:
                        Image.fromarray(cut.numpy()).save(unfinished, format="PNG")
                    rows.append(_row(name, k, place, face))
            bar.update(len(part))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"face": "Int64"})
    with atomic_write(target / "faces.csv") as part:
        table.to_csv(part, index=False, float_format="%.4f")
    return table


def pictures_in(folder: Path, but: Path | None = None) -> list[Path]:
    """Every file in a folder and below it whose name ends as a picture's, sorted.

    Args:
        folder: Where to look.
        but: A folder that is passed over, because results go there.

    Raises:
        FercourseError: There is no picture.
    """
    kinds = {*Image.registered_extensions(), ".heic", ".heif"}  # the last to say what to do
    inside = None if but is None else but.resolve()
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in kinds and path.is_file() and inside not in path.resolve().parents
    ]
    if not files:
        raise FercourseError(f"{folder} holds no picture.")
    return files


def _sources(source: Path, target: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise FercourseError(f"{source} is no folder and no picture; check the path.")
    if source.resolve() == target.resolve():
        raise FercourseError(f"Crops would fall among their sources in {source}; name another OUT.")
    return pictures_in(source, target)


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
