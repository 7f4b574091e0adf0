"""The tables of docs/results.md, written from the ledger, so that no number there can drift."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

from fercourse.datasets.registry import known, on_disk
from fercourse.datasets.splits import CUTS
from fercourse.evaluation.metrics import binomial_error, mean_accuracy, stability
from fercourse.labels import Expression
from fercourse.markdown import table
from fercourse.pages.lambda_sweeps import sweep_tables
from fercourse.pages.one_field import field_tables
from fercourse.pages.photographs import photograph_record, photograph_tables, speed_tables
from fercourse.pages.rare import rare_tables
from fercourse.pages.views import view_tables
from fercourse.pages.weather import weather_tables
from fercourse.runs.claim import Claim
from fercourse.runs.groups import group_by_config, grouped
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import RUNS
from fercourse.runs.row import Row
from fercourse.runs.statistics import wilson
from fercourse.runs.summaries import compare, independent, pool_folds
from fercourse.runs.weather_row import WeatherBook

_TOGETHER = {
    "subject": "no person in two folds",
    "sequence": "no recording in two folds",
    "random": "random",
}
"""How folds were cut, in words."""

METRICS = ("val_accuracy", "test_accuracy", "test_accuracy_clean", "test_accuracy_flip")


def report(ledger: Ledger) -> str:
    """Markdown tables: the runs on real faces beside the paper's claims, then the sweeps of Fig. 6.

    The search for a recipe and the speedrun have pages of their own, without the test split.
    """
    measured = [row for row in ledger.rows() if row.plan not in ("recipe", "speedrun")]
    claims = {(row.dataset, row.variant): row for row in ledger.claims(plan="table1")}
    parts = []
    tables = [row for row in measured if not row.plan.startswith(("fig6", "rare"))]  # further down
    for name, dataset in on_disk().items():
        copies = grouped((row.group_key()[-1], row) for row in tables if row.dataset == name)
        written = _cross_validated if dataset.folded else _split
        parts += [written(rows, claims) for rows in copies.values()]
    if not parts:
        return "No run on real faces is recorded yet."
    beside = ledger.path.with_name
    return "\n\n".join(
        [
            *parts,
            *sweep_tables(measured),
            *view_tables(photograph_record(beside("views.json"))),
            *rare_tables(measured),
            *field_tables(ledger.entries()),
            *weather_tables(WeatherBook(beside("weather.jsonl")).rows()),
            *photograph_tables(photograph_record(beside("photographs.json"))),
            *speed_tables(photograph_record(beside("photo_speed.json"))),
        ]
    )


def _split(rows: Sequence[Row], claims: dict[tuple[str, str], Claim]) -> str:
    """Runs on a data set with splits of its own."""
    dataset = known(rows[0].dataset)
    training, selecting, judging = rows[0].data.split_names
    n = rows[0].splits["test"]
    clean = rows[0].splits.get("test_clean")
    less = f" ({clean:,} without near-duplicates of training faces)" if clean else ""
    error = binomial_error(mean_accuracy([r.test_accuracy for r in rows]), n)
    of_own = ", not in its official splits" if rows[0].data.split else ""
    introduction = (
        f"**{dataset.title}**{of_own}, trained on {training}, the epoch selected on {selecting}, "
        f"judged once on {judging}'s {n:,} faces{less}; "
        f"per cent. The test set alone is worth ± {100 * error:.2f} (binomial standard error)."
    )
    head = ("model", "recipe", "seeds", selecting, judging, "without duplicates")
    head += ("with flip averaging", "Sta", "the paper's claim")
    cells = []
    for group in chain.from_iterable(map(_groups, group_by_config(rows))):
        first = group[0]
        claim = claims.get((dataset.name, first.variant.split("-")[0]))
        if first.run.train.fog or first.data.split:
            claim = None  # the paper has no such run
        cells.append(
            (
                first.variant,
                first.recipe,
                len(group),
                *(_mean(group, metric) for metric in METRICS),
                _spread([row.test_accuracy for row in group]),
                f"{100 * claim.acc:.2f}" if claim else "",
            )
        )
    lines = [introduction, "", table(head, cells, "llrrrrrrr")]
    table1 = [row for row in rows if row.plan == "table1"]
    for shared in group_by_config(table1):
        lines += _steps(shared, f"{judging}, paired over the seeds both models have")
    most = {f"model{k}": 0 for k in range(1, 7)}
    for group in _groups(table1):
        most[group[0].variant] = max(most.get(group[0].variant, 0), len(group))
    lacking = [f"{name} {RUNS - n}" for name, n in most.items() if n < RUNS]
    if lacking:
        lines += ["", f"Missing of the paper's {RUNS} runs a model: {', '.join(lacking)}."]
    return "\n".join(lines)


def _steps(rows: Sequence[Row], over: str) -> list[str]:
    """What each model adds to the one before it, and the last to the first, over shared runs.

    A model of a single run is passed over: nothing says how far its next run would be.
    """
    places = {
        name: {row.pair_key for row in group}
        for name, group in grouped((row.variant, row) for row in rows).items()
    }
    models = sorted(name for name, there in places.items() if len(there) > 1)
    if len(models) < 2:
        return []
    pairs = dict.fromkeys([*pairwise(models), (models[0], models[-1])])  # each step, then all of it
    steps = [(a, b) for a, b in pairs if len(places[a] & places[b]) > 1]
    if not steps:
        return []
    found = [compare(rows, a, b) for a, b in steps]
    text = "; ".join(f"{b} minus {a} {gain}" for (a, b), gain in zip(steps, found, strict=True))
    warning = ""
    if len(found) > 1 and min(gain.p for gain in found) < 0.05:
        chance = 100 * (1 - 0.95 ** len(found))
        warning = (
            f" Among {len(found)} differences, luck alone brings a p below 0.05 about "
            f"{chance:.0f} % of the time."
        )
    return ["", f"{over}: {text}.{warning}"]


def _cross_validated(rows: Sequence[Row], claims: dict[tuple[str, str], Claim]) -> str:
    """Runs on a data set that is cut into folds."""
    neutral = any(sum(row.confusion[Expression.NEUTRAL]) for row in rows)
    copy = "CK+** (neutral and peak frames" if neutral else "CK+48** (peak frames, no neutral class"
    contempt = "with" if any(row.run.data.contempt for row in rows) else "without"
    introduction = (
        f"**{copy}, {contempt} contempt), cross-validated: the next "
        "fold selects the epoch, the held-out fold is judged once; per cent. Each seed cuts other "
        "folds and tests every face once; the interval is what so many faces are worth, counting "
        "the three peak frames of a sequence, nearly one picture, as one."
    )
    head = ("model", "folds", "seeds", "accuracy, all faces pooled", "95 % interval", "Sta")
    head += ("spread over folds", "the paper's claim")
    lines = []
    for group in sorted(_groups(rows), key=lambda g: (CUTS.index(g[0].run.data.by), g[0].variant)):
        first, data = group[0], group[0].run.data
        seeds = grouped((row.seed, row) for row in group)
        whole = [folds for folds in seeds.values() if len(folds) == data.folds]
        name = f"model{first.run.model.table1_row}" if first.run.model.table1_row else first.variant
        cells = [f"{name} ({first.recipe})", f"{data.folds}, {_TOGETHER[data.by]}", str(len(whole))]
        if whole:
            pooled = [pool_folds(folds)[0] for folds in whole]
            accuracies = [row.test_accuracy for row in pooled]
            mean, count = mean_accuracy(accuracies), independent(pooled[0])
            low, high = wilson(round(mean * count), count)
            over_folds = mean_accuracy([stability([r.test_accuracy for r in f]) for f in whole])
            claim = claims.get((first.dataset, first.variant.split("-")[0]))
            cells += [
                f"{100 * mean:.2f} of {pooled[0].splits['test']}",
                f"{100 * low:.1f} to {100 * high:.1f}",
                _spread(accuracies),
                f"{100 * over_folds:.2f}",
                f"{100 * claim.acc:.2f}" if claim else "",
            ]
        else:
            cells += [f"{len(group)} folds only", "", "", "", ""]
        lines.append(cells)
    lines = [introduction, "", table(head, lines, "llrrrrrr")]
    apart = [row for row in rows if row.run.data.by == "subject"]
    for shared in group_by_config(apart):
        lines += _steps(
            shared,
            "Paired over folds; intervals and p allow for the training faces that folds share "
            "(Nadeau and Bengio 2003)",
        )
    return "\n".join(lines)


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that differ by seed and fold alone, whatever plan they were run for, by variant."""
    groups = grouped(((row.variant, row.run.experiment.hash), row) for row in rows)
    return [groups[key] for key in sorted(groups)]


def _mean(rows: Sequence[Row], metric: str) -> str:
    values = [getattr(row, metric) for row in rows]
    return "" if None in values else f"{100 * mean_accuracy(values):.2f}"


def _spread(values: Sequence[float]) -> str:
    return "one run" if len(values) == 1 else f"{100 * stability(values):.2f}"
