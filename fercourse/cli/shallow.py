"""``fercourse shallow``: methods that do not learn their features, beside the networks."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fercourse.cli.ledger import LedgerPath
from fercourse.cli.options import DataOption, data_set


def shallow(
    methods: Annotated[
        str | None,
        typer.Option(help="pca,lbp,gabor,hog,landmarks,motion; all by default."),
    ] = None,
    data: DataOption = "fer2013",
    seeds: Annotated[int, typer.Option(min=1, help="How many, from 0.")] = 1,
    ledger: LedgerPath = None,
) -> None:
    """Measure the classics, and Table 2's two rivals with hand-made features, in minutes."""
    from fercourse.experiments.shallow_runs import run_shallow, shallow_plan
    from fercourse.runs.ledger import Ledger
    from fercourse.shallow import METHODS

    dataset, source = data_set(data or "fer2013")
    book = Ledger(ledger)
    plan = shallow_plan(dataset, methods.split(",") if methods else tuple(METHODS), seeds)
    recorded, undefined = run_shallow(plan, book, source, progress=sys.stderr.isatty())
    print(f"{recorded} runs recorded in {book.path}; {len(plan)} were asked for.")
    for method, why in undefined.items():
        print(f"{method} is undefined on {dataset}: {why}")
