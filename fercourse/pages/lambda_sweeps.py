"""Fig. 6 in numbers: what each lambda and lambda_1 scored, and whether they differ at all."""

from __future__ import annotations

from collections.abc import Sequence

from fercourse.datasets.registry import known
from fercourse.evaluation.metrics import mean_accuracy
from fercourse.experiments.plans import SWEEP_WEIGHT
from fercourse.markdown import table
from fercourse.runs.groups import whole_seeds
from fercourse.runs.paper import LAMBDAS, OPTIMUM, PAIR_WEIGHTS
from fercourse.runs.row import Row
from fercourse.runs.sweeps import at_chance, judge_sweep, verdict

_HALVES = {
    "fig6b": ("loss.pair_weight", "lambda_1", PAIR_WEIGHTS),
    "fig6a": ("loss.weight", "lambda", LAMBDAS),
}
"""Field, name and the paper's values, in the order of section 3.3: lambda_1 is tuned first."""


def sweep_tables(rows: Sequence[Row]) -> list[str]:
    """A Markdown table for each half of Fig. 6, data set and recipe in the ledger.

    A run that two plans share counts in both, as lambda = 0.01 at the best lambda_1 does. Where
    more seeds of half (b) moved its best lambda_1, the later half (a) stands for the earlier one.

    Args:
        rows: Measured runs of any plan.
    """
    tables = []
    for half, (field, _, planned) in _HALVES.items():
        latest = {
            row.group_key("loss.weight", "loss.pair_weight"): row
            for row in rows
            if row.plan == half
        }
        for example in latest.values():
            recipe = example.group_key(field)
            own = [row for row in rows if row.group_key(field) == recipe]
            tables.append(_table(half, example, [r for r in own if r.value(field) in planned]))
    return tables


def _table(half: str, example: Row, rows: list[Row]) -> str:
    field, name, planned = _HALVES[half]
    fixed = f"lambda = {SWEEP_WEIGHT:g}"
    chosen = ""
    if half == "fig6a":
        fixed = example.note or f"lambda_1 = {example.run.loss.pair_weight:g}"
        if "by validation" in fixed:
            chosen = (
                f" The runs at lambda = {SWEEP_WEIGHT:g} won this lambda_1 its place in half (b), "
                "which flatters them."
            )
    runs = {v: whole_seeds([r for r in rows if r.value(field) == v])[0] for v in planned}
    introduction = (
        f"**Fig. {half[3]}({half[4]})**, {_data_set(example)}, {example.recipe}, {fixed}; "
        f"per cent. The paper chose {name} = {OPTIMUM[field]:g}. "
        f"{_difference(rows, field)}{chosen}{_never_learned(rows)}"
    )
    cells = table(
        (name, *(f"{value:g}" for value in planned)),
        [
            ("runs", *map(len, runs.values())),
            ("validation", *(_mean(found, "val_accuracy") for found in runs.values())),
            ("test", *(_mean(found, "test_accuracy") for found in runs.values())),
        ],
        "l" + "r" * len(planned),
    )
    return f"{introduction}\n\n{cells}"


def _difference(rows: list[Row], field: str) -> str:
    """The verdict, and how large the differences are, shown or not."""
    found = judge_sweep(rows, field)
    text = f"Validation accuracy, seeds as blocks: {verdict(found)}"
    if found is None:
        return f"{text}."
    return (
        f"{text}. From the worst value's mean to the best one's: {100 * found.gap:.2f} points; the "
        f"values explain {found.share:.0%} of what the seeds leave (partial eta squared)."
    )


def _data_set(row: Row) -> str:
    dataset = known(row.dataset)
    return dataset.title + (" (drawn)" if dataset.drawn else "")


def _never_learned(rows: list[Row]) -> str:
    lost = sum(map(at_chance, rows))
    if not lost:
        return ""
    return f" Runs that never left chance, and count in the means: {lost} of {len(rows)}."


def _mean(rows: list[Row], metric: str) -> str:
    return f"{100 * mean_accuracy([row.value(metric) for row in rows]):.2f}" if rows else ""
