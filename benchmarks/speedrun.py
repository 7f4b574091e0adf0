"""What an epoch of each step of the speedrun costs beside the first one's, and where time goes.

All steps take turns in one process, so that whatever else the machine does slows all alike. Writes
``results/speedrun.json``, and docs/speedrun.md from it and the ledger; two minutes on an idle
core::

    python benchmarks/speedrun.py
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from fercourse.config import RunConfig, preset
from fercourse.device import native_bf16
from fercourse.experiments.speedrun import STEPS, kept, speedrun
from fercourse.files import atomic_write
from fercourse.pages.speedrun import write
from fercourse.runs.ledger import Ledger
from fercourse.training.learner import Learner
from fercourse.training.loop import sizes

RECORD, PAGE = Path("results/speedrun.json"), Path("docs/speedrun.md")

PARTS = {
    "convolutions, backward": ("convolution_backward",),
    "convolutions, forward": ("mkldnn_convolution", "aten::convolution", "thnn_conv"),
    "batch norm": ("batch_norm",),
    "ReLU": ("clamp_min", "threshold_backward", "relu"),
    "pooling": ("pool",),
    "augmentation": ("grid_sampler",),
    "matrix products": ("aten::mm", "aten::addmm"),
    "optimizer and weight average": ("_foreach", "Optimizer", "lerp_"),
}
"""Words in the names of torch's operations; what has none of them is "the rest"."""


ALONE = {
    "batches of 32 faces": {"train.batch_size": 32},
    "batches of 512 faces": {"train.batch_size": 512},
    "`torch.compile`": {"train.compile": True},
    "float32 throughout": {"train.precision": "float32"},
}
"""Settings of the best recipe that change little but its speed: a face's time beside its own."""


class Timed:
    """Training steps of one recipe at one size."""

    def __init__(self, run: RunConfig, size: int, fabric: Fabric) -> None:
        torch.manual_seed(0)
        self.learner = Learner(run, 100_000)
        self.learner.place(fabric)
        self.learner.train()
        count = run.train.batch_size
        self.images = torch.randint(0, 256, (count, size, size), dtype=torch.uint8)
        self.labels = torch.arange(count) % 7
        self.learner.loss.weigh(self.labels)
        self.generator = torch.Generator()
        self.seconds: list[float] = []  # a face, round by round

    def step(self) -> None:
        """One training step."""
        self.learner.step(self.images, self.labels, self.generator)

    def timed(self) -> None:
        """One that counts."""
        started = time.perf_counter()
        self.step()
        self.seconds.append((time.perf_counter() - started) / len(self.images))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=11, help="timed steps of each recipe")
    parser.add_argument("--steps", help="names, with commas between them: only print these")
    parser.add_argument("--page-only", action="store_true", help="write the page from the record")
    options = parser.parse_args()
    if not options.page_only:
        torch.set_num_threads(options.threads)
        bf16 = native_bf16(torch.device("cpu"))
        fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if bf16 else "32-true")
        best = (
            speedrun(preset("cpu", 1), kept()[-1:]).popitem()[1].change(**{"train.start_size": 0})
        )
        names = options.steps.split(",") if options.steps else None
        rows = costs(speedrun(preset("cpu", 1), names), options.rounds, fabric)
        if names:
            return
        record = {
            "device": f"cpu x {options.threads}",
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "precision": "bf16" if bf16 else "float32",
            "torch": torch.__version__,
            "costs": rows,
            "alone": costs(
                {"best": best, **{name: best.change(**how) for name, how in ALONE.items()}},
                options.rounds,
                fabric,
            ),
            "matrix": matrix_rate(torch.bfloat16 if bf16 else torch.float32),
            "profiles": [profiled(name, fabric) for name in (STEPS[0].name, kept()[-1])],
        }
        with atomic_write(RECORD) as part:
            part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write(PAGE, RECORD.parent, Ledger())


def costs(runs: dict[str, RunConfig], rounds: int, fabric: Fabric) -> dict[str, float]:
    """What an epoch of each takes, of an epoch of the first one's: by the steps' names."""
    precise = Fabric(accelerator="cpu", devices=1, precision="32-true")
    timed = {
        (name, size): Timed(run, size, precise if run.train.precision == "float32" else fabric)
        for name, run in runs.items()
        for size in dict.fromkeys(sizes(run))
    }
    for one in timed.values():
        one.step()
    for _ in range(rounds):
        for one in timed.values():
            one.timed()
    first = timed[next(iter(timed))]
    found = {}
    for name, run in runs.items():
        # In each round all met the same machine.
        shares = [
            statistics.mean(timed[name, size].seconds[k] for size in sizes(run)) / first.seconds[k]
            for k in range(rounds)
        ]
        cost = found[name.removeprefix("speedrun-")] = statistics.median(shares)
        print(f"{name:28} {cost:6.3f} x {run.train.epochs:3} = {cost * run.train.epochs:6.2f}")
    return found


def profiled(name: str, fabric: Fabric) -> dict:
    """Where a step's time goes at 48 pixels, and how many operations a second it does."""
    run = speedrun(preset("cpu", 1), [name])[f"speedrun-{name}"]
    one = Timed(run, run.data.size, fabric)
    one.step()
    for _ in range(5):
        one.timed()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(3):
            one.step()
    spent: Counter[str] = Counter()
    for event in seen.key_averages():
        part = next((p for p, words in PARTS.items() if any(w in event.key for w in words)), None)
        spent[part or "the rest"] += event.self_cpu_time_total
    with FlopCounterMode(display=False) as counter:
        one.step()
    seconds = statistics.median(one.seconds) * len(one.images)
    return {
        "step": name,
        "shares": {part: time / spent.total() for part, time in spent.most_common()},
        "flops_per_second": counter.get_total_flops() / seconds,
        "images_per_second": len(one.images) / seconds,
    }


def matrix_rate(dtype: torch.dtype) -> float:
    """Best of ten large square products, FLOP/s."""
    side = 2048
    a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
    times = []
    for _ in range(12):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    return 2 * side**3 / min(times[2:])


if __name__ == "__main__":
    main()
