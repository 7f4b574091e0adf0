"""Fig. 6 in numbers: what each lambda and lambda_1 scored, and whether they differ at all."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import f_oneway

from fercourse.evaluation.metrics import mean_accuracy
from fercourse.experiments.paper import LAMBDAS, OPTIMUM, PAIR_WEIGHTS
from fercourse.experiments.plans import SWEEP_WEIGHT
from fercourse.experiments.row import Row
from fercourse.labels import BASIC, DATASETS

_HALVES = {
    "fig6b": ("loss.pair_weight", "lambda_1", PAIR_WEIGHTS),
    "fig6a": ("loss.weight", "lambda", LAMBDAS),
}
"""Field, name and the paper's values, in the order of section 3.3: lambda_1 is tuned first."""


def sweep_tables(rows: Sequence[Row]) -> list[str]:
    """A Markdown table for each half of Fig. 6, data set and recipe in the ledger.

    A run that two plans share counts in both, as lambda = 0.01 at the best lambda_1 does.

    Args:
        rows: Measured runs of any plan.
    """
    tables = []
    for half, (field, _, _) in _HALVES.items():
        recipes = {_but_for(row, field): row for row in rows if row.plan == half}
        for recipe, example in recipes.items():
            tables.append(_table(half, example, [r for r in rows if _but_for(r, field) == recipe]))
    return tables


def _table(half: str, example: Row, rows: list[Row]) -> str:
    field, name, planned = _HALVES[half]
    runs = {value: [r for r in rows if r.value(field) == value] for value in planned}
    if half == "fig6b":
        fixed = f"lambda = {SWEEP_WEIGHT:g}"
    else:
        fixed = f"lambda_1 = {example.run.loss.pair_weight:g}"
    cells = {
        name: [f"{value:g}" for value in planned],
        "runs": [str(len(found)) for found in runs.values()],
        "validation": [_mean(found, "val_accuracy") for found in runs.values()],
        "test": [_mean(found, "test_accuracy") for found in runs.values()],
    }
    lines = [
        f"**Fig. {half[3]}({half[4]})**, {_data_set(example)}, {example.recipe}, {fixed}; "
        f"per cent. The paper chose {name} = {OPTIMUM[field]:g}. "
        f"{_verdict([[r.val_accuracy for r in found] for found in runs.values()])}"
        f"{_never_learned(rows)}",
        "",
        *(f"| {title} | {' | '.join(row)} |" for title, row in cells.items()),
    ]
    lines.insert(3, f"| --- |{' ---: |' * len(planned)}")
    return "\n".join(lines)


def _data_set(row: Row) -> str:
    return DATASETS[row.dataset] + (" (drawn)" if row.dataset == "synthetic" else "")


def _verdict(groups: list[list[float]]) -> str:
    if min(map(len, groups)) < 2:
        return "Not every value has two runs, so nothing says whether they differ."
    p = f_oneway(*groups).pvalue
    found = "the values differ" if p < 0.05 else "no difference shown"
    return f"Analysis of variance on validation accuracy: p = {p:.2g}, {found}."


def _never_learned(rows: list[Row]) -> str:
    """Guessing among seven classes is right once in seven times; twice that is no learning yet."""
    lost = [row.variant for row in rows if row.val_accuracy < 2 / len(BASIC)]
    if not lost:
        return ""
    return f" Runs that never left chance, and count in the means: {len(lost)} of {len(rows)}."


def _mean(rows: list[Row], metric: str) -> str:
    return f"{100 * mean_accuracy([row.value(metric) for row in rows]):.2f}" if rows else ""


def _but_for(row: Row, field: str) -> tuple[str, str]:
    """What a row's run shares with all others of its half of a sweep (a hash knows no seed)."""
    place = {"data.fold": 0, "data.seed": 0} if row.dataset == "ckplus" else {}
    return row.label, row.run.change(**{field: 1.0}, **place).hash
