"""How torch's threads wait: the OpenMP library itself is asked what it was told."""

import os
import subprocess
import sys

import pytest

from fercourse.threads import WAIT

pytestmark = pytest.mark.slow


def _openmp(code: str, **chosen: str) -> str:
    """What OpenMP prints about its settings as a process loads it, spaces left out."""
    environment = {name: value for name, value in os.environ.items() if name not in WAIT}
    environment |= {"OMP_DISPLAY_ENV": "verbose", **chosen}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    said = (done.stdout + done.stderr).replace(" ", "")
    if not any(name in said for name in WAIT):
        pytest.skip("torch was built without OpenMP here, so its threads do not spin this way")
    return said


def _told(said: str, value: dict[str, str]) -> bool:
    return any(f"{name}='{value[name]}" in said for name in WAIT)


def test_openmp_is_told_before_torch_loads_it():
    assert _told(_openmp("import fercourse, torch"), WAIT)
    assert not _told(_openmp("import torch"), WAIT), "torch waits so by itself: delete threads.py"


def test_a_users_own_choice_stays():
    chosen = {"GOMP_SPINCOUNT": "77", "KMP_BLOCKTIME": "77"}
    assert _told(_openmp("import fercourse, torch", **chosen), chosen)
