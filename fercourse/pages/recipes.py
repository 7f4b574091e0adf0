"""What each trial of a recipe is worth, and the page that says so.

What counts is the difference in *validation* accuracy over the same seeds: the test split has no
say in a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from fercourse.config import LABELS, RunConfig, preset
from fercourse.datasets.registry import known
from fercourse.evaluation.metrics import binomial_error
from fercourse.experiments.trials import Trial, compare_recipes, differences, trials
from fercourse.files import write_if_changed
from fercourse.markdown import table
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row


def write(page: Path, ledger: Ledger) -> bool:
    """Write the page of recipes from the ledger; True if that changed it."""
    return write_if_changed(page, report(ledger))


def report(ledger: Ledger) -> str:
    """The page: for each base and data set with trials, a table of validation accuracies."""
    parts = [_INTRODUCTION]
    for name, dataset in (("course", "fer2013"), ("cpu", "fer2013"), ("smoke", "synthetic")):
        every = ledger.rows(dataset=dataset, label=LABELS[name])
        # The recipe of all combinations was chosen to be cheap, and is no candidate.
        rows = [row for row in every if row.plan != "combinations"]
        for base, around in _by_base(rows, preset(name)):
            found = compare_recipes(around, base)
            # One alone is compared with nothing.
            if len(found) > 1 and any(trial.changed for trial in found):
                title = f"{known(dataset).title}, preset `{name}`"
                if made := _in_words(differences(base, preset(name))):
                    title += f" with {made}"
                parts.append(_section(title, found, around[0].splits["val"]))
                parts += _by_the_megabyte(found, base)
    return "\n\n".join(parts) + "\n"


def _by_base(rows: Sequence[Row], standard: RunConfig) -> list[tuple[RunConfig, list[Row]]]:
    """The preset, and each changed one that a search was made around (``--set``), with its runs.

    A trial that belongs to none of them is compared with the preset.
    """
    own = _names(standard)
    strange = {row.run.hash for row in rows if row.plan == "recipe"} - own
    bases = dict.fromkeys(row.run.change(seed=0) for row in rows if row.variant == "model6")
    theirs = {base: _names(base) for base in bases if base != standard}
    theirs = {b: names for b, names in theirs.items() if (names - {b.hash}) & strange}
    elsewhere = set().union(*theirs.values()) - own
    groups = [(standard, [row for row in rows if row.run.hash not in elsewhere])]
    return groups + [(b, [r for r in rows if r.run.hash in names]) for b, names in theirs.items()]


def _names(base: RunConfig) -> set[str]:
    return {config.hash for config in trials(base).values()}


_INTRODUCTION = """\
# In search of a recipe

Written from `results/ledger.jsonl` by `fercourse ledger recipe`. The paper leaves most of training
open; here model 6 is trained with one setting changed at a time (some trials changed several), and
compared by *validation* accuracy with the preset it was changed in, over the same seeds. The test
split has no say in a choice, so it is not shown. A difference of one seed is within what the next
seed would change, unless it is of several points: it is a reason to try again, not a result
([lesson 11](../notebooks/11_training.ipynb) draws how far seeds go).
`fercourse run recipe --data fer2013 --preset course` goes on where this stops."""


_GAIN = "gain over the base, points"


def _section(title: str, found: Sequence[Trial], size: int) -> str:
    error = binomial_error(found[0].accuracy, size)
    lines = [
        f"## {title}",
        "",
        f"Selected and compared on {size:,} faces, which by themselves are worth "
        f"± {100 * error:.2f} points (binomial standard error).",
        "",
        table(
            ("changed", "runs", "MB (float16)", "validation accuracy, %", _GAIN),
            [
                (
                    _in_words(trial.changed) or "nothing: the base",
                    trial.n,
                    f"{trial.megabytes:.2f}",
                    f"{100 * trial.accuracy:.2f}",
                    "" if trial.gain is None else trial.gain,
                )
                for trial in found
            ],
            "lrrrl",
        ),
    ]
    return "\n".join(lines)


def _in_words(changed: dict[str, Any]) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in changed.items())


def _by_the_megabyte(found: Sequence[Trial], base: RunConfig) -> list[str]:
    """What each wider network adds for its size: a paragraph, or none before two were tried."""
    widths = {
        trial.changed.get("model.width", base.model.width): trial
        for trial in found
        if not trial.changed or (list(trial.changed) == ["model.width"] and trial.gain)
    }
    if len(widths) < 2:
        return []
    steps = []
    for (narrow, small), (wide, large) in pairwise(sorted(widths.items())):
        more = 100 * (_gain(large) - _gain(small))
        megabytes = large.megabytes - small.megabytes
        steps.append(
            f"from width {narrow:g} to {wide:g}, {more:+.2f} points for {megabytes:.2f} MB more "
            f"({more / megabytes:+.2f} points a MB)"
        )
    return [f"Accuracy for its size, as float16 weights: {'; '.join(steps)}."]


def _gain(trial: Trial) -> float:
    return trial.gain.mean if trial.gain else 0.0
