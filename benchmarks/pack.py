"""Pack what was recorded: rows and histories into one zip, weights that fit into others.

    python benchmarks/pack.py LEDGER RUNS OUT

OUT gets ``rows.zip`` (for ``fercourse ledger merge``) and ``weights-1.zip`` onwards, each under
16 MB: float16 weights of finished runs (for ``fercourse ledger bundle``). Weights that are larger
on their own stay behind, which is said.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from fercourse.pages.card import LIMIT
from fercourse.runs.ledger import Ledger
from fercourse.weights.trained import load_weights, save_weights

ROOM = LIMIT - 2**16
"""Bytes of weights in a zip file, whose own entries take some."""


def main(ledger: Path, runs: Path, out: Path) -> None:
    if not ledger.is_file():
        print("Nothing is recorded yet.")
        return
    with zipfile.ZipFile(out / "rows.zip", "w", zipfile.ZIP_DEFLATED) as rows:
        for path in [ledger, *sorted((ledger.parent / "history").glob("*.json"))]:
            rows.write(path, path.relative_to(ledger.parent))
    done = {row.key for row in Ledger(ledger).rows()}
    groups: list[list[Path]] = [[]]
    for weights in sorted(runs.glob("*/model.safetensors")):
        key = weights.parent.name.rpartition("-")[0]
        if key in done:
            half = _half(weights, weights.parent / f"{key}.safetensors")
            if half.stat().st_size > ROOM:
                print(f"{key}: {half.stat().st_size / 2**20:.0f} MB of weights stay behind.")
            elif sum(p.stat().st_size for p in groups[-1]) + half.stat().st_size > ROOM:
                groups.append([half])
            else:
                groups[-1].append(half)
    for number, group in enumerate(filter(None, groups), start=1):
        with zipfile.ZipFile(out / f"weights-{number}.zip", "w") as archive:
            for path in group:
                archive.write(path, path.name)


def _half(source: Path, target: Path) -> Path:
    if not target.is_file():
        trained = load_weights(source)
        save_weights(target, trained.network.half(), trained.run, trained.about)
    return target


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
