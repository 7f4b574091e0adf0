"""The course's answer to the paper: what each of its claims was measured to be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fercourse.datasets.registry import known
from fercourse.datasets.splits import CUTS
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.groups import group_by_config, grouped, whole_seeds
from fercourse.runs.row import Row
from fercourse.runs.statistics import difference_interval, paired
from fercourse.runs.summaries import compare, independent, share


@dataclass(frozen=True)
class Gain:
    """A difference of two accuracies, in fractions.

    Attributes:
        mean: Second minus first.
        low: Lower end of its 95 % interval; nan where a single pair gives none.
        high: Upper end.
    """

    mean: float
    low: float = math.nan
    high: float = math.nan

    @property
    def points(self) -> str:
        """The mean in points: "+0.37"."""
        return f"{100 * self.mean:+.2f}".replace("-", "−")

    def __str__(self) -> str:
        """With its interval, where it has one: "+0.37 [-0.37, 1.11]"."""
        if math.isnan(self.low):
            return self.points
        return f"{self.points} [{100 * self.low:.2f}, {100 * self.high:.2f}]".replace("-", "−")


@dataclass(frozen=True)
class Finding:
    """A question, the paper's answer and ours.

    Attributes:
        question: "all components: model 6 minus 1".
        where: On which faces, with which cut: "FER2013".
        measured: Ours.
        scope: What ours was measured with: "48 px, width 0.375, 16 epochs, 3 seeds".
        claimed: The paper's; None where it says nothing.
        short: Of what no component has part in, its name in a sentence: "another recipe".
    """

    question: str
    where: str
    measured: Gain
    scope: str
    claimed: Gain | None = None
    short: str = ""


COMPONENTS = (
    ("fusion + GCCA: model 3 minus 1", "fer2013", 1, 3),
    ("all components: model 6 minus 1", "fer2013", 1, 6),
    ("all components: model 6 minus 1", "ckplus", 1, 6),
)
"""Question, data set, and between which of Table 1's models."""

_MODELS = tuple(f"model{k}" for k in range(1, 7))


def findings(entries: Sequence[Entry]) -> list[Finding]:
    """What can be answered from a ledger, in the order of :data:`COMPONENTS`, and then what no
    component has part in: the recipe, and the cut of CK+.

    Of each data set the recipe counts that most of the six models were trained with; CK+ is cut
    by person.

    Args:
        entries: Of the ledger, claims and rows.
    """
    claims = {
        (claim.dataset, claim.variant): claim
        for claim in entries
        if isinstance(claim, Claim) and claim.plan == "table1"
    }
    rows = [
        row
        for row in entries
        if isinstance(row, Row) and row.variant in _MODELS and row.run.data.by == "subject"
    ]
    answers = []
    for question, dataset, one, other in COMPONENTS:
        first, second = f"model{one}", f"model{other}"
        recipes = group_by_config([row for row in rows if row.dataset == dataset])
        mine = recipes[0] if recipes else []
        places = [{row.pair_key for row in mine if row.variant == name} for name in (first, second)]
        if not places[0] & places[1]:
            continue
        gain = compare(mine, first, second)
        folded = known(dataset).folded
        pair = [claims[dataset, name] for name in (first, second) if (dataset, name) in claims]
        seeds = len({seed for seed, *_ in places[0] & places[1]})
        answers.append(
            Finding(
                question,
                f"{known(dataset).title}{', by person' if folded else ''}",
                Gain(gain.mean, gain.low, gain.high),
                f"{_size(mine[0])}, {seeds} seed{'s' * (seeds > 1)}{' of ten folds' * folded}",
                claimed_gain(*pair) if len(pair) == 2 else None,
            )
        )
    fer2013 = [row for row in rows if row.dataset == "fer2013"]
    every_cut = [entry for entry in entries if isinstance(entry, Row)]
    return [*answers, *_recipe_alone(fer2013), *_cut_alone(every_cut)]


def _cut_alone(rows: Sequence[Row]) -> list[Finding]:
    """The same network on CK+ with random folds and with folds by person."""
    cuts = by_cut(rows, model=1)
    if not {"subject", "random"} <= cuts.keys():
        return []
    apart, mixed = cuts["subject"], cuts["random"]
    counts = []
    for row in (apart, mixed):
        n = independent(row)
        counts += [round(row.test_accuracy * n), n]
    gain = mixed.test_accuracy - apart.test_accuracy
    return [
        Finding(
            "nothing but the cut: random folds, not by person",
            known("ckplus").title,
            Gain(gain, *difference_interval(*counts)),
            f"{_size(apart)}, plain VGG16, ten folds each",
            short="random folds",
        )
    ]


def by_cut(rows: Sequence[Row], model: int) -> dict[str, Row]:
    """What one of Table 1's models scores on CK+ when it is cut in different ways.

    Args:
        rows: Of a ledger.
        model: Row of Table 1.

    Returns:
        Under the recipe with most cuts, for each in the order of
        :data:`fercourse.datasets.splits.CUTS`: the first seed whose folds are all there, pooled.
    """
    mine = [row for row in rows if row.dataset == "ckplus" and row.run.model.table1_row == model]
    found: list[dict[str, Row]] = []
    for alike in grouped((row.run.experiment.without("data.by"), row) for row in mine).values():
        whole = {by: whole_seeds([row for row in alike if row.run.data.by == by])[0] for by in CUTS}
        found.append({by: min(w, key=lambda row: row.seed) for by, w in whole.items() if w})
    return max(found, key=len, default={})


def _recipe_alone(rows: Sequence[Row]) -> list[Finding]:
    """The same networks under the recipe of most models, and under a longer one."""
    recipes = group_by_config(rows)
    if not recipes:
        return []
    usual = {(row.variant, row.pair_key): row for row in recipes[0]}
    for longer in sorted(recipes[1:], key=lambda found: found[0].run.train.epochs):
        pairs = [
            (usual[place], row)
            for row in longer
            if (place := (row.variant, row.pair_key)) in usual
            and usual[place].run.model.width == row.run.model.width
            and usual[place].run.train.epochs < row.run.train.epochs
        ]
        if pairs:
            metric = "test_accuracy"
            gain = paired(
                [share(before, metric) for before, _ in pairs],
                [share(after, metric) for _, after in pairs],
            )
            before, after = pairs[0]
            models = " and ".join(sorted(row.variant[-1] for row, _ in pairs))
            return [
                Finding(
                    "nothing but the recipe: longer, and more augmentation",
                    "FER2013",
                    Gain(gain.mean),
                    f"width {before.run.model.width:g}, {before.run.train.epochs} epochs against "
                    f"{after.run.train.epochs}; models {models}, one seed each",
                    short="another recipe",
                )
            ]
    return []


def claimed_gain(first: Claim, second: Claim) -> Gain:
    """What the paper claims of a step, with the interval that its Sta and N leave (Welch's)."""
    from scipy.stats import t

    gain = second.acc - first.acc
    n = second.runs or 1
    if n < 2 or not (first.stability and second.stability):
        return Gain(gain)
    # Sta divides by N; the squared error of a mean is the sample variance, by N - 1, over N.
    a, b = (claim.sta**2 / (n - 1) for claim in (first, second))
    freedom = (a + b) ** 2 / ((a**2 + b**2) / (n - 1))
    half = float(t.ppf(0.975, freedom)) * math.sqrt(a + b)
    return Gain(gain, gain - half, gain + half)


def _size(row: Row) -> str:
    run = row.run
    return f"{run.data.size} px, width {run.model.width:g}, {run.train.epochs} epochs"
