"""Experiments as lists of runs: Table 1, both halves of Fig. 6, and the search for a recipe.

A plan only says what should be measured. :mod:`fercourse.experiments.runner` does it, and the
ledger remembers it. A run that two plans share, as lambda = 0.005 at lambda_1 = 7 is in Table 1
and in Fig. 6(a), is one run: read the rows of a plan with ``ledger.rows(configs=...)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fercourse.config import DataConfig, RunConfig
from fercourse.config import preset as recipe
from fercourse.errors import FercourseError
from fercourse.experiments.ledger import Ledger
from fercourse.experiments.paper import LAMBDAS, OPTIMUM, PAIR_WEIGHTS
from fercourse.experiments.recipe import SETTINGS, trials
from fercourse.experiments.row import Row

PLANS = ("table1", "table1-random", "fig6a", "fig6b", "recipe")
DATASETS = ("fer2013", "ckplus", "synthetic")
MODELS = (1, 2, 3, 4, 5, 6)
LABELS = {"paper": "full", "course": "full", "cpu": "cpu", "smoke": "smoke"}
"""A preset's label in the ledger."""

SWEEP_WEIGHT = 0.01
"""lambda while lambda_1 is tuned (section 3.3)."""

_CKPLUS = {"train.batch_size": 32}
_CKPLUS_EPOCHS = 2
"""CK+ trains on about 780 faces, FER2013 on 28,709: small batches and twice the epochs, so that
the number of steps is not thirty times smaller."""


@dataclass(frozen=True)
class Planned:
    """A run that a plan asks for.

    Attributes:
        config: The run.
        plan: "table1", "table1-random", "fig6a", "fig6b" or "recipe".
        variant: What is varied: "model6", "model6-random", "model6-lambda0.005",
            "model6-lambda1-7", "model6-train.mixup=0.2".
        label: Of its row: "full", "cpu" or "smoke".
        note: For its row: on what the plan's choice of values rests.
    """

    config: RunConfig
    plan: str
    variant: str
    label: str
    note: str = ""

    @property
    def name(self) -> str:
        """For people: "model6, seed 0", and on CK+ "model6, seed 0, fold 3"."""
        fold = f", fold {self.config.data.fold}" if self.config.data.name == "ckplus" else ""
        return f"{self.variant}, seed {self.config.seed}{fold}"


def plan(
    name: str,
    dataset: str = "fer2013",
    preset: str = "course",
    seeds: int = 10,
    models: Sequence[int] = MODELS,
    folds: int = 10,
    changes: Mapping[str, Any] | None = None,
    ledger: Ledger | None = None,
    settings: Sequence[str] = tuple(SETTINGS),
) -> list[Planned]:
    """The runs of an experiment, breadth first: seed 0 of all variants before seed 1 of any.

    =================  ====================================================================
    ``table1``         models 1 to 6; on CK+ over subject-disjoint folds
    ``table1-random``  the same on CK+ with random folds, to show what they are worth
    ``fig6b``          model 6, lambda_1 = 1 to 10 at lambda = 0.01: tuned first (section 3.3)
    ``fig6a``          model 6, lambda = 0.0005 to 0.05 at the best lambda_1 of ``fig6b``
    ``recipe``         model 6, one setting of training changed at a time: see
                       :mod:`fercourse.experiments.recipe`
    =================  ====================================================================

    On CK+ one seed is a whole cross-validation: seed s shuffles the folds with s and trains one
    run a fold, so that every face is tested once; Acc and Sta (eq. 8 and 9) are over seeds, of the
    folds pooled (:func:`fercourse.experiments.statistics.pool_folds`). Within a seed the folds go
    breadth first too, so that a plan broken off has the same folds of all variants.

    Args:
        name: One of the above.
        dataset: "fer2013", "ckplus" or "synthetic".
        preset: "paper", "course", "cpu" or "smoke"; its data set is replaced by ``dataset``.
        seeds: How many, from 0.
        models: Rows of Table 1; Fig. 6 and the search have the last one only.
        folds: Of CK+.
        changes: Made to every run, as in :meth:`fercourse.RunConfig.change`.
        ledger: Where ``fig6a`` finds the results of ``fig6b``; None takes the paper's lambda_1.
        settings: What ``recipe`` varies.

    Raises:
        FercourseError: There is no such plan, data set, preset, model or setting.
    """
    _among("plan", name, PLANS)
    _among("data set", dataset, DATASETS)
    _among("preset", preset, tuple(LABELS))
    for model in models:
        _among("model", model, MODELS)
    if seeds < 1 or not models:
        raise FercourseError("A plan needs at least one seed and one model.")
    if name == "table1-random" and dataset != "ckplus":
        raise FercourseError("Random folds are for CK+ only: table1-random needs ckplus.")
    if dataset != "ckplus":
        cuts = [{}]
    else:
        by = "random" if name == "table1-random" else "subject"
        cuts = [{"data.fold": k, "data.folds": folds, "data.by": by} for k in range(folds)]
    if name == "recipe":
        variants, note = trials(_base(6, dataset, preset, changes), settings), ""
    else:
        variants, note = _variants(name, dataset, preset, seeds, models, folds, changes, ledger)
    runs = []
    for seed in range(seeds):
        for cut in cuts:
            if dataset == "ckplus":
                cut = cut | {"data.seed": seed}
            for variant, config in variants.items():
                config = config.change(**cut, seed=seed)
                runs.append(Planned(config, name, variant, LABELS[preset], note))
    return runs


def best_pair_weight(runs: Sequence[Planned], ledger: Ledger) -> tuple[float, int] | None:
    """The lambda_1 of the highest mean validation accuracy among ``fig6b``'s recorded runs.

    Only seeds, folds and data that all values share are counted; the test split plays no part.

    Args:
        runs: The plan ``fig6b``.
        ledger: Where its rows are looked for.

    Returns:
        lambda_1 and over how many runs each; None where a value has no run, or they share none.
    """
    values: dict[float, dict[tuple, float]] = {r.config.loss.pair_weight: {} for r in runs}
    for row in ledger.rows([r.config for r in runs]):
        values[row.run.loss.pair_weight][_place(row)] = row.val_accuracy
    shared = set.intersection(*(set(found) for found in values.values()))
    if not shared:
        return None
    best = max(values, key=lambda value: sum(values[value][place] for place in shared))
    return best, len(shared)


def _variants(
    name: str,
    dataset: str,
    preset: str,
    seeds: int,
    models: Sequence[int],
    folds: int,
    changes: Mapping[str, Any] | None,
    ledger: Ledger | None,
) -> tuple[dict[str, RunConfig], str]:
    """Configs of seed 0 by variant, in the plan's order, and the note for their rows."""
    if name.startswith("table1"):
        ending = "-random" if name == "table1-random" else ""
        chosen = sorted(set(models))
        return {f"model{m}{ending}": _base(m, dataset, preset, changes) for m in chosen}, ""
    model = _base(6, dataset, preset, changes)
    if name == "fig6b":
        return {
            f"model6-lambda1-{value:g}": model.change(
                **{"loss.weight": SWEEP_WEIGHT, "loss.pair_weight": float(value)}
            )
            for value in PAIR_WEIGHTS
        }, ""
    found = None
    if ledger is not None:
        first = plan("fig6b", dataset, preset, seeds, folds=folds, changes=changes)
        found = best_pair_weight(first, ledger)
    if found:
        best, n = found
        note = f"lambda_1 = {best:g} by validation accuracy, {n} runs of each value of fig6b"
    else:
        best = OPTIMUM["loss.pair_weight"]
        note = f"lambda_1 = {best:g} as in the paper: fig6b was not recorded"
    return {
        f"model6-lambda{value:g}": model.change(**{"loss.weight": value, "loss.pair_weight": best})
        for value in LAMBDAS
    }, note


def _base(model: int, dataset: str, preset: str, changes: Mapping[str, Any] | None) -> RunConfig:
    """A preset's recipe on another data set."""
    config = recipe(preset, model)
    kept = {"size": config.data.size, "crop": config.data.crop and dataset != "synthetic"}
    if dataset == "synthetic" == config.data.name:
        kept["count"] = config.data.count
    config = replace(config, data=DataConfig(dataset, **kept))
    if dataset == "ckplus" and preset in ("course", "cpu"):
        epochs = _CKPLUS_EPOCHS * config.train.epochs
        config = config.change(**_CKPLUS, **{"train.epochs": epochs})
    return config.change(**(changes or {}))


def _place(row: Row) -> tuple:
    return row.seed, row.run.data.fold, row.faces


def _among(what: str, value: Any, known: Sequence[Any]) -> None:
    if value not in known:
        raise FercourseError(
            f"There is no {what} {value!r}; use one of {', '.join(map(str, known))}."
        )
