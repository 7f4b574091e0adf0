"""Minutes of a GPU (``benchmarks/gpu_day.sh``), rehearsed without one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bare
import psutil
import pytest
from conftest import ROOT

from fercourse.cli import main
from fercourse.runs.ledger import Ledger
from fercourse.weights.trained import load_weights

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("bash"), reason="a script for Linux"
)

SCRIPT = ROOT / "benchmarks" / "gpu_day.sh"
BARE = ("torch", "torchvision", "numpy", "pandas", "scikit-learn", "safetensors", "scipy")
"""What a machine for PyTorch has."""

OURS = {"log.txt", "runs_per_hour.json", "throughput.json", "rows.zip", "weights-1.zip"}


def brought() -> list[str]:
    """Packages that are taken along as wheels."""
    lines = (ROOT / "benchmarks" / "gpu_wheels.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@contextmanager
def started(*words: object, **variables: object) -> Iterator[subprocess.Popen[str]]:
    """The script, by this Python; at the end nothing of it goes on."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [str(SCRIPT), *map(str, words)],
        env=os.environ | {"PATH": path} | {k: str(v) for k, v in variables.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            for one in (*psutil.Process(process.pid).children(recursive=True), process):
                one.kill()
        process.communicate()


def ended(*words: object, **variables: object) -> tuple[int, str]:
    """Its exit status, and all that it said."""
    with started(*words, **variables) as process:
        said, _ = process.communicate(timeout=400)
        return process.returncode, said


@pytest.mark.parametrize(
    ("words", "variables", "named"),
    [
        ([], {}, "it takes seconds and a folder"),
        ([600], {}, "it takes seconds and a folder"),
        (["ten", "out"], {}, "'ten'"),
        (["0", "out"], {}, "'0'"),
        (["-5", "out"], {}, "'-5'"),
        (["1.5", "out"], {}, "'1.5'"),
        ([600, "out", "check", "mesure"], {}, "'mesure'"),
        ([600, "out"], {"EPOCHS": "many"}, "EPOCHS"),
        ([600, "out"], {"JOBS": "-1"}, "JOBS"),
        ([600, "out"], {"SHIP": "wide"}, "SHIP"),
        ([600, "file/out"], {}, "file/out cannot be written"),
        ([600, "out"], {"WORK": "file/work"}, "file/work cannot be written"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_started(
    words, variables, named, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    status, said = ended(*words, **{"WORK": tmp_path / "work"} | variables)
    assert status == 2
    (sentence,) = said.splitlines()
    assert sentence.startswith("gpu_day: ")
    assert named in sentence


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A whole rehearsal, on a Python that has what such a machine has: OUT, and what was said."""
    room = tmp_path_factory.mktemp("day")
    bare.only(bare.with_needs(BARE) | set(brought()), room)
    (room / "out").mkdir()
    (room / "out" / "notes.txt").write_text("of somebody else")
    variables = {"WORK": room / "work", "FERCOURSE_CACHE": room / "cache", "PYTHONPATH": room}
    status, said = ended(300, room / "out", **variables)
    assert status == 0, said
    return room / "out", said


@pytest.mark.slow
def test_a_rehearsal_goes_through_all_stages(day):
    out, said = day
    for step in ("tests of the GPU", "runs at a time", "images a second"):
        assert f": {step} (at most" in said
    assert re.search(r"Table 1, 2 epochs a run, \d at a time", said)
    assert "skipped" in said, "pytest did not run"
    assert said == (out / "log.txt").read_text(encoding="utf-8")
    for name in ("runs_per_hour.json", "throughput.json"):
        assert json.loads((out / name).read_text())["rows"]


@pytest.mark.slow
def test_few_files_that_every_host_takes_are_left(day):
    out, _ = day
    assert {path.name for path in out.iterdir()} == OURS | {"notes.txt"}
    assert (out / "notes.txt").read_text() == "of somebody else"
    assert max(path.stat().st_size for path in out.iterdir()) <= 16 * 2**20


@pytest.mark.slow
def test_rows_are_merged_and_weights_bundled_by_one_command_each(
    day, tmp_path, monkeypatch, capsys
):
    out, _ = day

    def command(*words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["fercourse", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, capsys.readouterr().err

    book = Ledger(tmp_path / "ledger.jsonl")
    command("ledger", "merge", out / "rows.zip", "--ledger", book.path)
    rows = book.rows()
    assert (rows[0].variant, rows[0].seed) == ("model1", 0)
    assert {(row.variant, row.seed, row.run.model.width) for row in rows} == {
        *((f"model{m}", seed, 0.0625) for m in range(1, 7) for seed in (0, 1)),
        *((f"model{m}", 0, 0.125) for m in (1, 6)),
    }
    assert book.verify() == []
    assert all(len(book.history(row) or ()) == 2 for row in rows)
    with zipfile.ZipFile(out / "weights-1.zip") as archive:
        archive.extractall(tmp_path / "weights")
    assert {path.stem for path in (tmp_path / "weights").iterdir()} == {row.key for row in rows}
    weights = tmp_path / "weights" / f"{rows[0].key}.safetensors"
    shipped = ("--folder", tmp_path / "shipped", "--ledger", book.path)
    command("ledger", "bundle", weights, *shipped)
    assert load_weights(tmp_path / "shipped" / "synthetic-model1.safetensors").key == rows[0].key


def packed(process: subprocess.Popen[str], least: int) -> int:
    """How many rows it packed, once these are so many."""
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        found = re.search(r"Packed (\d+) rows", line)
        if found and int(found[1]) >= least:
            return int(found[1])
    raise AssertionError(f"it ended with less than {least} rows: {''.join(said)}")


def rows_in(archive: Path, folder: Path) -> int:
    """How many rows another ledger takes over from it."""
    return Ledger(folder / f"{time.monotonic_ns()}.jsonl").merge(archive).added


@pytest.mark.slow
def test_whatever_is_killed_finished_runs_are_packed_and_the_same_call_goes_on(tmp_path):
    words = (300, tmp_path / "out", "table1")
    variables = {"WORK": tmp_path / "work", "FERCOURSE_CACHE": tmp_path / "cache", "EPOCHS": 1}
    archive = tmp_path / "out" / "rows.zip"

    with started(*words, **variables) as day:  # a step dies: the day goes on to its end
        packed(day, 1)
        steps = psutil.Process(day.pid).children()
        steps[0].kill()
        said, _ = day.communicate(timeout=120)
        assert "ended with status -9; the next step goes on" in said
        assert day.returncode == 1
    first = rows_in(archive, tmp_path)
    assert first >= 1

    with started(*words, **variables) as day:  # it is stopped: what is finished is packed
        packed(day, first + 1)
        day.send_signal(signal.SIGTERM)
        said, _ = day.communicate(timeout=120)
        assert "stopped; what was finished is packed" in said
        assert day.returncode == 130
    second = rows_in(archive, tmp_path)
    assert second > first

    with started(*words, **variables) as day:  # the machine goes
        third = packed(day, second + 1)
    assert rows_in(archive, tmp_path) >= third
