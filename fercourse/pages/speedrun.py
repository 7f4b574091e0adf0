"""docs/speedrun.md: what each step of the speedrun gained, where time goes, and what failed."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fercourse.config import RunConfig
from fercourse.experiments.speedrun import AIMS, SEEDS, STEPS, Aim, Tried, gained, tried
from fercourse.files import write_if_changed
from fercourse.markdown import table
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row


def write(page: Path, results: Path, ledger: Ledger) -> bool:
    """Write the page from a folder's records and the ledger; True if that changed it."""
    record, views = (
        json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("speedrun", "views")
    )
    return write_if_changed(page, report(record, ledger, views))


def report(record: dict[str, Any], ledger: Ledger, views: Mapping[str, Any]) -> str:
    """The page.

    Args:
        record: What ``benchmarks/speedrun.py`` measured.
        ledger: With the runs.
        views: What ``benchmarks/views.py`` measured, by the key of the run.
    """
    rows = ledger.rows(dataset="fer2013")
    parts = (
        _INTRODUCTION,
        *_profiles(record),
        "## One change at a time",
        _steps(record, tried(rows)),
        *_aims(rows, views),
        _NOT_TRIED,
    )
    return "\n\n".join(parts) + "\n"


def _aims(rows: Sequence[Row], views: Mapping[str, Any]) -> list[str]:
    """What the presets reached that the steps led to; nothing before one was trained."""
    reached = {aim.preset: _alike(rows, aim.run) for aim in AIMS}
    if not any(reached.values()):
        return []
    lines = [
        (
            f"`{aim.preset}`",
            f"{100 * aim.accuracy:g} %" + _within(aim.minutes),
            len(ours),
            _mean(ours, "val_accuracy"),
            _mean(ours, "test_accuracy"),
            _mean(ours, "test_accuracy_flip"),
            _percent(_ten_crops(ours, views)),
            _minutes(ours),
            _verdict(aim, ours),
        )
        for aim in AIMS
        if (ours := reached[aim.preset])
    ]
    beside = [line for aim in AIMS for line in _beside(rows, aim)]
    head = ("preset", "aim on two cores", "seeds", "PublicTest", "PrivateTest")
    return [
        "## The aims",
        _AIMS,
        table(
            (*head, "with the mirror", "ten crops", "minutes of training", ""), lines, "llrrrrrll"
        ),
        *(
            (
                "Tried in its stead, compared by PublicTest; 28 epochs would hardly be in time:",
                table(("preset", "change", "seeds", "PublicTest", "gain"), beside, "llrrl"),
            )
            if beside
            else ()
        ),
    ]


def _alike(rows: Sequence[Row], run: RunConfig) -> dict[int, Row]:
    """The runs of a recipe by their seeds."""
    return {row.seed: row for row in rows if row.hash == run.hash}


def _mean(rows: dict[int, Row], metric: str) -> str:
    return _percent([row.value(metric) for row in rows.values()])


def _ten_crops(rows: dict[int, Row], views: Mapping[str, Any]) -> list[float]:
    """Accuracy on the test split by ten crops of a face, of the runs it was measured for."""
    measured = [views.get(f"{row.hash}-{row.seed}") for row in rows.values()]
    return [one["accuracy"]["PrivateTest"]["ten"] for one in measured if one]


def _percent(shares: Sequence[float]) -> str:
    """The mean, and the standard deviation of three and more; nothing of none."""
    if not shares:
        return ""
    values = [100 * share for share in shares]
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) >= SEEDS else ""
    return f"{statistics.mean(values):.2f}{spread}"


def _minutes(rows: dict[int, Row]) -> str:
    """What a run took, by the cores it had."""
    by_device: dict[str, list[float]] = {}
    for row in rows.values():
        by_device.setdefault(row.device, []).append(row.seconds / 60)
    return ", ".join(
        f"{statistics.mean(minutes):.0f} ({device})" for device, minutes in by_device.items()
    )


def _within(minutes: float) -> str:
    return f" in {minutes:g} minutes" if math.isfinite(minutes) else ", however long"


def _verdict(aim: Aim, rows: dict[int, Row]) -> str:
    missing = 100 * (aim.accuracy - statistics.mean(r.test_accuracy for r in rows.values()))
    # Of runs on one core, "cpu x 1", two cores do two meanwhile.
    minutes = [r.seconds / 60 / (2 if r.device.endswith("x 1") else 1) for r in rows.values()]
    late = statistics.mean(minutes) - aim.minutes
    misses = (f"{missing:.2f} points below", missing > 0), (f"{late:.1f} minutes late", late > 0)
    said = " and ".join(text for text, missed in misses if missed) or "reached"
    return said if len(rows) >= SEEDS else f"{said}, of {len(rows)} for now"


def _beside(rows: Sequence[Row], aim: Aim) -> Iterator[tuple[object, ...]]:
    """What was tried in a preset's stead."""
    base = _alike(rows, aim.run)
    for change in aim.beside:
        ours = _alike(rows, aim.run.change(**change))
        if gain := gained(base, ours):
            said = ", ".join(f"`{name}={value}`" for name, value in change.items())
            yield f"`{aim.preset}`", said, len(ours), _mean(ours, "val_accuracy"), gain


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

Written from `speedrun.json`, `views.json` and the ledger in `results/` by `python
benchmarks/speedrun.py --page-only`; `fercourse run speedrun` repeats the runs. *Cost* is the run's
training time in epochs of the base, measured with all steps taking turns in one process. The faces
are FER2013's."""

_AIMS = """\
The best step's recipe with more epochs and smoothed labels, which were not tried apart at this
length; the longer presets distort faces as preset `course` does. Model 1 on FER2013, per cent;
PublicTest selected the epoch, and PrivateTest was judged once. The aims are for one view of a face;
the mean over it and its mirror image, or over ten crops (`benchmarks/views.py`), costs no training
and stands beside it. `fercourse run table1 --models 1 --preset quarter --seeds 3`
repeats the runs of the first, and `fercourse run table1 --preset quarter --epochs 16 --jobs 2
--dry-run` says how long the whole of Table 1 takes."""

_NOT_TRIED = """\
## What was not tried

- *Larger batches late in a run*: they save time where a large batch is quicker by the face; the
  second table says how little that is here.
- *Batch norms that start at zero*: a block then passes on its input by its short cut, and model 1
  has none.
- *FER+'s votes as soft labels*: its file comes from its authors, and the runs here use FER2013
  alone."""
