"""Record the clinic's patients anew, some 30 s of processor time each.

python -m fercourse.clinic
python -m fercourse.clinic healthy shortcut
"""

from __future__ import annotations

import argparse
import time

import torch

from fercourse.clinic.bank import bank, record
from fercourse.clinic.illnesses import ILLNESSES


def main() -> None:
    """Record what was named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(ILLNESSES)}; all by default")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for illness, variant in bank():
        if options.names and illness not in options.names:
            continue
        started = time.process_time()
        chart = record(illness, variant)
        used = time.process_time() - started
        last = f"validation {chart.twice[0]:.1%}, {used:.0f} s of processor"
        print(f"{illness} {variant}: {last}", flush=True)


if __name__ == "__main__":
    main()
