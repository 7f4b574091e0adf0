"""``fercourse run``: the paper's experiments, as many runs as the ledger lacks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from fercourse.cli.ledger import LedgerPath
from fercourse.cli.options import (
    BatchSize,
    DataOption,
    Device,
    Epochs,
    Lr,
    changes,
    data_set,
    numbers,
)
from fercourse.errors import FercourseError
from fercourse.experiments.plans import PLANS

if TYPE_CHECKING:
    from fercourse.experiments.durations import Durations
    from fercourse.experiments.plans import Planned

MORE_REASONS = 5
"""Failures printed one by one; the rest are counted."""


def run(
    name: Annotated[str, typer.Argument(metavar="PLAN", help=f"{', '.join(PLANS)}.")],
    data: DataOption = "fer2013",
    preset: Annotated[
        str, typer.Option(help="paper, course, cpu, quarter, hour, long or smoke.")
    ] = "cpu",
    seeds: Annotated[int, typer.Option(min=1, help="How many, from 0.")] = 10,
    models: Annotated[str, typer.Option(help="Rows of Table 1.")] = "1,2,3,4,5,6",
    settings: Annotated[
        str | None,
        typer.Option(
            help="What recipe varies: model.width,train.lr; or steps of speedrun. Else everything."
        ),
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Such as 90s, 25m or 8h.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = 1,
    device: Device = "auto",
    engine: Annotated[
        str, typer.Option(help="local, or ray: several machines, one of them this.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="host:port of the Ray cluster; else one on this machine.")
    ] = None,
    epochs: Epochs = None,
    lr: Lr = None,
    batch_size: BatchSize = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Any field, in every run: loss.weight=0.01.")
    ] = None,
    ledger: LedgerPath = None,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder of the run folders. With --engine ray the same path on every machine: "
            "rows and histories come back here, weights and the state to resume from stay on the "
            "machine that did the run, unless the folder is a shared one."
        ),
    ] = Path("build/runs"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing, only.")] = False,
) -> None:
    """Measure what a plan asks for and the ledger lacks; the same command goes on later."""
    from fercourse.experiments import runner
    from fercourse.experiments.durations import Durations
    from fercourse.experiments.plans import plan
    from fercourse.runs.ledger import Ledger

    seconds = _seconds(budget)
    changed = changes(change, epochs, lr, batch_size)
    dataset, source = data_set(data or "fer2013", str(changed.get("data.classes", "")))
    book = Ledger(ledger)
    if settings and name not in ("recipe", "speedrun"):
        raise FercourseError(
            "--settings is for the plans recipe and speedrun; --set changes every run."
        )
    runs = plan(
        name,
        dataset,
        preset,
        seeds,
        numbers(models),
        changes=changed,
        ledger=book,
        settings=settings.split(",") if settings else None,
    )
    if runs[0].note:
        print(runs[0].note)
    kind = runner.device_kind(device, engine)
    if engine == "local" and kind == "cpu" and jobs > runner.cores():
        jobs = runner.cores()
        print(f"More runs at a time than cores would only wait for each other: --jobs {jobs}.")
    if dry_run:
        todo = runner.missing(runs, book, source)
        _print_outlook(runs, todo, Durations(book.rows(), kind, runner.threads_each(jobs)), jobs)
        return
    report = runner.run(
        runs,
        book,
        budget_seconds=seconds,
        jobs=jobs,
        device=device,
        engine=engine,
        address=address,
        source=source,
        out=out,
        progress=sys.stderr.isatty(),
    )
    print(
        f"{name}: {len(report.recorded)} runs recorded in {book.path}, {_time(report.seconds)}; "
        f"{len(runs) - len(report.left)} of {len(runs)} are done."
    )
    for reason in list(report.failed.items())[:MORE_REASONS]:
        print("{} failed: {}".format(*reason), file=sys.stderr)
    if len(report.failed) > MORE_REASONS:
        print(f"{len(report.failed) - MORE_REASONS} more failed.", file=sys.stderr)
    if report.unrecorded:
        print(
            f"{'; '.join(report.unrecorded)}: finished, but not recorded. {report.trouble} "
            f"What was measured is kept in {out}.",
            file=sys.stderr,
        )
    if report.left:
        print("The same command goes on.")
    if not report.sound:
        raise typer.Exit(1)


def _print_outlook(
    runs: list[Planned], todo: list[Planned], durations: Durations, jobs: int
) -> None:
    """What is done and missing by variant, and how long the rest will take."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("variant", "done", "missing", "time a run"):
        table.add_column(name, justify="left" if name == "variant" else "right")
    for variant in dict.fromkeys(run.variant for run in runs):
        of_plan = [run for run in runs if run.variant == variant]
        lacking = [run for run in todo if run.variant == variant]
        expected = durations.expect(of_plan[0].config)
        table.add_row(
            variant,
            str(len(of_plan) - len(lacking)),
            str(len(lacking)),
            "unknown" if expected is None else _time(expected),
        )
    Console().print(table)
    total, unknown = durations.total(todo, jobs)
    print(
        f"{len(runs) - len(todo)} of {len(runs)} runs are done; the rest takes about "
        f"{_time(total)}{f', and {unknown} runs of unknown length' if unknown else ''}."
        if len(todo) > unknown
        else f"{len(runs) - len(todo)} of {len(runs)} runs are done; how long the rest takes is "
        "not known yet."
        if todo
        else f"All {len(runs)} runs are done."
    )


def _seconds(text: str | None) -> float | None:
    """Of "90s", "25m", "1.5h" or plain seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if not found or float(found[1]) == 0:
        raise FercourseError(f"--budget takes a time such as 90s, 25m or 8h, not {text!r}.")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
