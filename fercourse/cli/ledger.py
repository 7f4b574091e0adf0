"""``fercourse ledger``: list, summarise, compare, merge and verify the recorded runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from fercourse.cli.tables import print_whole
from fercourse.errors import FercourseError
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row

app = typer.Typer(no_args_is_help=True, help="The recorded runs: the source of every number.")

LedgerPath = Annotated[
    Path | None, typer.Option("--ledger", help="The file; results/ledger.jsonl by default.")
]
Plan = Annotated[list[str] | None, typer.Option(help="Only these plans.")]
Dataset = Annotated[list[str] | None, typer.Option(help="Only these data sets.")]
Variant = Annotated[list[str] | None, typer.Option(help="Only these variants.")]
Label = Annotated[list[str] | None, typer.Option(help="Only paper, full, cpu or smoke.")]
Seed = Annotated[list[int] | None, typer.Option(help="Only these seeds.")]
Metric = Annotated[str, typer.Option(help="Such as test_accuracy_clean or val_accuracy.")]


@app.command("list")
def list_rows(
    plan: Plan = None,
    dataset: Dataset = None,
    variant: Variant = None,
    label: Label = None,
    seed: Seed = None,
    ledger: LedgerPath = None,
) -> None:
    """One line a run."""
    book = _existing(ledger)
    rows = _filtered(book, plan=plan, dataset=dataset, variant=variant, label=label, seed=seed)
    table = _table(
        f"{book.path}: {len(rows)} rows, accuracies in per cent",
        words=("plan", "dataset", "variant", "label"),
        numbers=("seed", "epoch", "val", "test", "clean", "flip", "min"),
        more_words=("key or source",),
    )
    for row in rows:
        table.add_row(
            row.plan,
            row.dataset,
            row.variant,
            row.label,
            *(_text(row.value(name)) for name in ("seed", "best_epoch")),
            *(_percent(row.value(f"{name}_accuracy")) for name in ("val", "test")),
            *(_percent(row.value(f"test_accuracy_{name}")) for name in ("clean", "flip")),
            f"{row.seconds / 60:.1f}" if isinstance(row, Row) else "",
            row.source if isinstance(row, Claim) else row.key,
        )
    print_whole(table)


@app.command()
def summary(
    by: Annotated[list[str], typer.Option(help="Fields, or config names as loss.weight.")] = [  # noqa: B006  read, never changed
        "plan",
        "dataset",
        "variant",
    ],
    metric: Metric = "test_accuracy",
    pool: Annotated[bool, typer.Option("--pool", help="Join cross-validation's folds.")] = False,
    plan: Plan = None,
    dataset: Dataset = None,
    variant: Variant = None,
    label: Label = None,
    ledger: LedgerPath = None,
) -> None:
    """Acc (eq. 8), Sta (eq. 9), 95 % interval over runs, and the test set's own error."""
    from fercourse.runs.summaries import pool_folds, summarise

    book = _existing(ledger)
    rows = _filtered(book, plan=plan, dataset=dataset, variant=variant, label=label)
    if pool:
        claims = [row for row in rows if not isinstance(row, Row)]
        rows = [*claims, *pool_folds([row for row in rows if isinstance(row, Row)])]
    frame = summarise(rows, by, metric)
    names = list(frame.columns[: list(frame.columns).index("n")])
    numbers = ("n", "Acc", "Sta", "95 % CI", "test set error")
    table = _table(f"{metric}, per cent", words=names, numbers=numbers)
    for line in frame.to_dict("records"):
        low, high = _percent(line["low"]), _percent(line["high"])
        table.add_row(
            *(_text(line[name]) for name in names),
            str(line["n"]),
            _percent(line["mean"]),
            _percent(line["sta"]) if line["n"] > 1 else "",
            f"{low} to {high}" if low else "",
            _percent(line["binomial"]),
        )
    print_whole(table)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="A variant, such as model1.")],
    second: Annotated[str, typer.Argument(help="Another, such as model6.")],
    metric: Metric = "test_accuracy",
    plan: Plan = None,
    dataset: Dataset = None,
    label: Label = None,
    ledger: LedgerPath = None,
) -> None:
    """How much SECOND gains on FIRST, paired over the seeds both have."""
    from fercourse.runs.statistics import EXACT
    from fercourse.runs.summaries import compare as paired_compare

    rows = [
        row
        for row in _filtered(_existing(ledger), plan=plan, dataset=dataset, label=label)
        if isinstance(row, Row)
    ]
    result = paired_compare(rows, first, second, metric)
    typer.echo(f"{second} minus {first}, {metric}: {result}")
    if result.overlap:
        typer.echo(
            "Folds share training faces: interval and p are those of a t test corrected for it "
            "(Nadeau and Bengio 2003)."
        )
        return
    kind = "exact" if result.n <= EXACT else "simulated"
    typer.echo(
        f"p is the {kind} sign-flip test's, which {result.n} pairs cannot bring below "
        f"{result.p_least:.2g}; paired t test: p = {result.p_t:.2g}."
    )


@app.command()
def merge(
    file: Annotated[Path, typer.Argument(help="Another machine's ledger.jsonl, or a zip of it.")],
    ledger: LedgerPath = None,
) -> None:
    """Take over another ledger's rows and histories; twice is the same as once."""
    book = Ledger(ledger)
    merged = book.merge(file)
    typer.echo(f"{book.path}: {merged.added} rows added, {merged.known} already there.")
    for key in merged.conflicts:
        typer.echo(f"{key} is there with other numbers; those here were kept.", err=True)


@app.command()
def verify(ledger: LedgerPath = None) -> None:
    """Check schema, hashes, duplicates, and each row's numbers against one another."""
    book = _existing(ledger)
    problems = book.verify()
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{book.path}: {len(book.entries())} rows, all sound.")


@app.command()
def paper(ledger: LedgerPath = None) -> None:
    """Add the paper's own numbers, labelled "paper"; twice is the same as once."""
    from fercourse.runs.paper import record_paper

    book = Ledger(ledger)
    typer.echo(f"{book.path}: {record_paper(book)} of the paper's rows added.")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A checkout.")] = Path(),
    ledger: LedgerPath = None,
) -> None:
    """Write README's finding, docs/results.md and their pictures."""
    from fercourse.pages.front import write

    changed = write(folder, _existing(ledger))
    for path in changed:
        print(f"{path} is written anew.")
    if not changed:
        print("README.md, docs/results.md and their pictures show what the ledger says.")


@app.command()
def recipe(
    page: Annotated[Path, typer.Argument(help="The page.")] = Path("docs/recipe.md"),
    ledger: LedgerPath = None,
) -> None:
    """Write the page that compares recipes by validation accuracy."""
    from fercourse.pages.recipes import write

    changed = write(page, _existing(ledger))
    print(f"{page} {'is written anew' if changed else 'says what the ledger says'}.")


@app.command()
def bundle(
    weights: Annotated[Path, typer.Argument(help="A recorded run's model.safetensors.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where to; the package's own weights by default.")
    ] = None,
    ledger: LedgerPath = None,
) -> None:
    """Ship a recorded run's weights: float16, with a card written from its row."""
    from fercourse.pages.card import bundle as ship
    from fercourse.weights import FOLDER

    print(f"Stored as {ship(weights, _existing(ledger), folder or FOLDER)}, with its card.")


def _existing(path: Path | None) -> Ledger:
    """A ledger to read from: a mistyped path is no empty one."""
    book = Ledger(path)
    if not book.path.is_file():
        raise FercourseError(f"There is no ledger at {book.path}; --ledger names another.")
    return book


def _filtered(book: Ledger, **filters: list[Any] | None) -> list[Entry]:
    return book.entries(**{name: values for name, values in filters.items() if values})


def _table(
    title: str, words: Sequence[str], numbers: Sequence[str], more_words: Sequence[str] = ()
) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in words:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    for name in more_words:
        table.add_column(name, no_wrap=True)
    return table


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _percent(value: float | None) -> str:
    return "" if value is None or value != value else f"{100 * value:.2f}"
