"""A drawn face is the same face everywhere: by bytes, in processes of their own."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import ROOT
from made_rows import made_row

from fercourse.datasets.drawings import present
from fercourse.runs.ledger import Ledger

pytestmark = pytest.mark.slow

FINGERPRINT = "22bdd603cd7823f8"
"""Of ``load("synthetic")``, 4,000 faces at 48 pixels, on every machine. It changes with the
painter's version (fercourse/datasets/drawings.py) and never else."""

WHOLE = """
import fercourse, torch
print(torch.backends.cpu.get_cpu_capability(), fercourse.load("synthetic").fingerprint)
"""
BATCHES = """
from hashlib import sha256
import fercourse, torch
from fercourse.datasets.synthetic import Drawing
from fercourse.datasets.synthetic.expression import intensities

for batch in (1, 7, 64):
    index = torch.arange(70)
    units = intensities(index % 7, index, 0, 0.5)
    digest = sha256()
    masks = sha256()
    for part in zip(*(t.split(batch) for t in (units, index // 7, index)), strict=True):
        drawing = Drawing(*part, 0, 48, 0.5)
        images = drawing.render().images
        digest.update(images.numpy().tobytes())
        masks.update(drawing.masks(images).numpy().tobytes())
    print(digest.hexdigest(), masks.hexdigest())
"""


def _drawn(code: str, instructions: str, threads: int) -> str:
    settings = {"ATEN_CPU_CAPABILITY": instructions, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _missing(instructions: str) -> bool:
    """Whether this processor would stop at them. Torch asks none that is told what to take."""
    return instructions == "avx512" and not torch.cpu._is_avx512_supported()


@pytest.mark.parametrize(("instructions", "threads"), [("default", 2), ("avx2", 1), ("avx512", 2)])
def test_four_thousand_faces_have_one_fingerprint(instructions, threads):
    if _missing(instructions):
        pytest.skip(f"this processor has no {instructions}")
    kind, fingerprint = _drawn(WHOLE, instructions, threads).split()
    print(f"{kind:8} {threads} threads  {fingerprint}")
    assert fingerprint == FINGERPRINT


def test_neither_batches_nor_threads_nor_instructions_move_a_pixel():
    ways = [("default", 1), ("avx2", 2), ("avx512", 1)]
    ways = [way for way in ways if not _missing(way[0])]
    with ThreadPoolExecutor(2) as pool:
        drawn = pool.map(lambda way: _drawn(BATCHES, *way).split("\n")[:-1], ways)
    lines = [line for one in drawn for line in one]
    assert len(lines) == 3 * len(ways)
    assert len(set(lines)) == 1


def test_a_run_on_an_earlier_drawing_is_not_done_again(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    row = made_row(fingerprint="5aa8c591040fd0b8")
    ledger.append(row)
    assert ledger.missing([row.run], FINGERPRINT) == []
    assert ledger.missing([row.run], "0" * 16) == [row.run], "measured on other faces"
    assert ledger.rows()[0].fingerprint == "5aa8c591040fd0b8", "what was recorded stays"


def test_how_far_an_earlier_drawing_differs_is_listed():
    table = json.loads((ROOT / "fercourse/datasets/drawings.json").read_text(encoding="utf-8"))
    compared = [one for one in table if "pixels" in one]
    assert compared
    assert all(one["pixels"] < 1e-3 * one["of"] and one["mask_pixels"] < 10 for one in compared)
    # What could not be compared has a like that was: the same painter, the same faces.
    known = {(one["painter"], one["now"]) for one in compared}
    assert {(one["painter"], one["now"]) for one in table} == known


def test_earlier_drawings_stand_for_todays_faces():
    assert present("5aa8c591040fd0b8") == FINGERPRINT, "what the ledger's first runs were made on"
    assert present(FINGERPRINT) == FINGERPRINT
    assert present("another data set's") == "another data set's"
    assert present(None) is None
