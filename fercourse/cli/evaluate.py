"""``fercourse evaluate``: judge trained weights on a split."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from fercourse.cli.options import Classes, DataOption, Device, Weights, cut_as, load_data
from fercourse.errors import FercourseError

if TYPE_CHECKING:
    from fercourse.evaluation.predict import Evaluation


def evaluate(
    weights: Weights,
    data: DataOption = None,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    classes: Classes = "",
    views: Annotated[str, typer.Option(help="single, flip or ten.")] = "single",
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a trained model on a split, with and without leaked duplicates."""
    from fercourse.datasets.registry import known
    from fercourse.device import find_device
    from fercourse.evaluation.predict import Views
    from fercourse.evaluation.predict import evaluate as judge
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    trained = load_weights(find_weights(weights))
    dataset, _ = load_data(data, trained.run.change(**cut_as({}, False, classes)))
    if views not in get_args(Views):
        raise FercourseError(f"There is no view {views!r}; use {', '.join(get_args(Views))}.")
    if split not in dataset.splits:
        raise FercourseError(f"There is no split {split!r}; use train, val or test.")
    leaky = known(dataset.name).leaks and split != "train"
    result = judge(
        trained.network,
        dataset.splits[split],
        dataset.train if leaky else None,
        cast("Views", views),
        find_device(device),
    )
    if as_json:
        print(json.dumps(to_json(result), indent=1))
    else:
        print_report(f"{dataset.name}, {split} split", [result])


def print_report(title: str, results: list[Evaluation]) -> None:
    """A line for each way of viewing."""
    from rich.table import Table

    from fercourse.cli.tables import print_whole
    from fercourse.labels import Expression

    table = Table(title=title, title_justify="left")
    table.add_column("views")
    for name in ("images", "accuracy", "without duplicates"):
        table.add_column(name, justify="right")
    for k in range(len(results[0].recall)):
        table.add_column(Expression(k).title, justify="right")
    for r in results:
        clean = "" if r.accuracy_clean is None else f"{r.accuracy_clean:.2%} ({r.leaked} out)"
        recall = ["" if v != v else f"{v:.0%}" for v in r.recall]
        table.add_row(r.views, str(r.n), f"{r.accuracy:.2%}", clean, *recall)
    print_whole(table)


def to_json(result: Evaluation) -> dict[str, Any]:
    """Plain JSON values; a class without images has recall null."""
    return {
        "views": result.views,
        "images": result.n,
        "accuracy": result.accuracy,
        "accuracy_clean": result.accuracy_clean,
        "leaked": result.leaked,
        "recall": [None if v != v else float(v) for v in result.recall],
        "confusion": result.confusion.tolist(),
    }
