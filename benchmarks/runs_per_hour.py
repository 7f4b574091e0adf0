"""Runs an hour on one device, by how many run at a time and how the model is compiled.

    python benchmarks/runs_per_hour.py --jobs 1 2 4 8 --preset course --seconds 20

A 48-pixel run does not fill a large GPU, so several at once may finish more of them. Each line is
as many runs as go at a time, as the runner does them, but on noise: speed does not depend on what
the pixels show. A worker pays once for starting, loading and compiling; what counts for long runs
is the rate afterwards, so only the time is counted in which all workers are past their first epoch.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import closing
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import torch

from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.device import best_device
from fercourse.experiments import job as jobs_
from fercourse.experiments.engine_local import run_local
from fercourse.experiments.job import Job, OnEpoch, Result
from fercourse.experiments.plans import plan
from fercourse.files import write_if_changed

ENDLESS = 10**4
"""Epochs of runs that are ended when they have been watched for long enough."""


def main() -> None:
    a = arguments()
    device = best_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"{name}, preset {a.preset}, model {a.model}, {a.count} faces of noise")
    print(f"{'jobs':>5} {'compile':>12} {'images/s':>10} {'runs/h':>8} {'first epoch, s':>15}")
    ways: dict[str, dict[str, bool]] = {"no": {}}
    if a.compile:
        ways["yes"] = {"train.compile": True}
        if device.type == "cuda":
            ways["CUDA graphs"] = {"train.compile": True, "train.cuda_graphs": True}
    deadline = None if a.until is None else time.monotonic() + a.until - time.time()
    rows: list[dict[str, Any]] = []
    for (way, changes), jobs in product(ways.items(), a.jobs):
        found = measure(a, jobs, changes, deadline)
        if found is None:
            print(f"{jobs:5} {way:>12}  the time was over before it could be measured", flush=True)
            break
        rate, first = found
        runs = 3600 * rate / (a.epochs_of_a_run * a.faces_of_a_run)
        print(f"{jobs:5} {way:>12} {rate:10.0f} {runs:8.2f} {first:15.1f}", flush=True)
        rows.append(
            {
                "jobs": jobs,
                "compile": way,
                "images_per_second": round(rate),
                "runs_per_hour": round(runs, 2),
                "first_epoch_seconds": round(first, 1),
            }
        )
        if a.json:
            table = {"device": name, "preset": a.preset, "model": a.model, "rows": rows}
            write_if_changed(Path(a.json), json.dumps(table, indent=1) + "\n")


def measure(
    a: argparse.Namespace, jobs: int, way: dict[str, bool], deadline: float | None
) -> tuple[float, float] | None:
    """Images a second of all workers together, and when the slowest ended its first epoch.

    Until all have been at it for ``a.seconds``, or until the deadline; None where that came
    before each had two epochs.
    """
    changes = {"train.epochs": ENDLESS, "data.count": a.count, **way}
    changes |= {} if a.width is None else {"model.width": a.width}
    runs = plan("table1", "synthetic", a.preset, jobs, (a.model,), changes=changes)
    started, ends = time.monotonic(), {run.name: [] for run in runs}
    begin = end = started
    with tempfile.TemporaryDirectory() as folder:
        todo = [Job(run, root=folder, threads=max(1, a.cores // jobs)) for run in runs]
        events = run_local(lambda: todo.pop() if todo else None, jobs, on_noise, deadline)
        with closing(events):
            for event in events:
                if event.kind != "epoch":
                    raise SystemExit(f"{event.job.run.name}: {event.value}")
                ends[event.job.run.name].append((time.monotonic(), images(event.value)))
                if all(ends.values()):
                    # From the last worker's first epoch to the first worker's last: all are at it.
                    begin = max(epochs[0][0] for epochs in ends.values())
                    end = min(epochs[-1][0] for epochs in ends.values())
                    if end - begin >= a.seconds:
                        break
    if end <= begin:
        return None
    total = sum(during(epochs, begin, end) for epochs in ends.values())
    return total / (end - begin), begin - started


def on_noise(job: Job, on_epoch: OnEpoch | None) -> Result:
    """A worker's job, without the time that faces take to be drawn."""
    jobs_.load_once = noise  # pyright: ignore[reportAttributeAccessIssue]
    return jobs_.work(job, on_epoch)


def noise(config: Any, source: str | None) -> FaceDataset:
    """As many faces as the config says, an eighth more to validate on, as FER2013 has it."""
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Faces:
        shape = (count, config.size, config.size)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return Faces(images, torch.randint(0, 7, (count,), generator=generator))

    some = max(1, config.count // 8)
    return FaceDataset(
        split(config.count), split(some), held_out(split(some)), "synthetic", "noise"
    )


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
    parser.add_argument("--width", type=float, help="the preset's by default")
    parser.add_argument("--count", type=int, default=4096, help="faces of an epoch")
    parser.add_argument("--seconds", type=float, default=20.0, help="that each line is watched for")
    parser.add_argument("--until", type=float, help="when to end, in seconds since 1970")
    parser.add_argument("--epochs-of-a-run", type=int, default=150)
    parser.add_argument("--faces-of-a-run", type=int, default=28_709, help="FER2013's Training")
    parser.add_argument("--cores", type=int, default=torch.get_num_threads())
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--json", help="also write the numbers here, after each line")
    return parser.parse_args()


if __name__ == "__main__":
    main()
