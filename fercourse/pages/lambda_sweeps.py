"""Fig. 6 in numbers: what each lambda and lambda_1 scored, and whether they differ at all."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import f_oneway

from fercourse.datasets.registry import known
from fercourse.evaluation.metrics import mean_accuracy
from fercourse.experiments.plans import SWEEP_WEIGHT
from fercourse.labels import BASIC
from fercourse.markdown import table
from fercourse.runs.groups import whole_seeds
from fercourse.runs.paper import LAMBDAS, OPTIMUM, PAIR_WEIGHTS
from fercourse.runs.row import Row

_HALVES = {
    "fig6b": ("loss.pair_weight", "lambda_1", PAIR_WEIGHTS),
    "fig6a": ("loss.weight", "lambda", LAMBDAS),
}
"""Field, name and the paper's values, in the order of section 3.3: lambda_1 is tuned first."""


def sweep_tables(rows: Sequence[Row]) -> list[str]:
    """A Markdown table for each half of Fig. 6, data set and recipe in the ledger.

    A run that two plans share counts in both, as lambda = 0.01 at the best lambda_1 does. The more
    sweeps are judged, the sooner one of them differs by luck, so the level 0.05 is shared between
    them (Bonferroni).

    Args:
        rows: Measured runs of any plan.
    """
    sweeps: list[tuple[str, Row, dict[float, list[Row]]]] = []
    for half, (field, _, planned) in _HALVES.items():
        recipes = {row.group_key(field): row for row in rows if row.plan == half}
        for recipe, example in recipes.items():
            own = [row for row in rows if row.group_key(field) == recipe]
            runs = {
                value: whole_seeds([r for r in own if r.value(field) == value])[0]
                for value in planned
            }
            sweeps.append((half, example, runs))
    judged = sum(_p_value(runs) is not None for _, _, runs in sweeps)
    return [_table(half, example, runs, judged) for half, example, runs in sweeps]


def _table(half: str, example: Row, runs: dict[float, list[Row]], judged: int) -> str:
    field, name, planned = _HALVES[half]
    verdict = _verdict(_p_value(runs), judged)
    if half == "fig6b":
        fixed = f"lambda = {SWEEP_WEIGHT:g}"
    else:
        fixed = example.note or f"lambda_1 = {example.run.loss.pair_weight:g}"
        if "by validation" in fixed:
            verdict += (
                f" The runs at lambda = {SWEEP_WEIGHT:g} won this lambda_1 its place in half (b), "
                "which flatters them."
            )
    groups = list(runs.values())
    introduction = (
        f"**Fig. {half[3]}({half[4]})**, {_data_set(example)}, {example.recipe}, {fixed}; "
        f"per cent. The paper chose {name} = {OPTIMUM[field]:g}. "
        f"{verdict}{_never_learned([row for found in groups for row in found])}"
    )
    cells = table(
        (name, *(f"{value:g}" for value in planned)),
        [
            ("runs", *map(len, groups)),
            ("validation", *(_mean(found, "val_accuracy") for found in groups)),
            ("test", *(_mean(found, "test_accuracy") for found in groups)),
        ],
        "l" + "r" * len(planned),
    )
    return f"{introduction}\n\n{cells}"


def _data_set(row: Row) -> str:
    dataset = known(row.dataset)
    return dataset.title + (" (drawn)" if dataset.drawn else "")


def _p_value(runs: dict[float, list[Row]]) -> float | None:
    """Analysis of variance on validation accuracy; None where a value has no two runs."""
    groups = [[row.val_accuracy for row in found] for found in runs.values()]
    return float(f_oneway(*groups).pvalue) if min(map(len, groups)) > 1 else None


def _verdict(p: float | None, judged: int) -> str:
    if p is None:
        return "Not every value has two runs, so nothing says whether they differ."
    level = 0.05 / judged
    among = f" (of {judged} sweeps, each is asked for p below {level:.2g})" if judged > 1 else ""
    found = "the values differ" if p < level else "no difference shown"
    return f"Analysis of variance on validation accuracy: p = {p:.2g}, {found}{among}."


def _never_learned(rows: list[Row]) -> str:
    """Guessing among seven classes is right once in seven times; twice that is no learning yet."""
    lost = [row.variant for row in rows if row.val_accuracy < 2 / len(BASIC)]
    if not lost:
        return ""
    return f" Runs that never left chance, and count in the means: {len(lost)} of {len(rows)}."


def _mean(rows: list[Row], metric: str) -> str:
    return f"{100 * mean_accuracy([row.value(metric) for row in rows]):.2f}" if rows else ""
