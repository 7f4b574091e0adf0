"""How torch's threads wait: the OpenMP library itself is asked what it was told."""

import os
import subprocess
import sys

import pytest
import torch
from made_faces import bar_dataset

import fercourse
from fercourse import preset, threads
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


def test_a_small_step_has_one_thread_and_the_others_all():
    cpu, before = torch.device("cpu"), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert threads.count(preset("smoke"), cpu) == 1
        assert threads.count(preset("cpu"), cpu) == 2
        assert threads.count(preset("smoke"), torch.device("cuda")) == 2, "left as it is"
        with threads.suited(preset("smoke"), cpu):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_training_and_its_row_keep_to_it(monkeypatch):
    used = []
    monkeypatch.setattr("fercourse.training.train.fit", lambda *_, **__: used.append(_now()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for name in ("smoke", "cpu"):
            fercourse.train(preset(name), bar_dataset(48), device="cpu", progress=False)
        assert used == [1, 2]
        assert _now() == 2
    finally:
        torch.set_num_threads(before)


def _now() -> int:
    return torch.get_num_threads()
