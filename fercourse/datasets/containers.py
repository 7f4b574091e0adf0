"""What files are packed in, told by their first bytes: names lie (the contest's tar is a .csv)."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from fercourse.errors import FercourseError

BROKEN = (
    OSError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # an encrypted member of a zip
    NotImplementedError,  # a compression that Python has not
    UnicodeDecodeError,
    ValueError,  # a zip's directory that points before the file
)
"""What damaged or encrypted files may raise."""

MOST = 4 * 2**30
"""Bytes that one packed file may unpack to: data sets of faces are smaller, bombs are larger."""

_SQUEEZED: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
_FOREIGN = {"7z": "a 7-zip archive", "rar": "a RAR archive"}
_ENDINGS = (".gz", ".bz2", ".xz", ".tgz", ".tbz2", ".txz")
_IN_MEMORY = 2**26

Files = dict[str, Callable[[], BinaryIO]]
"""The files in a container: what opens each, by its name."""


def kind(head: bytes) -> str:
    """What a file that begins so is packed as: "zip", "tar", "gzip", ...; "" if it is not.

    Args:
        head: The first 265 bytes, or all there are.
    """
    for begin, name in (
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
    ):
        if head.startswith(begin):
            return name
    return "tar" if head[257:262] == b"ustar" else ""


def unpacked(open_: Callable[[], BinaryIO], name: str) -> Files | None:
    """What is in a packed file; None where it is packed in no way.

    Members are read where they lie; only what can be read from the front alone (a tar that is
    squeezed, a zip in a zip) goes to a temporary file first.

    Args:
        open_: Opens the file from its start.
        name: Its name, from which that of a squeezed file follows: "a.csv" of "a.csv.gz".

    Raises:
        FercourseError: It is of a kind that Python does not read.
        Exception: One of :data:`BROKEN`.
    """
    with open_() as stream:
        found = kind(stream.read(265))
    if found in _FOREIGN:
        raise FercourseError(f"{_FOREIGN[found]}, which is not read here: unpack it first")
    if found == "zip":
        return _zip(_seekable(open_()))
    if found == "tar":
        return _tar(_seekable(open_()))
    if not found:
        return None

    def squeezed() -> BinaryIO:
        return cast(BinaryIO, _SQUEEZED[found](open_()))

    with squeezed() as stream:
        is_tar = kind(stream.read(265)) == "tar"
    if is_tar:
        with squeezed() as stream:
            return _tar(_copied(stream))
    inner = PurePosixPath(name).name
    return {inner.rpartition(".")[0] if inner.lower().endswith(_ENDINGS) else inner: squeezed}


def _zip(stream: BinaryIO) -> Files:
    file = zipfile.ZipFile(stream)
    return {
        # Some programs for Windows write their own separator.
        info.filename.replace("\\", "/"): lambda info=info: cast(BinaryIO, file.open(info))
        for info in file.infolist()
        if not info.is_dir()
    }


def _tar(stream: BinaryIO) -> Files:
    file = tarfile.open(fileobj=stream, mode="r:")  # noqa: SIM115 - it stays open as its members do
    return {
        member.name: lambda member=member: cast(BinaryIO, file.extractfile(member))
        for member in file.getmembers()
        if member.isfile()
    }


def _seekable(stream: BinaryIO) -> BinaryIO:
    """The stream itself where jumping in it is cheap: a file of the disk, or in memory."""
    try:
        stream.fileno()
    except (OSError, AttributeError):
        with stream:
            return _copied(stream)
    return stream


def _copied(stream: BinaryIO) -> BinaryIO:
    """The whole stream in a file that is gone when it is closed, in memory where it is small."""
    copy = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller's to close
    size = 0
    while block := stream.read(2**20):
        size += len(block)
        if size > MOST:
            raise FercourseError(f"more than {MOST / 2**30:.0f} GB when unpacked")
        copy.write(block)
    copy.seek(0)
    return cast(BinaryIO, copy)
