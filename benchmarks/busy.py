"""Augmentation and training alone, and beside another busy process.

    python benchmarks/busy.py --rounds 5 --seconds 2

A laptop in class is always busy. Three ways are compared, each in a process of its own, for OpenMP
reads its settings once: as torch comes; with threads as fercourse sets them, how they wait, and one
alone for a small step (fercourse/threads.py); and with freed memory kept for the next step, too
(fercourse/memory.py).
They take turns; each round times a task alone, then beside as many processes that only count as
asked for. Printed are mean milliseconds, for a few long waits are what makes the difference, as
the median over rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from statistics import median

WAYS = ("as torch comes", "threads set", "and memory kept")


def main() -> None:
    options = arguments()
    if options.measure:
        print(json.dumps(measure(options.measure, options.seconds, options.busy)))
        return
    rounds = [{way: child(way, options) for way in WAYS} for _ in range(options.rounds)]
    print(f"{platform.machine()}, {os.cpu_count()} cores, {options.busy} busy beside\n")
    print(f"{'task':34} {'threads':22} {'alone, ms':>10} {'beside, ms':>11} {'ratio':>7}")
    for task in rounds[0][WAYS[0]]:
        for way in WAYS:
            pairs = [one[way][task] for one in rounds]
            alone, beside = (median(times) for times in zip(*pairs, strict=True))
            ratio = median(busy / idle for idle, busy in pairs)
            print(f"{task:34} {way:22} {alone:10.2f} {beside:11.2f} {ratio:6.1f}x")


def child(way: str, options: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Every task's milliseconds, alone and beside, in a new process."""
    numbers = ["--seconds", str(options.seconds), "--busy", str(options.busy)]
    command = [sys.executable, __file__, "--measure", way, *numbers]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(way: str, seconds: float, busy: int) -> dict[str, tuple[float, float]]:
    ours = way != WAYS[0]
    if ours:
        import fercourse  # noqa: F401  (before torch: it sets how torch's threads wait)
    count = [sys.executable, "-c", "while True: pass"]
    result = {}
    with ExitStack() as measured:
        if way == WAYS[2]:
            from fercourse.memory import kept

            measured.enter_context(kept())
        for name, step in tasks(ours).items():
            alone = mean(step, seconds)
            with ExitStack() as others:
                for _ in range(busy):
                    others.callback(others.enter_context(subprocess.Popen(count)).kill)
                time.sleep(0.2)
                result[name] = alone, mean(step, seconds)
    return result


def tasks(ours: bool) -> dict[str, Callable[[], None]]:
    """What is timed: one batch each."""
    import torch
    from lightning_fabric import Fabric

    from fercourse.augment import augment
    from fercourse.config import preset
    from fercourse.threads import suited
    from fercourse.training.learner import Learner

    faces = torch.randint(0, 256, (128, 48, 48), dtype=torch.uint8)
    labels = torch.arange(128) % 7
    generator = torch.Generator().manual_seed(0)

    def training(name: str) -> Callable[[], None]:
        config, device = preset(name), torch.device("cpu")
        learner = Learner(config, 10**6)
        learner.place(Fabric(accelerator="cpu", devices=1))
        learner.train()
        size = config.train.batch_size

        def step() -> None:
            with suited(config, device) if ours else nullcontext():
                learner.step(faces[:size], labels[:size], generator)

        return step

    return {
        "augmentation, 128 faces": lambda: augment(faces, "course", generator),
        "training step, preset smoke": training("smoke"),
        "training step, preset cpu": training("cpu"),
        "training step, preset hour": training("hour"),
    }


def mean(step: Callable[[], None], seconds: float) -> float:
    """Milliseconds a step, over at least ``seconds``."""
    for _ in range(3):
        step()
    started, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - started) < seconds:
        step()
        count += 1
    return 1e3 * spent / count


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each task, alone and beside")
    parser.add_argument("--busy", type=int, default=1, help="other busy processes")
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
