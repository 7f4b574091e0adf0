"""Make the charts of lesson 20's patients anew, about three minutes of processor time in all.

python benchmarks/clinic.py
python benchmarks/clinic.py healthy e
"""

from __future__ import annotations

import argparse
import time

import torch

from fercourse import clinic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(clinic.CASES)}; all by default")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.names or clinic.CASES:
        started, used = time.perf_counter(), time.process_time()
        chart = clinic.record(name)
        wall, used = time.perf_counter() - started, time.process_time() - used
        print(f"{name:8} validation {chart.twice[0]:.1%}, {wall:.0f} s, {used:.0f} s of processor")


if __name__ == "__main__":
    main()
