"""Pack what was recorded: rows and histories into one zip, weights that fit into others.

    python benchmarks/pack.py LEDGER RUNS OUT

OUT gets ``rows.zip`` (for ``fercourse ledger merge``) and ``weights-1.zip`` onwards (for
``fercourse ledger bundle``): float16 weights of finished runs, the best of each model first. No
file is larger than 16 MB, and with what else lies in OUT there are at most eight. Each is replaced
whole. Weights that do not fit stay behind, which is said.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from fercourse.files import atomic_write
from fercourse.pages.card import LIMIT
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row
from fercourse.weights.trained import load_weights, save_weights

ROOM = LIMIT - 2**16
"""Bytes of weights in a zip file, whose own entries take some."""

MOST = 8
"""Files in OUT."""


def pack(ledger: Path, runs: Path, out: Path) -> str:
    """Pack all anew; what was done, in a sentence."""
    if not ledger.is_file():
        return "Nothing is recorded yet."
    rows = Ledger(ledger).rows()
    histories = sorted((ledger.parent / "history").glob("*.json"))
    _zip(out / "rows.zip", [(p, str(p.relative_to(ledger.parent))) for p in (ledger, *histories)])

    halves = [half for row in by_value(rows) if (half := _half(row, runs))]
    # One place is left for a file that is just being written.
    others = [p for p in out.iterdir() if not p.match("weights-*.zip") and p.name[0] != "."]
    groups = grouped([half.stat().st_size for half in halves], MOST - 1 - len(others))
    for number, group in enumerate(groups, start=1):
        _zip(out / f"weights-{number}.zip", [(halves[k], halves[k].name) for k in group])
    for old in out.glob("weights-*.zip"):
        if int(old.stem.partition("-")[2]) > len(groups):
            old.unlink()
    inside = {k for group in groups for k in group}
    told = f"Packed {len(rows)} rows, and the weights of {len(inside)} runs."
    behind = [k for k in range(len(halves)) if k not in inside]
    named = [f"{halves[k].stem} ({halves[k].stat().st_size / 2**20:.0f} MB)" for k in behind]
    return f"{told} Weights that stay behind: {', '.join(named)}." if behind else told


def by_value(rows: Sequence[Row]) -> list[Row]:
    """Rows by how much their weights are worth: of each model and width the best, then the rest."""
    best: dict[tuple[str, float], Row] = {}
    rows = sorted(rows, key=lambda row: -row.val_accuracy)
    for row in rows:
        best.setdefault((row.variant, row.run.model.width), row)
    return [*best.values(), *(row for row in rows if row not in best.values())]


def grouped(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Which files go into which of at most so many archives: each, in order, where it fits."""
    groups: list[list[int]] = []
    for k, size in enumerate(sizes):
        fits = (group for group in groups if size + sum(sizes[i] for i in group) <= ROOM)
        if group := next(fits, None):
            group.append(k)
        elif size <= ROOM and len(groups) < most:
            groups.append([k])
    return groups


def _half(row: Row, runs: Path) -> Path | None:
    """A run's weights as float16, beside the others; None where there are none."""
    for source in runs.glob(f"{row.key}-*/model.safetensors"):
        target = source.with_name(f"{row.key}.safetensors")
        if not target.is_file():
            trained = load_weights(source)
            save_weights(target, trained.network.half(), trained.run, trained.about)
        return target
    return None


def _zip(target: Path, files: Sequence[tuple[Path, str]]) -> None:
    with atomic_write(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in files:
            archive.write(path, name)


if __name__ == "__main__":
    print(pack(*map(Path, sys.argv[1:4])))
