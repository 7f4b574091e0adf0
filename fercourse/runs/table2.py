"""Where methods stand on one field: the paper's claims for Table 2 beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fercourse.evaluation.metrics import mean_accuracy, stability
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.findings import Gain
from fercourse.runs.groups import SWITCHES, grouped, whole_seeds
from fercourse.runs.measured import Measured
from fercourse.runs.rivals import RIVALS
from fercourse.runs.row import Row
from fercourse.runs.shallow_row import ShallowRow
from fercourse.runs.statistics import t_interval, wilson
from fercourse.runs.summaries import independent

OURS = {"model1": "plain VGG16 (model 1)", "model6": "the paper's framework (model 6)"}
"""What stands beside the rivals."""

CLASSIC = {"pca": "eigenfaces", "lbp": "LBP", "gabor": "Gabor energy", "hog": "HOG"}
"""What stands below them, in a figure's words."""

UNDEFINED = {
    ("motion", "fer2013"): "undefined: stills",
    ("motion", "ckplus"): "undefined: no frame at rest",
}
"""Why a method has no number on a data set."""

_VARIED = ("loss.triplet_weight", *SWITCHES)


@dataclass(frozen=True)
class Standing:
    """A method on a data set.

    Attributes:
        variant: "landmarks", "inception", "model6", "hog", ...
        title: For a figure.
        claimed: The paper's accuracy with the interval its Sta and N leave; None where it has none.
        measured: Ours with its 95 % interval; None where there is none.
        runs: How many runs ours is the mean of; a cross-validation is one.
        why: Where ours is None, the reason.
    """

    variant: str
    title: str
    claimed: Gain | None
    measured: Gain | None
    runs: int = 0
    why: str = "not run yet"


def standings(entries: Sequence[Entry], dataset: str) -> list[Standing]:
    """All methods on a data set: the rivals in Table 2's order, ours, the classics.

    Networks are those of one recipe, plan ``table2``'s with the most runs.

    Args:
        entries: Of a ledger.
        dataset: "fer2013", "ckplus" or "synthetic".
    """
    claims = {
        entry.variant: entry
        for entry in entries
        if isinstance(entry, Claim) and (entry.plan, entry.dataset) == ("table2", dataset)
    }
    networks = [(row.run.model.name, row) for row in one_recipe(entries, dataset)]
    shallow = [(e.variant, e) for e in entries if isinstance(e, ShallowRow)]
    measured = grouped([*networks, *((v, row) for v, row in shallow if row.dataset == dataset)])
    named = [(rival.variant, rival.short, rival.claim) for rival in RIVALS]
    named += [("model6", OURS["model6"], "Proposed method"), ("model1", OURS["model1"], "")]
    named += [(variant, title, "") for variant, title in CLASSIC.items()]
    found = []
    for variant, title, claim in named:
        rows = whole_seeds(measured.get(variant, []))[0]
        found.append(
            Standing(
                variant,
                title,
                _claimed(claims.get(claim)),
                accuracy_of(rows),
                len(rows),
                UNDEFINED.get((variant, dataset), "not run yet"),
            )
        )
    return found


def before_networks(entries: Sequence[Entry], dataset: str) -> list[Standing]:
    """The classics on a data set, and Table 1's model 1 by the recipe of best validation accuracy.

    Args:
        entries: Of a ledger.
        dataset: "fer2013", "ckplus" or "synthetic".
    """
    found = [s for s in standings(entries, dataset) if s.variant in CLASSIC]
    groups = grouped(
        (row.group_key(), row)
        for row in entries
        if isinstance(row, Row)
        and (row.plan, row.dataset, row.variant) == ("table1", dataset, "model1")
        and row.label != "full"  # on a GPU, once
    )
    best = max(groups.values(), key=_validation, default=[])
    rows = whole_seeds(best)[0]
    network = Standing("model1", "plain VGG16 (model 1)", None, accuracy_of(rows), len(rows))
    return [network, *found]


def one_recipe(entries: Iterable[Entry], dataset: str) -> list[Row]:
    """Networks of Table 2 and models 1 and 6, all trained alike: the fullest recipe."""
    wanted = {*OURS, *(rival.variant for rival in RIVALS)}
    rows = [
        row
        for row in entries
        if isinstance(row, Row)
        and row.dataset == dataset
        and row.data.by == "subject"
        and row.run.model.name in wanted
    ]
    groups = grouped((row.group_key(*_VARIED), row) for row in rows).values()
    rivals = [g for g in groups if any(row.plan == "table2" for row in g)]
    return max(rivals, key=lambda g: (len({row.run.model.name for row in g}), len(g)), default=[])


def accuracy_of(rows: Sequence[Measured]) -> Gain | None:
    """Mean accuracy, and the wider of two 95 % intervals: that of seeds, and that of test faces.

    Runs that nothing is left to chance in have the second alone.

    Args:
        rows: Repetitions, folds pooled.
    """
    if not rows:
        return None
    accuracies = [row.test_accuracy for row in rows]
    mean, n = mean_accuracy(accuracies), independent(rows[0])
    ends = [wilson(round(mean * n), n)]
    if len(rows) > 1:
        ends.append(t_interval(mean, stability(accuracies), len(rows)))
    low, high = max(ends, key=lambda pair: pair[1] - pair[0])
    return Gain(mean, low, high)


def _claimed(claim: Claim | None) -> Gain | None:
    if claim is None:
        return None
    return Gain(claim.acc, *t_interval(claim.acc, claim.sta, claim.runs or 1))


def order(found: Sequence[Standing]) -> list[Standing]:
    """Those measured, best first."""
    there = [s for s in found if s.measured]
    return sorted(there, key=lambda s: -s.measured.mean if s.measured else math.inf)


def _validation(rows: Sequence[Row]) -> float:
    return mean_accuracy([row.val_accuracy for row in rows])


def best_classic(fields: Mapping[str, Sequence[Standing]]) -> str:
    """The best of the classics beside model 1, on each data set, in words.

    Args:
        fields: :func:`before_networks` by data set's title.
    """
    said = []
    for name, found in fields.items():
        there = order([s for s in found if s.variant in CLASSIC])
        network = next((s.measured for s in found if s.variant == "model1"), None)
        if there and there[0].measured and network:
            best = there[0]
            said.append(f"{name} {best.title} {_percent(best.measured)}, VGG16 {_percent(network)}")
    return "; ".join(said) or "not run yet: fercourse shallow"


def _percent(gain: Gain | None) -> str:
    return "" if gain is None else f"{100 * gain.mean:.1f}"


def in_words(found: Sequence[Standing]) -> str:
    """In which order methods come, and how much of the claimed distance is the methods' own.

    The classics are left out. The claimed and the measured distance are those between the best and
    the worst of the methods that have both.
    """
    ranked = order([s for s in found if s.variant not in CLASSIC])
    if len(ranked) < 2:
        return "too few methods were run to compare them"
    places = " > ".join(f"{s.title} {_percent(s.measured)}" for s in ranked)
    both = [s for s in ranked if s.claimed]
    if len(both) < 2:
        return places
    measured, claimed = (
        100 * float(np.ptp([gain.mean for gain in gains if gain]))
        for gains in ([s.measured for s in both], [s.claimed for s in both])
    )
    return f"{places}; claimed methods {measured:.1f} points apart, in Table 2 {claimed:.1f}"
