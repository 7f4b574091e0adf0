"""The most memory that a step takes, each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import torch

from fercourse.device import native_bf16
from fercourse.experiments.cost import prediction
from fercourse.runs.performance import Memory
from parts.framework import bare_trunk, batch, full_model, step_of
from parts.setting import Setting

MODELS = {"full": full_model, "trunk": bare_trunk}


def measure(s: Setting) -> list[Memory]:
    """Training and prediction, a small batch and a large one, the full model and the trunk."""
    steps = [("prediction", 1), ("prediction", 128), ("training", 32), ("training", 128)]
    if s.quick:
        steps = [("training", 2), ("training", 8)]
    return [Memory(use, n, *(_apart(s, model, use, n) for model in MODELS)) for use, n in steps]


def nothing(s: Setting) -> float:
    """What a process has taken before there is a model."""
    return _apart(s, "none", "prediction", 1)


def _apart(s: Setting, model: str, use: str, count: int) -> float:
    """Megabytes, as a process told that did nothing else: this file, called as a program."""
    words = [s.device, s.width, model, use, count]
    done = subprocess.run(
        [sys.executable, "-m", "parts.memory", *map(str, words)],
        cwd=Path(__file__).parents[1],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout)


def _peak(device: str, width: str, model: str, use: str, count: str) -> float:
    place = torch.device(device)
    s = Setting(place, native_bf16(place), 0.0, quick=False)
    if model in MODELS:
        net, (x, y) = MODELS[model](s, float(width)), batch(s, int(count))
        training = use == "training"
        step = step_of(net, x, y, s.bf16) if training else partial(prediction, net, x, s.bf16)
        for _ in range(2):  # at the first one an optimizer has no state yet
            step()
    if place.type == "cuda":
        return torch.cuda.max_memory_allocated(place) / 2**20
    status = Path("/proc/self/status")
    if status.is_file():  # Linux: what getrusage says there may be the parent's
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS: bytes


if __name__ == "__main__":
    print(_peak(*sys.argv[1:]))
