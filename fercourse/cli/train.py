"""``fercourse train``: one run, from a data set to weights, numbers and pictures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercourse.cli.evaluate import print_report, to_json
from fercourse.cli.options import (
    BatchSize,
    Classes,
    DataOption,
    Device,
    Epochs,
    Lr,
    Split,
    changes,
    cut_as,
    load_data,
    save_figure,
)
from fercourse.errors import FercourseError

if TYPE_CHECKING:
    from fercourse.experiments.train_and_judge import Measured


def train(
    data: DataOption = None,
    split: Split = False,
    classes: Classes = "",
    preset: Annotated[
        str, typer.Option(help="paper, course, cpu, quarter, hour, long or smoke.")
    ] = "cpu",
    model: Annotated[int, typer.Option(min=1, max=6, help="Row of Table 1.")] = 6,
    seed: Annotated[int, typer.Option(help="Of weights, batches and augmentation.")] = 0,
    epochs: Epochs = None,
    lr: Lr = None,
    batch_size: BatchSize = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Any field of the config: loss.weight=0.01.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; a run found there goes on.")
    ] = None,
    device: Device = "auto",
    record: Annotated[bool, typer.Option(help="Add the run to results/ledger.jsonl.")] = False,
) -> None:
    """Train one model, select its best epoch, judge it once, and draw what happened."""
    from fercourse.config import LABELS
    from fercourse.config import preset as make
    from fercourse.runs.ledger import Ledger

    changed = cut_as(changes(change, epochs, lr, batch_size), split, classes)
    config = make(preset, model, seed=seed, **changed)
    dataset, config = load_data(data, config)
    folder = out or Path("build/runs") / f"{dataset.name}-{preset}-model{model}-seed{seed}"
    print(
        f"{dataset.name}: {len(dataset.train):,} faces train, {len(dataset.val):,} select, "
        f"{len(dataset.test):,} are held out; run {config.hash} in {folder}"
    )
    label = LABELS[preset]
    book = Ledger() if record else None
    if book:
        book.prepare()  # what could not be recorded is not begun
    done = measure_into(config, dataset, folder, device, label)
    if book:
        new = book.append(done.row, done.fit.history)
        print(f"{'Recorded' if new else 'Already recorded'} in {book.path}.")
    draw_into(done, folder)


def measure_into(config: Any, dataset: Any, folder: Path, device: str, label: str) -> Measured:
    """Train and judge, print the result, and leave weights and numbers in the folder."""
    from fercourse.experiments.train_and_judge import measure
    from fercourse.files import atomic_write

    live = sys.stderr.isatty()  # a log file gets a line an epoch instead of a bar
    done = measure(
        config,
        dataset,
        label=label,
        out=folder,
        device=device,
        progress=live,
        on_epoch=None if live else _print_epoch,
    )
    with atomic_write(folder / "evaluation.json") as part:
        both = {"single": to_json(done.single), "flip": to_json(done.flip)}
        part.write_text(json.dumps(both, indent=1), encoding="utf-8")
    print_report(
        f"{dataset.name}, held-out split, epoch {done.fit.best_epoch} "
        f"(validation {done.fit.val_accuracy:.1%})",
        [done.single, done.flip],
    )
    print(f"Weights, history and evaluation.json are in {folder}")
    return done


def draw_into(done: Measured, folder: Path) -> None:
    """Curves and confusion matrix, where there is matplotlib: a machine that trains needs none."""
    from fercourse import plots

    try:
        save_figure(plots.learning_curves(done.fit.history), folder / "curves.png")
        save_figure(plots.confusion(done.single.confusion), folder / "confusion.png")
    except FercourseError as error:
        print(f"Nothing is drawn: {error}")
    else:
        print(f"See {folder / 'curves.png'} and {folder / 'confusion.png'}.")


def _print_epoch(e: dict[str, float]) -> None:
    print(
        f"epoch {e['epoch']:3d}  loss {e['train_loss']:.3f}  train {e['train_accuracy']:.1%}  "
        f"val {e['val_accuracy']:.1%}  {e['images_per_second']:.0f} images/s",
        flush=True,
    )
