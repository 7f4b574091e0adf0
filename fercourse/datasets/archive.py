"""A folder, a packed file or a single file, read as one thing: names and bytes.

Nothing is unpacked beside it, and files that are packed inside others are opened as well; what can
be read from its front alone goes through a temporary file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import BinaryIO

from fercourse.datasets.containers import BROKEN, Files, unpacked
from fercourse.errors import FercourseError
from fercourse.files import stands_in
from fercourse.labels import Expression

DEEP = 3
"""Packed files in one another that are opened."""

_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".7z", ".rar", ".csv")
"""Endings of files that may be packed; the contest's own fer2013.csv is a tar in one copy."""

_LITTER = {
    *("__macosx", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
    *("$recycle.bin", "@eadir"),
}


class Archive:
    """The files under ``path``, by their names relative to it, with ``/`` between the parts.

    Args:
        path: A folder, a zip, a tar, a squeezed file, or one file (whose name is then the only
            one). What lies in a packed file "a.zip" of a folder is called "a.zip/...".
        only: Patterns for the first part of a name; () takes everything.
        numbers: What numbers stand for where they name classes, if somebody said so.

    Attributes:
        names: Of all files, sorted; litter of file managers is left out.
        notes: A sentence for each packed file that cannot be opened.

    Raises:
        FercourseError: Nothing is there, or it cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        only: tuple[str, ...] = (),
        numbers: Mapping[int, Expression] | None = None,
    ) -> None:
        """List the files; see the class."""
        self.path = Path(path)
        self.numbers = numbers
        self.notes: list[str] = []
        self._files: Files = {}
        try:
            if self.path.is_dir():
                self._on_disk = sorted(n for n in _walk(self.path, only) if _wanted(n, only))
                for name in self._on_disk:
                    self._add(name, partial(open, self.path / name, "rb"), 0)
            elif not self.path.exists():
                raise FercourseError(f"There is no file or folder {self.path}.")
            else:
                self._on_disk = [self.path.name]
                self._open_whole(only)
        except FercourseError:
            raise
        except BROKEN as error:
            raise FercourseError(f"{self.path} cannot be read: {_phrase(error)}.") from error
        self.names = sorted(self._files)

    def _open_whole(self, only: tuple[str, ...]) -> None:
        """List the one file that the path is."""
        opener = partial(open, self.path, "rb")
        try:
            found = unpacked(opener, self.path.name)
        except FercourseError as error:
            raise FercourseError(f"{self.path} is {error}.") from error
        except BROKEN as error:
            raise FercourseError(
                f"{self.path} is damaged, or only a part of a file ({_phrase(error)}): "
                "download it again."
            ) from error
        if found is None:
            with opener() as file:
                if instead := stands_in(file.read(64)):
                    raise FercourseError(f"{self.path} is {instead}.")
            if self.path.suffix.lower() == ".zip":
                raise FercourseError(
                    f"{self.path} is not a zip file, or only a part of one: download it again."
                )
            self._files[self.path.name] = opener
        else:
            for name, inner in found.items():
                if _wanted(name, only):
                    self._add(name, inner, 1)

    def _add(self, name: str, opener: partial | object, depth: int) -> None:
        """One more file, or all that are packed in it."""
        if depth <= DEEP and name.lower().endswith(_PACKED):
            try:
                found = unpacked(opener, name)  # type: ignore[arg-type]
            except (*BROKEN, FercourseError) as error:
                self.notes.append(f"{name} was passed over: {_phrase(error).rstrip('.')}.")
                return
            if found is not None:
                alone = len(found) == 1 and "/" not in next(iter(found))
                above = name.rpartition("/")[0] if alone else name
                for inner, its in found.items():
                    if _wanted(inner, ()):
                        self._add(f"{above}/{inner}".lstrip("/"), its, depth + 1)
                return
        self._files[name] = opener  # type: ignore[assignment]

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A binary stream of one file.

        Raises:
            FercourseError: The file turns out to be damaged, be it after a thousand lines.
        """
        try:
            with self._files[name]() as file:
                yield file
        except FercourseError:
            raise
        except BROKEN as error:
            raise FercourseError(
                f"{self.path}: {name} cannot be read: {_phrase(error)}."
            ) from error

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        with self.open(name) as file:
            return file.read()

    def key(self) -> str:
        """Hex digest that changes when the content does, or what numbers stand for.

        Of a file, its bytes. Of a folder, every name with its size and time of change: reading
        36,000 small files only to name them would cost as much as decoding them.
        """
        digest = hashlib.sha256(repr(sorted((self.numbers or {}).items())).encode())
        try:
            if self.path.is_dir():
                for name in self._on_disk:
                    stat = os.stat(self.path / name)
                    digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
            else:
                with open(self.path, "rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
        except OSError as error:
            raise FercourseError(f"{self.path} cannot be read: {error}.") from error
        return digest.hexdigest()


def _walk(root: Path, only: tuple[str, ...]) -> Iterator[str]:
    """Names of files; links to folders are followed, each folder once."""

    def refused(error: OSError) -> None:
        raise error

    seen = set()
    for folder, folders, files in os.walk(root, onerror=refused, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        if Path(folder) == root and only:
            folders[:] = [f for f in folders if _wanted(f, only)]
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        inside = Path(folder).relative_to(root)
        yield from ((inside / f).as_posix() for f in files if os.path.exists(Path(folder) / f))


def _wanted(name: str, only: tuple[str, ...]) -> bool:
    """Not what a file manager left behind (.DS_Store, __MACOSX/, Thumbs.db), and matching."""
    parts = name.split("/")
    litter = any(p.startswith(".") or p.lower() in _LITTER for p in parts if p not in (".", ".."))
    return not litter and (not only or any(fnmatch(parts[0].lower(), p.lower()) for p in only))


def _phrase(error: Exception) -> str:
    return str(error) or type(error).__name__
