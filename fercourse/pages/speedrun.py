"""docs/speedrun.md: what each step of the speedrun gained, where time goes, and what failed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fercourse.experiments.speedrun import STEPS, Tried, tried
from fercourse.files import write_if_changed
from fercourse.markdown import table
from fercourse.runs.ledger import Ledger


def write(page: Path, results: Path, ledger: Ledger) -> bool:
    """Write the page from ``speedrun.json`` in a folder and the ledger; True if that changed it."""
    record = json.loads((results / "speedrun.json").read_text(encoding="utf-8"))
    return write_if_changed(page, report(record, ledger))


def report(record: dict[str, Any], ledger: Ledger) -> str:
    """The page."""
    found = tried(ledger.rows(dataset="fer2013"))
    parts = (_INTRODUCTION, *_profiles(record), "## One change at a time", _steps(record, found))
    return "\n\n".join(parts) + "\n"


def _steps(record: dict[str, Any], found: Sequence[Tried]) -> str:
    lines = [
        (
            f"**{one.step.title}**" if one.verdict.startswith("kept") else one.step.title,
            one.step.of or "",
            one.step.epochs,
            f"{one.step.epochs * record['costs'][one.step.name]:.2f}",
            len(one.accuracies),
            f"{100 * one.accuracy:.2f}",
            one.gain or "",
            one.verdict,
        )
        for one in found
    ]
    head = ("change", "of", "epochs", "cost", "seeds", "validation accuracy, %", "gain", "")
    return table(head, lines, "llrrrrll")


def _profiles(record: dict[str, Any]) -> list[str]:
    parts = list(dict.fromkeys(part for p in record["profiles"] for part in p["shares"]))
    titles = {step.name: step.title for step in STEPS}
    names = [titles[p["step"]] for p in record["profiles"]]
    rows = [
        (part, *(f"{100 * p['shares'].get(part, 0):.0f} %" for p in record["profiles"]))
        for part in parts
    ]
    reached = [p["flops_per_second"] / record["matrix"] for p in record["profiles"]]
    return [
        "## Where the time goes",
        f"A training step at 48 pixels under `torch.profiler`, on {record['device']} "
        f"({record['instructions']}, {record['precision']}, torch {record['torch']}):",
        table(("time spent in", *names), rows, "l" + "r" * len(names)),
        f"A product of two large matrices runs at {record['matrix'] / 1e9:.0f} GFLOP/s on this "
        f"machine. Whole training steps reach {' and '.join(f'{100 * r:.0f} %' for r in reached)} "
        "of that: what is left to win is to compute less, not to compute the same faster. The time "
        "of a face beside the best recipe's own:",
        table(
            ("changed", "time"),
            [(name, f"{cost:.2f}") for name, cost in record["alone"].items() if name != "best"],
            "lr",
        ),
    ]


_INTRODUCTION = """\
# The speedrun

How much accuracy do a few minutes of a processor core buy? This page starts from model 1 by preset
`cpu`, cut to four epochs, and changes one thing at a time. Every step trains for as many epochs as
take the same time, so a higher validation accuracy *is* more accuracy per core minute. A step is
kept if it gains over three seeds, and for now if it does over fewer; the test split has no say in
it, and is not shown.

Written from `results/ledger.jsonl` and `results/speedrun.json` by `python benchmarks/speedrun.py
--page-only`; `fercourse run speedrun` repeats the runs. *Cost* is the run's training time in epochs
of the base, measured with all steps taking turns in one process. The faces are FER2013's."""
