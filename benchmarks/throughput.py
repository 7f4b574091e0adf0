"""Images a second of whole training steps on one device: eager, recorded, compiled.

    python benchmarks/throughput.py --models 1 6 --batches 128 256 --json throughput.json

A step is what training does: a batch is gathered and augmented, then forward, loss, backward,
optimizer and weight average, by the preset's recipe. On CUDA training records its steps as one
graph (``fercourse/training/graph.py``); "eager" is without. All ways of a model are timed in turn
in one process, so that a change of the machine's speed meets all; printed are medians. The JSON
file is written anew after each model: whoever ends this early keeps what was measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from fercourse.config import RunConfig, preset
from fercourse.device import best_device, native_bf16
from fercourse.errors import FercourseError
from fercourse.experiments.cost import finish
from fercourse.files import write_if_changed
from fercourse.training.learner import Learner


class Eager(Learner):
    """Without a CUDA graph."""

    records = False


def main() -> None:
    a = arguments()
    device = best_device()
    cuda = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if cuda else device.type
    bf16 = native_bf16(device)
    fabric = Fabric(
        accelerator="gpu" if cuda else device.type,
        devices=1,
        precision="bf16-mixed" if bf16 else "32-true",
    )
    ways: dict[str, tuple[type[Learner], bool]] = {"eager": (Eager, False)}
    if cuda:
        ways["recorded"] = (Learner, False)
    if a.compile:
        ways["compiled"] = (Eager, True)
        if cuda:
            ways["compiled, recorded"] = (Learner, True)

    about = {
        "device": name,
        "torch": torch.__version__,
        "precision": "bf16" if bf16 else "float32",
        "width": a.width,
        "size": a.size,
    }
    print("{device}, torch {torch}, {precision}, width {width:g}, {size} px".format(**about))
    print(f"{'model':>6} {'batch':>6} {'way':>20} {'images/s':>10} {'first, s':>9}", flush=True)
    # Compiling may take longer than there is time: all that does without comes first, and is
    # measured once more beside what is compiled.
    rounds = [ways] if not a.compile else [{k: v for k, v in ways.items() if not v[1]}, ways]
    rows: dict[tuple[int, int, str], dict[str, Any]] = {}
    for those, batch, model in product(rounds, a.batches, a.models):
        config = preset("course", model).change(
            **{"model.width": a.width, "train.batch_size": batch, "data.size": a.size}
        )
        try:
            rates, first = measure(config, fabric, those, a.seconds)
        except (FercourseError, RuntimeError) as error:  # no compiler, or no memory
            print(f"model {model}, batches of {batch}: {str(error).splitlines()[0]}", flush=True)
            continue
        for way, rate in rates.items():
            print(f"{model:6} {batch:6} {way:>20} {rate:10.0f} {first[way]:9.1f}", flush=True)
            rows[model, batch, way] = {
                "model": model,
                "batch": batch,
                "way": way,
                "images_per_second": round(rate),
                "first_step_seconds": round(first[way], 2),
            }
        if a.json:
            table = about | {"rows": [*rows.values()]}
            write_if_changed(Path(a.json), json.dumps(table, indent=1) + "\n")


def measure(
    config: RunConfig, fabric: Fabric, ways: dict[str, tuple[type[Learner], bool]], seconds: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Images a second, and how long the first two steps took, of each way."""
    steps: dict[str, Callable[[], None]] = {}
    first, rounds = {}, {}
    for way, (kind, compiled) in ways.items():
        started = time.perf_counter()
        steps[way] = stepper(kind(config.change(**{"train.compile": compiled}), 10**6), fabric)
        steps[way]()
        steps[way]()
        finish(fabric.device)
        first[way] = time.perf_counter() - started
        began = time.perf_counter()
        for _ in range(3):
            steps[way]()
        finish(fabric.device)
        each = (time.perf_counter() - began) / 3
        rounds[way] = max(1, round(seconds / 5 / each))
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(5):
        for way, step in steps.items():
            began = time.perf_counter()
            for _ in range(rounds[way]):
                step()
            finish(fabric.device)
            times[way].append((time.perf_counter() - began) / rounds[way])
    batch = config.train.batch_size
    return {way: batch / statistics.median(each) for way, each in times.items()}, first


def stepper(learner: Learner, fabric: Fabric) -> Callable[[], None]:
    """One step on a batch drawn from faces that lie on the device."""
    device, size = fabric.device, learner.config.data.size
    learner.place(fabric)
    learner.train()
    images = torch.randint(0, 256, (4096, size, size), dtype=torch.uint8).to(device)
    labels = torch.randint(0, 7, (4096,)).to(device)
    generator = torch.Generator(device if device.type == "cuda" else "cpu").manual_seed(0)
    sums = torch.zeros(5, device=device)

    def step() -> None:
        rows = torch.randint(0, 4096, (learner.config.train.batch_size,), device=device)
        sums.add_(learner.step(images[rows], labels[rows], generator))

    return step


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, nargs="+", default=[1, 6])
    parser.add_argument("--batches", type=int, nargs="+", default=[128])
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=2.0, help="of timing, for each way")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--json", help="also write the numbers here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
