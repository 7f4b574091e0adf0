"""The ablation board's knowledge: what was run of five components, and what to run next.

Rows of the committed ledger are read together with a learner's own, which lie in
``results/mine/`` and are not for git: trying things out must not change a clone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from fercourse.config import COMPONENTS, LABELS, ModelConfig, RunConfig
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.experiments.plans import Planned, plan
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.groups import SWITCHES, whole_seeds
from fercourse.runs.ledger import History, Ledger
from fercourse.runs.row import Row
from fercourse.settings import ledger_path

Switches = tuple[bool, ...]
"""Of the five components, in the order of :data:`fercourse.config.COMPONENTS`."""
SEEDS = 10


def own_ledger() -> Ledger:
    """Where a learner's own runs go: ``mine/ledger.jsonl`` beside the committed ledger."""
    return Ledger(ledger_path().parent / "mine" / "ledger.jsonl")


class LedgerView:
    """Several ledgers read as one; the first to hold a run is believed.

    Args:
        ledgers: By default the committed one and the learner's own.
    """

    def __init__(self, ledgers: Sequence[Ledger] | None = None) -> None:
        self.ledgers = [Ledger(), own_ledger()] if ledgers is None else list(ledgers)

    def entries(self) -> list[Entry]:
        """All claims, and all runs, each on the same data once."""
        found: dict[str, Entry] = {}
        for ledger in self.ledgers:
            for entry in ledger.entries():
                found.setdefault(entry.identity, entry)
        return list(found.values())

    def rows(self) -> list[Row]:
        """All runs."""
        return [entry for entry in self.entries() if isinstance(entry, Row)]

    def history(self, row: Row) -> History | None:
        """A row's curves, from whichever ledger keeps them."""
        kept = (ledger.history(row) for ledger in self.ledgers)
        return next((history for history in kept if history), None)


def switches(model: ModelConfig) -> Switches:
    """Which of :data:`fercourse.config.COMPONENTS` are on."""
    return tuple(getattr(model, name) for name in COMPONENTS)


def shared_config(rows: Iterable[Entry], dataset: str, preset: str) -> RunConfig:
    """What is alike in the runs of a board: everything but components, seed and fold.

    The preset's own, unless the ledger holds runs of it with changes made to it, such as fewer
    epochs: then the one under which most combinations were run, so that new runs compare.

    Args:
        rows: Of the ledgers.
        dataset: "fer2013", "ckplus" or "synthetic".
        preset: One of :data:`fercourse.config.LABELS`.
    """
    own = _recipe(plan("table1", dataset, preset, seeds=1, models=(6,))[0].config)
    found: dict[RunConfig, list[Switches]] = {own: []}
    for row, run in _runs(rows):
        alike = (run.loss, run.data.size, run.data.by) == (own.loss, own.data.size, own.data.by)
        if alike and (row.dataset, row.label) == (dataset, LABELS[preset]):
            found.setdefault(_recipe(run), []).append(switches(run.model))
    return max(found, key=lambda each: (len(set(found[each])), len(found[each])))


def changes(base: RunConfig, dataset: str, preset: str) -> str:
    """How a recipe differs from its preset: "train.epochs = 12, data.difficulty = 0.1"; or ""."""
    changed = base.diff(shared_config([], dataset, preset))
    return ", ".join(f"{name} = {value}" for name, value in changed.items())


def with_components(base: RunConfig, on: Switches) -> RunConfig:
    """A recipe with these components.

    Raises:
        FercourseError: They cannot be combined.
    """
    return replace(base, model=replace(base.model, **dict(zip(COMPONENTS, on, strict=True))))


@dataclass(frozen=True)
class ComponentResult:
    """What is known of one combination under a recipe.

    Attributes:
        on: Its components.
        rows: Measured, one a seed; folds are pooled, and a seed that lacks some is left out.
        folds: Of CK+: how many single folds are there that no whole seed covers yet.
        claim: The paper's, where Table 1 has this combination on these data.
    """

    on: Switches
    rows: tuple[Row, ...]
    folds: int = 0
    claim: Claim | None = None

    @property
    def model(self) -> int | None:
        """Row of Table 1; None where the paper has no such model."""
        return replace(ModelConfig(), **dict(zip(COMPONENTS, self.on, strict=True))).table1_row


def component_results(
    rows: Iterable[Entry], base: RunConfig, on: Switches
) -> list[ComponentResult]:
    """Table 1's six models, whatever else was run under this recipe, and the chosen combination.

    Args:
        rows: Of the ledgers, the claims among them.
        base: See :func:`shared_config`.
        on: The chosen one, listed whether it was run or not.
    """
    runs: dict[Switches, list[Row]] = {switches(ModelConfig.table1(k)): [] for k in range(1, 7)}
    for row, run in _runs(rows):
        if _recipe(run) == base:
            runs.setdefault(switches(run.model), []).append(row)
    runs.setdefault(on, [])
    table1 = ("table1", base.data.name)
    claims = {
        row.variant: row
        for row in rows
        if isinstance(row, Claim) and (row.plan, row.dataset) == table1
    }
    found = []
    for each, mine in runs.items():
        whole, spare = whole_seeds(mine)
        result = ComponentResult(each, tuple(whole), spare)
        found.append(replace(result, claim=claims.get(f"model{result.model}")))
    return found


def next_run(rows: Iterable[Entry], base: RunConfig, on: Switches, label: str) -> Planned | None:
    """The first seed, and on CK+ fold, that this combination has not been run with.

    Args:
        rows: Of the ledgers.
        base: See :func:`shared_config`.
        on: The components.
        label: For the new row: "full", "cpu" or "smoke".

    Returns:
        None where all ten seeds are there.

    Raises:
        FercourseError: The components cannot be combined.
    """
    config = with_components(base, on)
    done = {run for _, run in _runs(rows)}
    name = config.model.name
    folded = known(base.data.name).folded
    for seed in range(SEEDS):
        for fold in range(base.data.folds if folded else 1):
            cut = {"data.seed": seed, "data.fold": fold} if folded else {}
            run = config.change(**cut, seed=seed)
            if run not in done:
                return Planned(run, "board", name, label)
    return None


def _runs(rows: Iterable[Entry]) -> Iterator[tuple[Row, RunConfig]]:
    """Measured rows with their configs, those of another fercourse's left out."""
    for row in rows:
        if isinstance(row, Row):
            with suppress(FercourseError, TypeError):
                yield row, row.run


def _recipe(config: RunConfig) -> RunConfig:
    """A run without what a board varies."""
    return config.experiment.without(*SWITCHES)
