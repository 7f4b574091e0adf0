"""``fercourse data``: get a data set, and see what a copy of one is worth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fercourse.cli.options import Classes, Split, data_set

if TYPE_CHECKING:
    from fercourse.datasets.faces import FaceDataset
    from fercourse.datasets.table import Table as Read
    from fercourse.labels import Expression

app = typer.Typer(no_args_is_help=True, help="Get data sets, and check what a copy is worth.")

_BAR = 40  # width of the longest bar of the histogram, characters


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="fer2013, ckplus or ferplus.")],
    to: Annotated[Path, typer.Option(help="Folder the data sets are kept in.")] = Path("data"),
    repository: Annotated[
        str | None, typer.Option("--from", help="Another FER2013 on the hub, as owner/name.")
    ] = None,
) -> None:
    """Download a data set, or say how to get it by hand."""
    from fercourse.datasets.download import get as download

    target = download(name, to, repository)
    typer.echo(f"{name} is in {target}.")
    check(str(target))


@app.command()
def check(
    source: Annotated[str, typer.Argument(metavar="PATH", help="A path, or a name.")] = "fer2013",
    split: Split = False,
    classes: Classes = "",
    contempt: Annotated[bool, typer.Option("--contempt", help="Keep that class.")] = False,
    seed: Annotated[int, typer.Option(help="Of --split, or of CK+'s folds.")] = 0,
    skipped: Annotated[int, typer.Option(help="Skipped rows to list at most.")] = 10,
) -> None:
    """Show splits, classes, fingerprint, skipped rows, and photographs in more than one split."""
    from fercourse.datasets.load import load, read_table
    from fercourse.datasets.registry import known

    name, path = data_set(source, classes)
    table = read_table(name, Path(path) if path else None, classes)
    dataset = load(
        name,
        path=path,
        split=split,
        classes=classes,
        contempt=contempt,
        seed=seed,
        **(_folds(table) if known(name).folded else {}),
    )
    console = Console()
    console.print(_counts(dataset))
    _histogram(console, dataset)
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in _facts(dataset):
        facts.add_row(f"[bold]{name}", escape(value))
    console.print(facts, highlight=False)
    for sentence in dataset.report.skipped[:skipped] if dataset.report else ():
        console.print(f"Skipped {sentence}", highlight=False, markup=False)


def _folds(table: Read) -> dict[str, Any]:
    """How a small data set can be cut, to look at it: ten folds of people where there are so many.

    Args:
        table: All images.
    """
    import numpy as np

    _, counts = np.unique(table.labels, return_counts=True)
    people = len(table.labels) if table.subjects is None else len(set(table.subjects))
    by = "random" if table.subjects is None else "subject"
    return {"by": by, "folds": max(3, min(10, int(counts.min()), people))}


def _counts(dataset: FaceDataset) -> Table:
    """Images, a row a split, a column a class."""
    import numpy as np

    classes = _classes(dataset)
    table = Table(title=f"{dataset.name}: images", title_justify="left", box=box.SIMPLE_HEAD)
    table.pad_edge, table.padding = False, (0, 1, 0, 0)
    table.add_column("split")
    for title in (*(c.title for c in classes), "all"):
        table.add_column(title, justify="right")
    rows = {name: faces.counts(8) for name, faces in dataset.splits.items()}
    for name, counts in (*rows.items(), ("all", np.sum(list(rows.values()), axis=0))):
        table.add_row(name, *(f"{counts[c]:,}" for c in classes), f"{counts.sum():,}")
    return table


def _histogram(console: Console, dataset: FaceDataset) -> None:
    """A bar a class, of the training images."""
    counts = dataset.train.counts(8)
    bar = "█" if "utf" in console.encoding.lower() else "#"
    for c in _classes(dataset):
        length = round(_BAR * counts[c] / counts.max())
        share = counts[c] / counts.sum()
        console.print(f"{c.title:<10}{bar * length} {share:.1%}", highlight=False)
    console.print()


def _facts(dataset: FaceDataset) -> Iterator[tuple[str, str]]:
    """What is worth knowing of a copy, by name."""
    report = dataset.report
    if report:
        yield "source", f"{report.source} ({report.layout})"
        yield "read", f"{report.read:,} images, {len(report.skipped):,} skipped"
        if report.size:
            yield "stored size", "{1}x{0} pixels".format(*report.size)
    yield "fingerprint", dataset.fingerprint
    yield from _looks(dataset)
    yield from _overlap(dataset)
    for note in report.notes if report else ():
        yield "note", note


def _looks(dataset: FaceDataset) -> Iterator[tuple[str, str]]:
    """The fingerprint's figures, beside those of the true FER2013."""
    from fercourse.datasets import fingerprint

    images = dataset.train.images
    sample = images[:: max(1, len(images) // 4000)]
    for name, measure, reference in (
        ("sharpness", fingerprint.sharpness, fingerprint.SHARPNESS),
        ("flatness", fingerprint.flatness, fingerprint.FLATNESS),
    ):
        beside = f" (FER2013 has {reference:.2f})" if dataset.name == "fer2013" else ""
        yield name, f"{measure(sample):.2f}{beside}"


def _overlap(dataset: FaceDataset) -> Iterator[tuple[str, str]]:
    """People and photographs that are in more than one split."""
    from fercourse.datasets.duplicates import COPY, SAME_PHOTO, leaked

    train, test = dataset.train, dataset.test
    people = {
        name: set(faces.subjects)
        for name, faces in dataset.splits.items()
        if faces.subjects is not None
    }
    if people:
        counts = ", ".join(f"{len(group)} in {name}" for name, group in people.items())
        known = len(people["test"] & (people["train"] | people["val"]))
        yield "subjects", f"{counts}; {known} of test are in train or val, too"
    for name, faces in (("val", dataset.val), ("test", test)):
        copies, photos = (leaked(train, faces, least).sum() for least in (COPY, SAME_PHOTO))
        yield (
            "duplicates",
            f"{copies} of {len(faces):,} {name} images have a copy in train, "
            f"{photos} at least the same photograph",
        )


def _classes(dataset: FaceDataset) -> list[Expression]:
    """The classes that occur, in label order."""
    import numpy as np

    from fercourse.labels import Expression

    present = np.sum([faces.counts(8) for faces in dataset.splits.values()], axis=0)
    return [c for c in Expression if present[c]]
