"""docs/speedrun.md: what each step of the speedrun gained, where time goes, and what failed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fercourse.config import RunConfig, preset
from fercourse.evaluation.metrics import mean_accuracy
from fercourse.experiments.speedrun import STEPS, Step, kept, speedrun
from fercourse.files import write_if_changed
from fercourse.markdown import table
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row
from fercourse.runs.statistics import Paired, paired
from fercourse.runs.summaries import share

SEEDS = 3
"""Runs that a step needs to be kept."""


def write(page: Path, results: Path, ledger: Ledger) -> bool:
    """Write the page from ``speedrun.json`` in a folder and the ledger; True if that changed it."""
    record = json.loads((results / "speedrun.json").read_text(encoding="utf-8"))
    return write_if_changed(page, report(record, ledger))


def report(record: dict[str, Any], ledger: Ledger) -> str:
    """The page."""
    return (
        "\n\n".join(
            (_INTRODUCTION, *_profiles(record), "## One change at a time", *_steps(record, ledger))
        )
        + "\n"
    )


def gains(ledger: Ledger) -> dict[str, tuple[list[Row], Paired | None]]:
    """Of each step its runs on FER2013, and its gain in validation accuracy, paired over seeds.

    None for the first step, and where no seed is shared with the step that it changes.
    """
    runs = {name.removeprefix("speedrun-"): run for name, run in speedrun(_base()).items()}
    rows = {
        name: {row.seed: row for row in ledger.rows(dataset="fer2013") if row.hash == run.hash}
        for name, run in runs.items()
    }
    found: dict[str, tuple[list[Row], Paired | None]] = {}
    for step in STEPS:
        ours, theirs = rows[step.name], rows.get(step.of or "", {})
        seeds = sorted(ours.keys() & theirs.keys())
        values = ([share(of[s], "val_accuracy") for s in seeds] for of in (theirs, ours))
        found[step.name] = (list(ours.values()), paired(*values) if seeds else None)
    return found


def _base() -> RunConfig:
    return preset("cpu", 1)


def _steps(record: dict[str, Any], ledger: Ledger) -> list[str]:
    path, measured = kept(), gains(ledger)
    lines = []
    for step in STEPS:
        rows, gain = measured[step.name]
        if not rows:
            continue
        accuracy = mean_accuracy([share(row, "val_accuracy") for row in rows])
        cost = step.epochs * record["costs"][step.name]
        lines.append(
            (
                f"**{step.title}**" if step.name in path else step.title,
                step.of or "",
                step.epochs,
                f"{cost:.2f}",
                len(rows),
                f"{100 * accuracy:.2f}",
                "" if gain is None else gain,
                verdict(step, gain),
            )
        )
    head = ("change", "of", "epochs", "cost", "seeds", "validation accuracy, %", "gain", "")
    return [table(head, lines, "llrrrrll")]


def verdict(step: Step, gain: Paired | None) -> str:
    """What became of a step: "kept", "failed" or, of too few seeds, "not decided"."""
    if step.of is None:
        return "the base"
    if step.labelled:
        return "beside the race"
    if step.name in kept():
        return "kept"
    if gain is None or (gain.n < SEEDS and gain.mean > 0):
        return "not decided"
    return "failed" if gain.mean <= 0 else "gains, and another gains more"


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
        f"machine. Whole training steps reach {_and([f'{100 * r:.0f} %' for r in reached])} of "
        "that: what is left to win is to compute less, not to compute the same faster.",
    ]


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)


_INTRODUCTION = """\
# The speedrun

How much accuracy do two processor cores buy in a quarter of an hour? This page starts from model 1
by preset `cpu` and changes one thing at a time. Every step trains for as many epochs as take the
same time, so a higher validation accuracy *is* more accuracy per core minute. A step is kept if it
gains over three seeds; the test split has no say in it, and is not shown until the end.

Written from `results/ledger.jsonl` and `results/speedrun.json` by `python benchmarks/speedrun.py
--page-only`; `fercourse run speedrun` repeats the runs. *Cost* is the run's training time in epochs
of the base, measured with all steps taking turns in one process. The faces are FER2013's."""
