"""How fast faces are drawn, in faces a second.

    python benchmarks/synthetic.py --sizes 48 224 --threads 2 --seconds 5

A rate by the clock suffers from whatever else the machine does; the rate by processor time, times
the threads, is what a quiet machine of as many cores would reach at best.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

import torch

from fercourse.datasets.synthetic import render
from fercourse.datasets.synthetic.expression import intensities


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[48, 224])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each size")
    parser.add_argument("--difficulty", type=float, default=0.5)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, torch {torch.__version__}, {options.device}, "
        f"{torch.get_num_threads()} threads on {os.cpu_count()} cores{load}"
    )
    print(f"{'size':>5} {'faces':>6} {'faces/s':>9} {'faces/s of processor time':>26}")
    for size in options.sizes:
        batch = 256 if size < 112 else 24
        draw(batch, size, options.difficulty, options.device, 0)
        count, wall, processor = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < options.seconds:
            draw(batch, size, options.difficulty, options.device, count)
            count += batch
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(f"{size:5} {count:6} {count / wall:9.0f} {count / processor:26.0f}")


def draw(count: int, size: int, difficulty: float, device: str, start: int) -> None:
    index = torch.arange(start, start + count)
    units = intensities(index % 7, index, 0, difficulty)
    faces = render(units.to(device), (index // 7).to(device), index.to(device), 0, size, difficulty)
    faces.images.sum().item()  # wait for the device


if __name__ == "__main__":
    main()
