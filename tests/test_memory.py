"""Freed memory stays inside the block: the system is asked for no page a second time."""

import subprocess
import sys

import pytest

from fercourse import memory

FAULTS = """
import resource
import torch
from fercourse.memory import kept

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def taken():  # 64 MB in pages of 4 KB are 16,384, unless the system maps larger ones at once
    before = faults()
    torch.zeros(2**24)
    return faults() - before

torch.set_num_threads(1)
taken()
outside = taken()
with kept():
    # Before release 2.38 glibc takes an aligned block out of a larger hole only, so of the first
    # few each may lie elsewhere.
    inside = min(taken() for _ in range(40))
print(outside, inside, taken())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no mallopt")
def test_a_block_is_mapped_anew_every_time_but_inside():
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True
    )
    outside, inside, behind = map(int, done.stdout.split())
    assert outside > 10
    assert inside <= outside / 10
    assert behind > 10


def test_without_glibc_nothing_happens(monkeypatch):
    class Other:
        """A C library without mallopt, as musl is."""

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Other())
    with memory.kept():
        pass
    monkeypatch.setattr(memory.sys, "platform", "win32")
    monkeypatch.setattr(memory.ctypes, "CDLL", None)  # Windows has no library without a name
    with memory.kept():
        pass
