"""Memory that one training step frees and the next one needs again.

A step allocates and frees the same maps as the step before it. GNU's C library gives large blocks
back to the system at once, which must then find, zero and map the same pages again, a fault for
each: ``benchmarks/busy.py`` measures what that takes. Kept, they are there. It changes no result.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of what ``mallopt`` sets, in glibc's malloc.h."""

KEPT = 2**30
"""Bytes: free memory up to this much stays, and blocks below it come out of that."""

USUAL = {MMAP_THRESHOLD: 2**25, TRIM_THRESHOLD: 2**26}
"""What glibc itself arrives at once large blocks were freed."""


@contextmanager
def kept() -> Iterator[None]:
    """Inside the block, keep freed memory; behind it, give it back. Without glibc, do nothing."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not (hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim")):
        yield
        return
    for name in USUAL:
        libc.mallopt(name, KEPT)
    try:
        yield
    finally:
        for name, value in USUAL.items():
            libc.mallopt(name, value)
        libc.malloc_trim(0)
