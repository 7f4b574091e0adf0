"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder, moved onto ``path`` if the block ends well.

    A reader sees the old file or the new one, never half of it, even if the process is killed or
    the power fails.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    part.touch(exist_ok=False)
    try:
        yield part
        with part.open("rb+") as content:  # on the disk before its name is
            os.fsync(content.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_if_changed(path: Path, text: str) -> bool:
    """Write a text file, whole, unless it says so already; True if that changed it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return True
