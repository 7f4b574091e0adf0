"""Table 1 in order of value, as much as there is time for: what no ledger has yet.

    python benchmarks/table1.py LEDGER RUNS --epochs 100 --ship 0.5

Models 1 and 6, seed after seed; the same at a width whose weights can be shipped; the other models;
more seeds of all. That is what ``fercourse run table1 --preset course`` does, in one go, and
without the packages of a command line: for a bare machine whose GPU shall not wait. Passed over is
what LEDGER, or the checkout's own, has already. At the end it says how much of the time was
training: the rest is starting, loading and judging, and a run that was not finished.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from fercourse.errors import FercourseError
from fercourse.experiments import runner
from fercourse.experiments.job import load_once
from fercourse.experiments.plans import Planned, plan
from fercourse.runs.ledger import Ledger
from fercourse.settings import checkout


def main() -> None:
    a = arguments()
    runs = plans(a)
    if root := checkout():
        faces = load_once(runs[0].config.data, None).fingerprint
        recorded = Ledger(root / "results" / "ledger.jsonl")
        new = set(recorded.missing([run.config for run in runs], faces))
        runs = [run for run in runs if run.config in new]
    book = Ledger(a.ledger)
    before = {row.key for row in book.rows()}
    seconds = None if a.until is None else max(1.0, a.until - time.time())
    report = runner.run(runs, book, budget_seconds=seconds, jobs=a.jobs, out=a.runs, progress=False)
    rows = [row for row in book.rows() if row.key not in before]
    for row in rows:
        print(
            f"{row.variant}, width {row.run.model.width:g}, seed {row.seed}: validation "
            f"{row.val_accuracy:.2%}, test {row.test_accuracy:.2%}, {row.seconds:.0f} s of training"
        )
    training = sum(row.seconds for row in rows) / a.jobs
    print(
        f"{len(rows)} runs in {report.seconds:.0f} s, {a.jobs} at a time; {training:.0f} s of it "
        f"were training. {len(report.left)} runs are left."
    )
    for name, reason in report.failed.items():
        print(f"{name} failed: {reason}")
    if report.unrecorded:
        print(f"{'; '.join(report.unrecorded)}: finished, but not recorded. {report.trouble}")
    if not report.sound:
        sys.exit(1)


def plans(a: argparse.Namespace) -> list[Planned]:
    """All runs, in order and each once."""
    changes: dict[str, Any] = {"train.epochs": a.epochs}
    if a.count:
        changes["data.count"] = a.count
    wide, narrow = ({**changes, "model.width": width} for width in (a.width, a.ship))
    runs = plan("table1", a.data, "course", 2, (1, 6), changes=wide)
    if a.ship:
        runs += plan("table1", a.data, "course", 1, (1, 6), changes=narrow)
    runs += plan("table1", a.data, "course", a.seeds, changes=wide)
    return [*dict.fromkeys(runs)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ledger", type=Path)
    parser.add_argument("runs", type=Path, help="folder of the run folders")
    parser.add_argument("--data", default="fer2013")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--ship", type=float, default=0.0, help="width of runs to be shipped")
    parser.add_argument("--seeds", type=int, default=10, help="at most, of all models")
    parser.add_argument("--count", type=int, help="of drawn faces")
    parser.add_argument("--jobs", type=int, default=1, help="at a time")
    parser.add_argument("--until", type=float, help="when to end, in seconds since 1970")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except FercourseError as error:
        sys.exit(f"table1: {error}")
