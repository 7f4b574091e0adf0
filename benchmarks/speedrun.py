"""What an epoch of each step of the speedrun costs beside the first one's: docs/speedrun.md.

All steps take turns in one process, so that whatever else the machine does slows all alike. Writes
``results/speedrun.json`` and the page made from it and the ledger::

    python benchmarks/speedrun.py --threads 1
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from lightning_fabric import Fabric

from fercourse.config import RunConfig, preset
from fercourse.device import best_device, native_bf16
from fercourse.experiments.cost import finish
from fercourse.experiments.speedrun import speedrun
from fercourse.training.learner import Learner
from fercourse.training.loop import sizes


class Timed:
    """Training steps of one recipe at one size."""

    def __init__(self, run: RunConfig, size: int, fabric: Fabric) -> None:
        torch.manual_seed(0)
        self.learner = Learner(run, 100_000)
        self.learner.place(fabric)
        self.learner.train()
        count = run.train.batch_size
        self.images = torch.randint(0, 256, (count, size, size), dtype=torch.uint8)
        self.images = self.images.to(fabric.device)
        self.labels = torch.randint(0, 7, (count,), device=fabric.device)
        on_cuda = fabric.device.type == "cuda"
        self.generator = torch.Generator(fabric.device if on_cuda else "cpu")
        self.seconds: list[float] = []  # a face

    def step(self, keep: bool = True) -> None:
        """One step, timed."""
        started = time.perf_counter()
        self.learner.step(self.images, self.labels, self.generator)
        finish(self.images.device)
        if keep:
            self.seconds.append((time.perf_counter() - started) / len(self.images))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", help="names, with commas between them; else all")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = best_device()
    fabric = Fabric(
        accelerator="gpu" if device.type == "cuda" else device.type,
        devices=1,
        precision="bf16-mixed" if native_bf16(device) else "32-true",
    )
    names = options.steps.split(",") if options.steps else None
    runs = speedrun(preset("cpu", 1), names)
    timed = {
        (name, size): Timed(run, size, fabric)
        for name, run in runs.items()
        for size in dict.fromkeys(sizes(run))
    }
    for keep in [False] + [True] * options.rounds:
        for one in timed.values():
            one.step(keep)
    first = next(iter(runs))
    for name, run in runs.items():
        # Rounds are paired: in each, all steps met the same machine.
        shares = [
            statistics.mean(timed[name, size].seconds[k] for size in sizes(run))
            / timed[first, run.data.size].seconds[k]
            for k in range(options.rounds)
        ]
        cost = statistics.median(shares)
        print(f"{name:28} {cost:6.3f} x {run.train.epochs:3} = {cost * run.train.epochs:6.2f}")


if __name__ == "__main__":
    main()
