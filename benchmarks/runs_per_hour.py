"""Runs an hour on one device, by how many run at a time and how the model is compiled.

    python benchmarks/runs_per_hour.py --jobs 1 2 4 8 --preset course --epochs 4

A 48-pixel run does not fill a large GPU, so several at once may finish more of them. Each line is
as many short runs as go at a time, on drawn faces, as the runner does them. A worker's first run
pays for starting, loading and compiling; what is left after the first epoch is the rate that counts
for long runs, so only the epochs that all workers spend together are timed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import pairwise

import torch

from fercourse.device import best_device
from fercourse.experiments.engine_local import run_local
from fercourse.experiments.job import Job, work
from fercourse.experiments.plans import plan


def main() -> None:
    options = arguments()
    device = best_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"{name}, preset {options.preset}, model {options.model}, {options.count} drawn faces")
    print(f"{'jobs':>5} {'compile':>12} {'images/s':>10} {'runs/h':>8} {'first epoch, s':>15}")
    ways: dict[str, dict[str, bool]] = {"no": {}}
    if options.compile:
        ways["yes"] = {"train.compile": True}
        if device.type == "cuda":
            ways["CUDA graphs"] = {"train.compile": True, "train.cuda_graphs": True}
    for way, changes in ways.items():
        for jobs in options.jobs:
            rate, first = measure(options, jobs, changes)
            runs = 3600 * rate / (options.epochs_of_a_run * options.faces_of_a_run)
            print(f"{jobs:5} {way:>12} {rate:10.0f} {runs:8.2f} {first:15.1f}", flush=True)


def measure(options: argparse.Namespace, jobs: int, way: dict[str, bool]) -> tuple[float, float]:
    """Images a second of all workers together, and when the slowest ended its first epoch."""
    changes = {"train.epochs": options.epochs, "data.count": options.count, **way}
    runs = plan("table1", "synthetic", options.preset, jobs, (options.model,), changes=changes)
    started, ends = time.monotonic(), {run.name: [] for run in runs}
    with tempfile.TemporaryDirectory() as folder:
        todo = [Job(run, root=folder, threads=max(1, options.cores // jobs)) for run in runs]
        for event in run_local(lambda: todo.pop() if todo else None, jobs, work):
            if event.kind == "epoch":
                ends[event.job.run.name].append((time.monotonic(), images(event.value)))
            elif event.kind != "done":
                raise SystemExit(f"{event.job.run.name}: {event.value}")
    # From the last worker's first epoch to the first worker's last: all are at it.
    begin = max(epochs[0][0] for epochs in ends.values())
    end = min(epochs[-1][0] for epochs in ends.values())
    if end <= begin:
        raise SystemExit("The runs did not overlap: give them more --epochs.")
    return sum(during(epochs, begin, end) for epochs in ends.values()) / (
        end - begin
    ), begin - started


def images(entry: dict[str, float]) -> float:
    return entry["images_per_second"] * entry["seconds"]


def during(epochs: list[tuple[float, float]], begin: float, end: float) -> float:
    """Images of the epochs, or parts of them, that lie between two times."""
    total = 0.0
    for (before, _), (after, count) in pairwise(epochs):
        inside = max(0.0, min(after, end) - max(before, begin))
        total += count * inside / (after - before)
    return total


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--preset", default="course")
    parser.add_argument("--model", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=4, help="of each short run")
    parser.add_argument("--count", type=int, default=4000, help="faces drawn")
    parser.add_argument("--epochs-of-a-run", type=int, default=150)
    parser.add_argument("--faces-of-a-run", type=int, default=28_709, help="FER2013's Training")
    parser.add_argument("--cores", type=int, default=torch.get_num_threads())
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    return parser.parse_args()


if __name__ == "__main__":
    main()
