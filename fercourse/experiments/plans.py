"""Experiments as lists of runs: Table 1 and what it leaves out, Fig. 6, the search for a recipe.

A plan only says what should be measured. :mod:`fercourse.experiments.runner` does it, and the
ledger remembers it. A run that two plans share, as lambda = 0.005 at lambda_1 = 7 is in Table 1
and in Fig. 6(a), is one run: read the rows of a plan with ``ledger.rows(configs=...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

from fercourse.config import ATTENTIONS, COMPONENTS, LABELS, RunConfig
from fercourse.config import preset as recipe
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.registry import REGISTRY, known
from fercourse.errors import FercourseError
from fercourse.experiments.speedrun import speedrun
from fercourse.experiments.trials import SETTINGS, trials
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import LAMBDAS, OPTIMUM, PAIR_WEIGHTS

MODELS = (1, 2, 3, 4, 5, 6)

SWEEP_WEIGHT = 0.01
"""lambda while lambda_1 is tuned (section 3.3)."""


@dataclass(frozen=True)
class Planned:
    """A run that a plan asks for.

    Attributes:
        config: The run.
        plan: One of :data:`PLANS`.
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
        data = self.config.data
        fold = f", fold {data.fold}" if known(data.name).folded else ""
        return f"{self.variant}, seed {self.config.seed}{fold}"


@dataclass(frozen=True)
class Request:
    """What a plan is asked for; see :func:`plan`."""

    dataset: str = "fer2013"
    preset: str = "course"
    seeds: int = 10
    models: Sequence[int] = MODELS
    folds: int = 10
    changes: Mapping[str, Any] = field(default_factory=dict)
    ledger: Ledger | None = None
    settings: Sequence[str] | None = None

    def base(self, model: int = 6) -> RunConfig:
        """The preset's recipe on the data set, with the changes."""
        config, dataset = recipe(self.preset, model), known(self.dataset)
        kept: dict[str, Any] = {"size": config.data.size}
        if not dataset.drawn:
            kept["crop"] = config.data.crop
        elif config.data.name == self.dataset:
            kept["count"] = config.data.count
        config = replace(config, data=DataConfig(self.dataset, **kept))
        return config.change(**dataset.recipe.get(self.preset, {})).change(**self.changes)


Variants = tuple[dict[str, RunConfig], str]
"""Configs of seed 0 by variant, in the plan's order, and the note for their rows."""


@dataclass(frozen=True)
class Plan:
    """An experiment.

    Attributes:
        name: As ``fercourse run`` takes it, and the ledger's ``plan``.
        summary: What it measures, for people.
        variants: What is run, for a request.
        by: How a data set that is cut into folds is cut, as in ``DataConfig.by``; any cut but
            "subject" is for such data sets only.
    """

    name: str
    summary: str
    variants: Callable[[Request], Variants]
    by: Literal["subject", "sequence", "random"] = "subject"


def _table1(request: Request, ending: str = "") -> Variants:
    return {f"model{m}{ending}": request.base(m) for m in sorted(set(request.models))}, ""


def _combinations(request: Request) -> Variants:
    base = request.base()
    found = {}
    for on in product((False, True), repeat=len(COMPONENTS)):
        with suppress(FercourseError):  # reverse attention cannot stand without the decoder
            model = replace(base.model, **dict(zip(COMPONENTS, on, strict=True)))
            found[model.name] = replace(base, model=model)
    return found, ""


def _fig6b(request: Request) -> Variants:
    model = request.base()
    return {
        f"model6-lambda1-{value:g}": model.change(
            **{"loss.weight": SWEEP_WEIGHT, "loss.pair_weight": float(value)}
        )
        for value in PAIR_WEIGHTS
    }, ""


def _fig6a(request: Request) -> Variants:
    model, found = request.base(), None
    if request.ledger is not None:
        first = replace(request, ledger=None)
        found = best_pair_weight(_runs(PLANS["fig6b"], first), request.ledger)
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


def _fig6_long(request: Request) -> Variants:
    model = request.base()
    return {
        f"model6-lambda{weight:g}" + (f"-lambda1-{pair:g}" if weight else ""): model.change(
            **{"loss.weight": weight, "loss.pair_weight": pair}
        )
        for pair in (OPTIMUM["loss.pair_weight"], 1.0)
        for weight in (0.0, OPTIMUM["loss.weight"], 0.05)
        if weight or pair == OPTIMUM["loss.pair_weight"]  # without lambda, lambda_1 does nothing
    }, ""


MENDS = {
    "as read": {},
    "norm": {"model.gcca_norm": True},
    "descriptors": {"model.gcca_descriptor_norm": True},
    "start": {"model.gcca_zero_sum": True},
}
"""GCCA as the paper has it, and three ways to make its weights depend on the face."""


def _gcca(request: Request) -> Variants:
    base = request.base(3)
    none = base.change(**{"model.gcca": False})
    return {
        "gcca-none": none,
        **{f"gcca-{name.replace(' ', '-')}": base.change(**how) for name, how in MENDS.items()},
    }, ""


def _slot(request: Request) -> Variants:
    base = request.base(3)
    rivals = [kind for kind in ATTENTIONS if kind != "gcca"]
    return {
        "gcca-none": base.change(**{"model.gcca": False}),
        **{f"slot-{kind}": base.change(**{"model.attention": kind}) for kind in rivals},
        "gcca-as-read": base,
    }, ""


def _supervision(request: Request) -> Variants:
    base = request.base(5)
    return {
        "model5": base,
        "model5-supervised": base.change(**{"loss.map_weight": 1.0}),
        "model5-supervised-0.1": base.change(**{"loss.map_weight": 0.1}),
    }, ""


DRAWN, FIRST = 4000, 2
"""Drawn faces that plan ``transfer`` adds to the photographs, and epochs that see them alone."""


def _transfer(request: Request) -> Variants:
    base = request.base(5)
    both = {"data.drawn": DRAWN}
    supervised = both | {"loss.map_weight": 1.0}
    # The photographs are seen as often in each.
    before = supervised | {"data.drawn_first": FIRST, "train.epochs": base.train.epochs + FIRST}
    return {
        "photographs": base,
        "both": base.change(**both),
        "both-supervised": base.change(**supervised),
        "drawn-first-supervised": base.change(**before),
    }, ""


TRIPLET_WEIGHT = 1.0
"""Of the triplet loss in plan ``table2``: as heavy as the cross-entropy."""


def _table2(request: Request) -> Variants:
    plain = request.base(1)
    rivals = {
        name: plain.change(**{"model.architecture": name})
        for name in ("inception", "skip", "channels")
    }
    rivals["channels"] = rivals["channels"].change(**{"loss.triplet_weight": TRIPLET_WEIGHT})
    return {"model1": plain, "model6": request.base(6), **rivals}, ""


FOGGY = 0.5
"""Share of the training faces that plan ``weather`` puts into fog."""


def _weather(request: Request) -> Variants:
    models = {f"model{m}": request.base(m) for m in (1, 3, 6)}
    trained = {f"{name}-fog": c.change(**{"train.fog": FOGGY}) for name, c in models.items()}
    return models | trained, ""


def _rare(request: Request) -> Variants:
    plain = request.base(1)
    changes = {
        "plain": {},
        "weights-0.5": {"loss.class_weights": 0.5},
        "weights-1": {"loss.class_weights": 1.0},
        "focal-2": {"loss.focal": 2.0},
    }
    return {f"rare-{name}": plain.change(**change) for name, change in changes.items()}, ""


def _pretrained(request: Request) -> Variants:
    wide = request.base(1).change(**{"model.width": 1.0})
    # Weights that are good already are moved by smaller steps.
    tuned = wide.change(**{"model.imagenet": True, "train.lr": wide.train.lr / 5})
    return {"vgg16-scratch": wide, "vgg16-imagenet": tuned}, ""


PLANS: dict[str, Plan] = {
    made.name: made
    for made in (
        Plan("table1", "models 1 to 6; on CK+ over subject-disjoint folds", _table1),
        Plan(
            "table1-random",
            "the same on CK+ with random folds, to show what they are worth",
            lambda request: _table1(request, "-random"),
            by="random",
        ),
        Plan(
            "table1-sequence",
            "the same on CK+ with no recording in two folds, though people may be",
            lambda request: _table1(request, "-sequence"),
            by="sequence",
        ),
        Plan("combinations", "every possible combination of the five components", _combinations),
        Plan("fig6b", "model 6, lambda_1 = 1 to 10 at lambda = 0.01 (section 3.3)", _fig6b),
        Plan("fig6a", "model 6, lambda = 0.0005 to 0.05 at the best lambda_1 of fig6b", _fig6a),
        Plan(
            "fig6-long",
            "model 6, lambda = 0, 0.005, 0.05 at lambda_1 = 1 and 7: for presets that train until "
            "the centre loss weighs as much as it ever will",
            _fig6_long,
        ),
        Plan(
            "supervision",
            "model 5 with its maps trained on the pixels that expressions change, and without",
            _supervision,
        ),
        Plan(
            "transfer",
            "model 5 on photographs, with drawn faces beside or before them, supervised or not",
            _transfer,
        ),
        Plan("gcca", "model 3 without GCCA, with it, and with each of its mends", _gcca),
        Plan("slot", "model 3 with nothing, SE, CBAM, ECA or GCCA in the same place", _slot),
        Plan(
            "table2",
            "Table 2's three networks in small, beside models 1 and 6; its two other methods and "
            "the classics are measured by fercourse shallow",
            _table2,
        ),
        Plan(
            "weather",
            "models 1, 3 and 6 trained in clear air, and with fog: for fercourse weather to judge",
            _weather,
        ),
        Plan(
            "rare",
            "model 1 with class-balanced cross-entropy, half or wholly, and with the focal loss",
            _rare,
        ),
        Plan(
            "pretrained",
            "model 1 at full width, from scratch and from ImageNet's weights (528 MB are fetched)",
            _pretrained,
        ),
        Plan(
            "recipe",
            "model 6, one setting of training changed at a time",
            lambda request: (trials(request.base(), request.settings or tuple(SETTINGS)), ""),
        ),
        Plan(
            "speedrun",
            "model 1 towards more accuracy a minute, one change at a time, all of equal cost",
            lambda request: (speedrun(request.base(1), request.settings), ""),
        ),
    )
}
"""By name. A new experiment is a function of a request, and an entry here."""


def plan(
    name: str,
    dataset: str = "fer2013",
    preset: str = "course",
    seeds: int = 10,
    models: Sequence[int] = MODELS,
    folds: int = 10,
    changes: Mapping[str, Any] | None = None,
    ledger: Ledger | None = None,
    settings: Sequence[str] | None = None,
) -> list[Planned]:
    """The runs of an experiment, breadth first: seed 0 of all variants before seed 1 of any.

    On CK+ one seed is a whole cross-validation: seed s shuffles the folds with s and trains one
    run a fold, so that every face is tested once; Acc and Sta (eq. 8 and 9) are over seeds, of the
    folds pooled (:func:`fercourse.runs.summaries.pool_folds`). Within a seed the folds go
    breadth first too, so that a plan broken off has the same folds of all variants.

    Args:
        name: One of :data:`PLANS`.
        dataset: "fer2013", "ckplus" or "synthetic".
        preset: One of :data:`fercourse.config.LABELS`; its data set is replaced by ``dataset``.
        seeds: How many, from 0.
        models: Rows of Table 1; Fig. 6 and the search have the last one only.
        folds: Of CK+.
        changes: Made to every run, as in :meth:`fercourse.RunConfig.change`.
        ledger: Where ``fig6a`` finds the results of ``fig6b``; None takes the paper's lambda_1.
        settings: What ``recipe`` varies, or the steps of ``speedrun``; None is all.

    Raises:
        FercourseError: There is no such plan, data set, preset, model or setting.
    """
    _among("plan", name, tuple(PLANS))
    _among("data set", dataset, tuple(REGISTRY))
    _among("preset", preset, tuple(LABELS))
    for model in models:
        _among("model", model, MODELS)
    if seeds < 1 or not models:
        raise FercourseError("A plan needs at least one seed and one model.")
    if PLANS[name].by != "subject" and not known(dataset).folded:
        raise FercourseError(f"{name} cuts folds, which are for CK+ only: it needs ckplus.")
    request = Request(dataset, preset, seeds, models, folds, dict(changes or {}), ledger, settings)
    return _runs(PLANS[name], request)


def _runs(plan: Plan, request: Request) -> list[Planned]:
    folded = known(request.dataset).folded
    variants, note = plan.variants(request)
    runs = []
    for seed in range(request.seeds):
        for fold in range(request.folds if folded else 1):
            cut = {
                "data.seed": seed,
                "data.fold": fold,
                "data.folds": request.folds,
                "data.by": plan.by,
            }
            for variant, config in variants.items():
                config = config.change(**(cut if folded else {}), seed=seed)
                runs.append(Planned(config, plan.name, variant, LABELS[request.preset], note))
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
        values[row.run.loss.pair_weight][row.pair_key] = row.val_accuracy
    shared = set.intersection(*(set(found) for found in values.values()))
    if not shared:
        return None
    best = max(values, key=lambda value: sum(values[value][place] for place in shared))
    return best, len(shared)


def _among(what: str, value: Any, known: Sequence[Any]) -> None:
    if value not in known:
        raise FercourseError(
            f"There is no {what} {value!r}; use one of {', '.join(map(str, known))}."
        )
