"""Table 2 on one field, in numbers: claims, measurements, what each cost, what could not be run."""

from __future__ import annotations

from collections.abc import Sequence

from fercourse.datasets.registry import known
from fercourse.markdown import table
from fercourse.runs.entry import Entry
from fercourse.runs.findings import Gain
from fercourse.runs.groups import grouped, whole_seeds
from fercourse.runs.rivals import RIVALS
from fercourse.runs.shallow_row import ShallowRow
from fercourse.runs.table2 import in_words, one_recipe, standings

FIELDS = {"fer2013": "FER2013", "ckplus": "CK+48", "synthetic": "drawn faces"}
"""Where methods are compared, and how figures call it."""


def field_tables(entries: Sequence[Entry]) -> list[str]:
    """Markdown: a table and a sentence a data set, the costs, and the rivals' cards.

    Args:
        entries: Of a ledger.
    """
    if not any(row.plan in ("table2", "classics") for row in entries if row.label != "paper"):
        return []
    parts = [
        "**Table 2 on one field**: the five rivals built small, *in the spirit of* each, the "
        "paper's framework, plain VGG16, and four classics, on the same splits; networks by one "
        "recipe from scratch, the epoch selected on the validation split; of the others the "
        "strength of the classifier. Each interval is the wider of two 95 % ones: over runs, and "
        "over test faces. A method in which nothing is left to chance is run once. On drawn faces "
        "landmarks are the painter's own, an upper bound; on photographs MTCNN's five, a handicap.",
        "![Claims of Table 2 beside measurements on one field](pictures/table2-one-field.png)",
    ]
    return [*parts, *(_table(entries, name) for name in FIELDS), _costs(entries), _cards()]


def _table(entries: Sequence[Entry], name: str) -> str:
    found = standings(entries, name)
    recipe = next((row.recipe for row in one_recipe(entries, name)), "no network run yet")
    cells = [
        (
            s.title,
            f"{100 * s.claimed.mean:.2f}" if s.claimed else "",
            f"{100 * s.measured.mean:.2f}" if s.measured else s.why,
            _interval(s.measured),
            s.runs or "",
        )
        for s in found
    ]
    head = ("method", "the paper's claim", "measured", "95 % interval", "runs")
    said = in_words(found)
    title = known(name).title if name != "ckplus" else "CK+48, ten folds, no person in two"
    return (
        f"*{title}* (networks: {recipe}); per cent. {said[0].upper()}{said[1:]}.\n\n"
        f"{table(head, cells, 'lrrrr')}"
    )


def _costs(entries: Sequence[Entry]) -> str:
    """What the methods without learned features cost, the first run of each on each data set."""
    rows = [row for row in entries if isinstance(row, ShallowRow) and row.seed == 0]
    cells = []
    for (name, variant), mine in grouped(((r.dataset, r.variant), r) for r in rows).items():
        first, seconds = mine[0], sum(row.seconds for row in mine)
        if not whole_seeds(mine)[0]:
            continue
        folds = f" ({len(mine)} folds)" if len(mine) > 1 else ""
        cells.append(
            (
                variant,
                FIELDS[name],
                f"{first.dimensions:,}",
                f"{first.parameters:,}",
                f"{seconds / 60:.1f}{folds}",
                f"{first.faces_per_second:,.0f}" if first.faces_per_second else "",
            )
        )
    head = ("method", "faces", "numbers a face", "learned", "minutes of training", "faces a second")
    return (
        "What they cost, on one core of two, other runs on the second: features and all four "
        f"strengths.\n\n{table(head, cells, 'llrrrr')}"
    )


def _cards() -> str:
    head = ("rival", "the source has", "kept", "dropped", "why")
    return table(head, [(f"{r.claim}: {r.short}", r.has, r.kept, r.dropped, r.why) for r in RIVALS])


def _interval(gain: Gain | None) -> str:
    return "" if gain is None else f"{100 * gain.low:.1f} to {100 * gain.high:.1f}"
