"""What is typed after ``fercourse predict``: files, folders, patterns, or what is piped in."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fercourse.detection.folder import pictures_in
from fercourse.errors import FercourseError
from fercourse.evaluation.recognise import AT_ONCE, FacePrediction, Reader
from fercourse.images import photograph, read_photo

PIPED = "-"


@dataclass(frozen=True)
class Source:
    """A picture to be read.

    Attributes:
        name: As it was typed, or found in a folder; "-" of one that was piped.
        data: Its bytes, of a piped one; else None.
        error: Why nothing stands behind the name; "" where something does.
    """

    name: str
    data: bytes | None = None
    error: str = ""

    def open(self) -> Image.Image:
        """The picture, RGB and upright.

        Raises:
            FercourseError: It cannot be read.
        """
        if self.error:
            raise FercourseError(self.error)
        if self.data is None:
            return read_photo(self.name)
        try:
            return photograph(self.data)
        except FercourseError as error:
            raise FercourseError(
                f"What was piped in is neither a picture ({error}) nor a list of files."
            ) from error


@dataclass(frozen=True)
class Answer:
    """What became of a source.

    Attributes:
        source: Which.
        faces: Largest first; empty where there is none, or the picture could not be read.
        error: Why not; "" where it could.
        picture: As it was read; None where it could not.
    """

    source: Source
    faces: list[FacePrediction]
    error: str = ""
    picture: Image.Image | None = None


def sources(
    names: Sequence[str], piped: Callable[[], bytes], but: Path | None = None
) -> list[Source]:
    """Every picture that is meant, in order; what cannot be one is kept, with the reason.

    Args:
        names: Files; folders, with all that is below them; patterns such as ``"*.jpg"``, which some
            shells leave to the program; "-".
        piped: Gives standard input, for "-": a picture, or names of files, one a line.
        but: A folder that is passed over, because annotated pictures go there.
    """
    return [source for name in names for source in _meant(name, piped, but)]


def _meant(name: str, piped: Callable[[], bytes], but: Path | None) -> Iterable[Source]:
    if name == PIPED:
        return _from_pipe(piped())
    if Path(name).is_dir():
        try:
            return [Source(str(path)) for path in pictures_in(Path(name), but)]
        except FercourseError as error:
            return [Source(name, error=str(error))]
    if glob.has_magic(name) and not Path(name).exists():
        found = sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())
        if not found:
            return [Source(name, error=f"No file is called like {name}.")]
        return map(Source, found)
    return [Source(name)]


def _from_pipe(data: bytes) -> list[Source]:
    """A picture begins with bytes that are no text."""
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        return [Source(PIPED, data)]
    names = [line.strip() for line in lines if line.strip()]
    return [Source(name) for name in names] or [Source(PIPED, error="Nothing was piped in.")]


def answer(reader: Reader, meant: Iterable[Source], cropped: bool = False) -> Iterator[Answer]:
    """Read one source after another, some at a time; a bad one never stops the rest.

    Args:
        reader: How photographs are read.
        meant: From :func:`sources`.
        cropped: Each picture is one face.
    """
    batch: list[Answer] = []
    pixels = 0
    for source in meant:
        try:
            picture = source.open()
        except (FercourseError, OSError) as error:
            batch.append(Answer(source, [], str(error)))
            continue
        batch.append(Answer(source, [], picture=picture))
        pixels += picture.width * picture.height
        if pixels > AT_ONCE:
            yield from _read(reader, batch, cropped)
            batch, pixels = [], 0
    yield from _read(reader, batch, cropped)


def _read(reader: Reader, batch: list[Answer], cropped: bool) -> Iterator[Answer]:
    pictures = [each.picture for each in batch if each.picture is not None]
    if cropped:
        found = ([face] for face in reader.read_faces(pictures)) if pictures else iter(())
    else:
        found = iter(reader.read(pictures))
    for each in batch:
        if each.picture is None:
            yield each
        else:
            yield Answer(each.source, next(found), picture=each.picture)
