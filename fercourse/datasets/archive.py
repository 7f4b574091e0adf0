"""A folder, a zip or a single file, read as one thing: names and bytes. Nothing is unpacked."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from fercourse.errors import FercourseError


class Archive:
    """The files under ``path``, by their names relative to it, with ``/`` between the parts.

    Args:
        path: A folder, a zip, or one file (its own name is then the only one).
        only: Patterns for the first part of a name; () takes everything.

    Raises:
        FercourseError: Nothing is there, it cannot be read, or a ``.zip`` is not one.
    """

    def __init__(self, path: str | Path, only: tuple[str, ...] = ()) -> None:
        """List the files; see the class."""
        self.path = Path(path)
        self._zip: zipfile.ZipFile | None = None
        try:
            if self.path.is_dir():
                names = list(_walk(self.path, only))
            elif not self.path.exists():
                raise FercourseError(f"There is no file or folder {self.path}.")
            elif zipfile.is_zipfile(self.path):
                self._zip = zipfile.ZipFile(self.path)
                names = [i.filename for i in self._zip.infolist() if not i.is_dir()]
            elif self.path.suffix.lower() == ".zip":
                raise FercourseError(
                    f"{self.path} is not a zip file, or only a part of one: download it again."
                )
            else:
                names = [self.path.name]
        except (OSError, zipfile.BadZipFile) as error:
            raise FercourseError(f"{self.path} cannot be read: {error}.") from error
        self.names = sorted(n for n in names if _wanted(n, only))

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A binary stream of one file.

        Raises:
            FercourseError: The file turns out to be damaged, be it after a thousand lines.
        """
        folder = self.path if self.path.is_dir() else self.path.parent
        try:
            with self._zip.open(name) if self._zip else open(folder / name, "rb") as file:
                yield file  # type: ignore[misc]
        except _BROKEN as error:
            raise FercourseError(f"{self.path}: {name} cannot be read: {error}.") from error

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        with self.open(name) as file:
            return file.read()

    def key(self) -> str:
        """Hex digest that changes when the content does.

        Of a file, its bytes. Of a folder, every name with its size and time of change: reading
        36,000 small files only to name them would cost as much as decoding them.
        """
        digest = hashlib.sha256()
        try:
            if self.path.is_dir():
                for name in self.names:
                    stat = os.stat(self.path / name)
                    digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
            else:
                with open(self.path, "rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
        except OSError as error:
            raise FercourseError(f"{self.path} cannot be read: {error}.") from error
        return digest.hexdigest()


# What a damaged or encrypted zip member, or an unreadable file, may raise.
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def _walk(root: Path, only: tuple[str, ...]) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        if Path(folder) == root and only:
            folders[:] = [f for f in folders if _wanted(f, only)]
        folders[:] = [f for f in folders if not f.startswith(".")]
        inside = Path(folder).relative_to(root)
        yield from ((inside / f).as_posix() for f in files)


def _wanted(name: str, only: tuple[str, ...]) -> bool:
    """Not what a file manager left behind (.DS_Store, __MACOSX/, Thumbs.db), and matching."""
    parts = name.split("/")
    litter = any(p.startswith(".") or p in ("__MACOSX", "Thumbs.db", "desktop.ini") for p in parts)
    return not litter and (not only or any(fnmatch(parts[0], pattern) for pattern in only))
