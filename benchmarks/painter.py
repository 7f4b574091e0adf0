"""Where a drawn face is the same face: across kinds of processor, and across painters.

    python benchmarks/painter.py everywhere
    python benchmarks/painter.py earlier e7ddd6f

``everywhere`` draws one data set by every kind of vector instructions, with one thread and two, in
batches of three sizes, and by other sums of MKL: one fingerprint must come out. ``earlier`` draws
the built-in data sets of the recorded runs with the painter of an earlier commit and with today's,
and writes how far they differ to ``fercourse/datasets/drawings.json``. A recorded
fingerprint that no kind of processor here can draw is listed without a difference.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "fercourse" / "datasets" / "drawings.json"
KINDS = ("default", "avx2", "avx512")  # a processor that lacks one takes the next below

DRAW = """
import sys
import numpy as np
import fercourse
import torch
from fercourse.datasets.synthetic import dataset

size, count, seed, difficulty, out = sys.argv[1:]
data = dataset(int(size), int(count), int(seed), float(difficulty))
np.savez(out, images=torch.cat([s.images for s in data.splits.values()]).numpy())
print(data.fingerprint)
"""
IN_BATCHES = """
import sys
import fercourse
import torch
from fercourse.datasets.synthetic import Drawing
from fercourse.datasets.synthetic.expression import intensities
from hashlib import sha256

count, batch = map(int, sys.argv[1:])
index = torch.arange(count)
units = intensities(index % 7, index, 0, 0.5)
images, masks = sha256(), sha256()
for part in zip(*(t.split(batch) for t in (units, index // 7, index)), strict=True):
    drawing = Drawing(*part, 0, 48, 0.5)
    drawn = drawing.render().images
    images.update(drawn.numpy().tobytes())
    masks.update(drawing.masks(drawn).numpy().tobytes())
both = images.hexdigest()[:16] + "-" + masks.hexdigest()[:16]
print(torch.backends.cpu.get_cpu_capability(), both)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("everywhere", "earlier"))
    parser.add_argument("commit", nargs="?", help="of the earlier painter")
    parser.add_argument("--count", type=int, default=4000, help="faces, for everywhere")
    options = parser.parse_args()
    if options.what == "everywhere":
        everywhere(options.count)
    elif options.commit:
        earlier(options.commit)
    else:
        parser.error("earlier needs the commit of the painter to compare with.")


def everywhere(count: int) -> None:
    print(f"{count} faces at 48 pixels, fingerprints of images and masks")
    print(f"{'instructions':12} {'threads':>7} {'batch':>6}")
    ways: list[tuple[dict[str, str], int]] = [
        ({"ATEN_CPU_CAPABILITY": kind, "OMP_NUM_THREADS": str(threads)}, batch)
        for kind, threads, batch in product(KINDS, (1, 2), (1, 7, 256))
    ]
    ways.append(({"MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "2"}, 256))
    found = set()
    for settings, batch in ways:
        kind, digest = python(IN_BATCHES, count, batch, **settings).split()
        note = "  MKL's oldest sums" if "MKL_CBWR" in settings else ""
        print(f"{kind:12} {settings['OMP_NUM_THREADS']:>7} {batch:6}  {digest}{note}", flush=True)
        found.add(digest)
    print(f"{len(found)} fingerprint(s)")
    raise SystemExit(len(found) > 1)


def earlier(commit: str) -> None:
    table: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", commit, "fercourse"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        for about, recorded in recorded_faces():
            what = [about[name] for name in ("size", "count", "seed", "difficulty")]
            now = python(DRAW, *what, Path(folder, "now.npz")).strip()
            drawn: dict[str, list[str]] = {}
            for kind in KINDS:
                then = Path(folder, "then.npz")
                found = python(DRAW, *what, then, root=Path(folder), ATEN_CPU_CAPABILITY=kind)
                found = found.strip()
                if found not in drawn:
                    drawn[found] = []
                    differs = difference(Path(folder, "now.npz"), then)
                    table.append(
                        {
                            "fingerprint": found,
                            "now": now,
                            **about,
                            "painter": commit,
                            "drawn": drawn[found],
                            **differs,
                        }
                    )
                drawn[found].append(kind)
            table += [
                {
                    "fingerprint": known,
                    "now": now,
                    **about,
                    "painter": commit,
                    "drawn": "where it was recorded; not by this processor, so not compared",
                }
                for known in sorted(recorded - {*drawn, now})
            ]
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    for one in table:
        print(one)


def recorded_faces() -> list[tuple[dict[str, Any], set[str]]]:
    """The built-in data sets of recorded runs, and the fingerprints that they have there."""
    from fercourse.runs.ledger import Ledger

    found: dict[str, tuple[dict[str, Any], set[str]]] = {}
    for row in Ledger().rows(dataset="synthetic"):
        if row.fingerprint:
            about = {
                name: value
                for name, value in asdict(row.run.data).items()
                if name in ("size", "count", "seed", "difficulty")
            }
            found.setdefault(json.dumps(about), (about, set()))[1].add(row.fingerprint)
    return list(found.values())


def difference(one: Path, other: Path) -> dict[str, int]:
    """Of how many images and pixels, and by how many grey levels at most, two drawings differ."""
    with np.load(one) as now, np.load(other) as then:
        levels = np.abs(now["images"].astype(int) - then["images"].astype(int))
    return {
        "images": int(levels.any((1, 2)).sum()),
        "pixels": int((levels > 0).sum()),
        "of": levels.size,
        "levels": int(levels.max()),
    }


def python(code: str, *arguments: object, root: Path = ROOT, **settings: str) -> str:
    """What a new process prints: OpenMP, MKL and torch read their settings once.

    It runs in ``root``, whose fercourse it imports.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=root,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    main()
