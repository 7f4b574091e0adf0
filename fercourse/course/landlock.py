"""Landlock, by which a Linux process gives up files for good; through ctypes, as libc has no names.

The packages of this name are development versions, and this is three system calls.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
"""The system calls; these numbers are the same on every architecture."""

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights to files a version knows, each a bit; later versions as the last here."""
TCP = 0b11
"""Binding and connecting, from version 4 on."""
SCOPES = 0b11
"""Abstract sockets and signals of processes outside, from version 6 on."""

_syscall = ctypes.CDLL(None, use_errno=True).syscall if os.name == "posix" else None


def version() -> int:
    """Of the kernel's Landlock; 0 where it has none."""
    try:
        return _call(CREATE, None, 0, 1)
    except OSError:
        return 0


def restrict(readable: Sequence[Path], writable: Sequence[Path] = (), abi: int = 0) -> None:
    """Take all rights to files from this thread and its children, but for what is named.

    Args:
        readable: Files and folders to read; those that are not there are passed over.
        writable: Files to write to as well, such as /dev/null.
        abi: Do what this version of Landlock can; the kernel's by default.

    Raises:
        OSError: The kernel refuses.
    """
    abi = abi or version()
    fields = [(1 << RIGHTS[min(abi, max(RIGHTS))]) - 1]
    fields += [TCP] if abi >= 4 else []
    fields += [SCOPES] if abi >= 6 else []
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    rules = _call(CREATE, attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(rules, path, READ_FILE | (READ_DIR if path.is_dir() else 0))
        for path in writable:
            _allow(rules, path, READ_FILE | WRITE_FILE)
        _call(RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        beneath = os.open(path, getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return
    try:
        _call(ADD, rules, 1, struct.pack("=Qi", rights, beneath), 0)
    finally:
        os.close(beneath)


def _call(*arguments: int | bytes | None) -> int:
    if _syscall is None:
        raise OSError("There is no Landlock on this system.")
    words = [ctypes.c_long(x) if isinstance(x, int) else x for x in arguments]
    result = _syscall(*words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
