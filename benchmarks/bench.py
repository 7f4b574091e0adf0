"""Every claim of speed, measured side by side in one run: docs/performance.md.

Two things that are compared take turns, call by call, so that whatever else the machine does slows
both; what counts is the ratio of each pair. Writes ``results/bench.json``, and the page and the
figure made from it. Some minutes on two idle cores::

    make bench
    python benchmarks/bench.py --peer /path/to/python-with-fer
    python benchmarks/bench.py --quick                      # does it run? nothing is written
"""

from __future__ import annotations

import fercourse.threads  # noqa: F401  (before torch: how its threads wait)

# isort: split
import argparse
import os
import platform
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from parts import attention, augmentation, framework, growth, looking, memory, reading
from parts.setting import SIZE, Setting

from fercourse.device import find_device, native_bf16
from fercourse.experiments.train_and_judge import device_name
from fercourse.files import atomic_write
from fercourse.pages.performance import write
from fercourse.runs.measured import provenance
from fercourse.runs.performance import Performance, Ratio
from fercourse.settings import ROOT

RECORD = ROOT / "results" / "bench.json"


def main() -> None:
    options = arguments()
    out = options.out or (None if options.quick else RECORD)
    if not options.page_only:
        found = measure(options)
        if out:
            with atomic_write(out) as part:
                part.write_text(found.to_json(), encoding="utf-8")
    if options.page_only or out == RECORD:
        write(ROOT / "docs", RECORD)


def measure(options: argparse.Namespace) -> Performance:
    device = find_device(options.device)
    s = Setting(device, native_bf16(device), options.seconds, options.quick)
    about = machine(s)
    print(*(f"{name}: {value}" for name, value in about.items()), sep="\n", flush=True)
    started = time.perf_counter()
    peaks = memory.measure(s)
    about["nothing_mb"] = memory.nothing(s)
    ratios = [
        *told(framework.measure(s)),
        *told(augmentation.measure(s)),
        *told(attention.measure(s)),
        *told(looking.measure(s)),
        *told(reading.measure(s, options.peer)),
    ]
    grown = growth.measure(s)
    about["minutes"] = (time.perf_counter() - started) / 60
    return Performance(about, tuple(ratios), tuple(peaks), tuple(grown))


def told(ratios: Iterable[Ratio]) -> Iterable[Ratio]:
    """The same, printed on the way."""
    for ratio in ratios:
        faster = f"{ratio.faster.median:8.2f} x" if ratio.faster else ratio.lacking
        print(f"{ratio.ours:64} {ratio.other:48} {faster}", flush=True)
        yield ratio


def machine(s: Setting) -> dict[str, Any]:
    threads = torch.get_num_threads()
    return {
        "device": device_name(s.device, threads),
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": threads,
        "precision": "bf16" if s.bf16 else "float32",
        **provenance(),
        "size": SIZE,
        "width": s.width,
        "batch": s.batch,
        "quick": s.quick,
    }


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small and short: does it run?")
    parser.add_argument("--out", type=Path, help="the record; with --quick there is none otherwise")
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing, for each thing")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--peer", default=sys.executable, help="a Python that has others' packages")
    parser.add_argument("--page-only", action="store_true", help="write the page from the record")
    return parser.parse_args()


if __name__ == "__main__":
    main()
