"""Files that are whole or not there at all, and held by one process at a time."""

from __future__ import annotations

import errno
import glob
import json
import os
import platform
import secrets
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fercourse.errors import FercourseError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder, moved onto ``path`` if the block ends well.

    A reader sees the old file or the new one, never half of it, even if the process is killed or
    the power fails. What a killed process left is deleted by the next that writes the same file.
    """
    path = Path(path).resolve()  # of a link, what it points to
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    part.touch(exist_ok=False)
    try:
        yield part
        with part.open("rb+") as content:  # on the disk before its name is
            os.fsync(content.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def part_of(path: Path, ending: str = "") -> Path:
    """A name beside ``path`` that nobody has yet, for what is not finished.

    It tells this machine and process, so that what others left when they were killed is known for
    that, and deleted.

    Args:
        path: The file that is to be.
        ending: What the name must end in, as ".mp4".
    """
    machine = f"{zlib.crc32(platform.node().encode()):08x}"
    for left in path.parent.glob(f".{glob.escape(path.name)}.{machine}-*"):
        pid = left.name.removeprefix(f".{path.name}.{machine}-").partition("-")[0]
        if pid.isdecimal() and not _runs(int(pid), left):
            left.unlink(missing_ok=True)
    return path.parent / f".{path.name}.{machine}-{os.getpid()}-{secrets.token_hex(4)}{ending}"


def _runs(pid: int, left: Path) -> bool:
    """Whether the process that writes a file may still do so."""
    if os.name == "nt":  # where asking for a process would end it: an hour is long enough
        return time.time() - left.stat().st_mtime < 3600
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_if_changed(path: Path, text: str) -> bool:
    """Write a text file, whole, unless it says so already; True if that changed it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return True


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a file against other processes; the system frees the lock of a killed one.

    Raises:
        FercourseError: Another process holds it for a minute.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=60):
            yield
    except Timeout:
        raise FercourseError(
            f"{path} has been locked by another process for 60 s; end it, or try again."
        ) from None


def extend_lines(path: Path, lines: Sequence[str]) -> None:
    """Add JSON lines to a file of such, which is replaced whole; hold it with :func:`file_lock`.

    A last line that was torn, by a program that wrote in place, is left out.
    """
    content = path.read_bytes() if path.is_file() else b""
    _, _, tail = content.rpartition(b"\n")
    if tail:
        content = content + b"\n" if is_json(tail) else content[: len(content) - len(tail)]
    with atomic_write(path) as part:
        part.write_bytes(content + "".join(f"{line}\n" for line in lines).encode())


def stands_in(head: bytes) -> str:
    """What a file is that was saved under another's name, and what to do; "" of any other.

    Args:
        head: Its first 64 bytes, or more.
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer in place of the file itself: run git lfs pull"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page in place of the file: open its address in a browser and download it"
    return ""


def is_json(line: bytes) -> bool:
    """Whether a line is a whole JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
