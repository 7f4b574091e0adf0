"""``kill -9`` at random moments, full disks and folders that may not be written to.

The same command goes on: nothing finished is lost, and nothing half-written is left.
"""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import made_sets as made
import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image
from safetensors.torch import load_file

from fercourse import files
from fercourse.cli import main

MAIN = "from fercourse.cli import main; main()"
TINY = ["--preset", "smoke", "--set", "model.width=0.0625", "--set", "data.count=140"]
HOPPER = Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"
posix = pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")


def started(where: Path, words: list[str], code: str = MAIN) -> subprocess.Popen:
    settings = {"FERCOURSE_CACHE": str(where / "cache")}
    if "--record" in words:
        settings["FERCOURSE_LEDGER"] = str(where / "l.jsonl")
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=where,
        env=os.environ | settings | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def killed_until_done(where: Path, words: list[str], moments: list[float], code: str = MAIN) -> int:
    """Kill a command and all that it started after each of these seconds, then let it end.

    Returns:
        How often it was still running when it was killed.
    """
    caught = 0
    for seconds in moments:
        process = started(where, words, code)
        time.sleep(seconds)
        caught += process.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    process = started(where, words, code)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return caught


def moments(count: int, most: float, seed: int) -> list[float]:
    """Seconds, before the fastest machine would be done."""
    draw = random.Random(seed)
    return [draw.uniform(1.0, most) for _ in range(count)]


def left_over(where: Path) -> list[str]:
    """What is not finished, in folders where people look."""
    return [
        p.relative_to(where).as_posix()
        for p in where.rglob(".*")
        if p.is_file() and "cache" not in p.relative_to(where).parts
    ]


@posix
@pytest.mark.slow
def test_training_goes_on_to_the_same_weights(tmp_path):
    words = ["train", *TINY, "--model", "1", "--epochs", "30", "--record", "--out", "run"]
    plain, torn = tmp_path / "plain", tmp_path / "torn"
    plain.mkdir(), torn.mkdir()
    began = time.monotonic()
    killed_until_done(plain, words, [])
    whole = time.monotonic() - began
    assert killed_until_done(torn, words, [0.5 * whole, 0.4 * whole]) > 0
    one, other = (load_file(each / "run" / "model.safetensors") for each in (plain, torn))
    assert all(one[name].equal(other[name]) for name in one)
    rows = (torn / "l.jsonl").read_text().splitlines()
    assert len(rows) == 1
    assert left_over(torn) == []


@posix
@pytest.mark.slow
def test_a_campaign_of_runs_records_each_once(tmp_path):
    words = ["run", "table1", "--data", "synthetic", *TINY, "--epochs", "3", "--seeds", "2"]
    words += ["--models", "1,2", "--ledger", "l.jsonl", "--out", "runs", "--jobs", "1"]
    assert killed_until_done(tmp_path, words, moments(2, 6, seed=1)) > 0
    rows = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert sorted((row["variant"], row["seed"]) for row in rows) == [
        (f"model{m}", s) for m in (1, 2) for s in (0, 1)
    ]
    assert left_over(tmp_path) == []


@posix
@pytest.mark.slow
def test_crops_are_whole(tmp_path):
    (tmp_path / "in").mkdir()
    with Image.open(HOPPER) as photo:
        for n in range(12):
            photo.resize((256 + n, 300)).save(tmp_path / "in" / f"{n}.jpg")
    assert killed_until_done(tmp_path, ["faces", "crop", "in", "out"], moments(2, 3, seed=2)) > 0
    crops = sorted((tmp_path / "out").glob("*.png"))
    assert len(crops) == 12
    assert {np.asarray(Image.open(crop)).shape for crop in crops} == {(224, 224)}
    assert left_over(tmp_path) == []


def fetched_in(where: Path) -> int:
    """Files that the hub below was asked for."""
    note = where / "fetched.txt"
    return len(note.read_text().splitlines()) if note.exists() else 0


HUB = """
import sys, time
from pathlib import Path
import huggingface_hub

def snapshot_download(repository, *, repo_type, local_dir, allow_patterns):
    for name in ("train", "publicTest", "privateTest"):
        target = Path(local_dir) / f"{name}-00000-of-00001.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # as the hub's client does
            continue
        with open("fetched.txt", "a") as note:
            note.write(name + "\\n")
        data = (Path("source") / target.name).read_bytes()
        part = target.with_suffix(".incomplete")
        part.write_bytes(data[: len(data) // 2])
        time.sleep(1.5)
        part.write_bytes(data)
        part.rename(target)

huggingface_hub.snapshot_download = snapshot_download
from fercourse.cli import main
main()
"""


@posix
@pytest.mark.slow
def test_a_download_goes_on_where_it_was(tmp_path):
    (tmp_path / "source").mkdir()
    for split, file in (("train", "train"), ("val", "publicTest"), ("test", "privateTest")):
        mine = [(k, p) for s, k, p in made.rows() if s == split]
        columns = {"image": [made.png(p) for _, p in mine],
                   "label": [made.CLASSES[k] for k, _ in mine]}  # fmt: skip
        (tmp_path / "source" / f"{file}-00000-of-00001.parquet").write_bytes(made.parquet(columns))
    words = ["data", "get", "fer2013", "--to", "data"]
    for finished in (1, 2):
        process = started(tmp_path, words, HUB)
        while fetched_in(tmp_path) <= finished:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    killed_until_done(tmp_path, words, [], HUB)
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["fer2013"]
    fetched = (tmp_path / "fetched.txt").read_text().split()
    assert fetched == ["train", *3 * ["publicTest"], "privateTest"]


@posix
def test_what_a_killed_process_left_is_deleted_by_the_next(tmp_path):
    code = f"""
        import os, signal
        from pathlib import Path
        from fercourse.files import atomic_write

        with atomic_write(Path({str(tmp_path)!r}) / "a[1].txt") as part:
            part.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert len(list(tmp_path.iterdir())) == 1
    with files.atomic_write(tmp_path / "a[1].txt") as part:
        others = set(tmp_path.iterdir()) - {part}
        part.write_text("whole")
        with files.atomic_write(tmp_path / "a[1].txt") as second:  # a living one's is left alone
            assert part.exists()
            second.write_text("first")
    assert others == set()
    assert [p.name for p in tmp_path.iterdir()] == ["a[1].txt"]
    assert (tmp_path / "a[1].txt").read_text() == "whole"


WRITING = {
    "train": ["train", *TINY, "--model", "1", "--epochs", "1", "--out", "out/run"],
    "crop": ["faces", "crop", str(HOPPER), "out"],
    "predict": ["predict", str(HOPPER), "--out", "out/drawn.png"],
    "export": ["export", "--onnx", "out/m.onnx", "-w", "synthetic-model1"],
}  # fmt: skip


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "it may not be read or written by you")],
)
def test_a_full_disk_and_a_folder_that_is_closed(
    command, number, said, tmp_path, monkeypatch, capsys
):
    def refuse(path: Path, ending: str = "") -> Path:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "part_of", refuse)
    monkeypatch.setattr(sys, "argv", ["fercourse", *WRITING[command]])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    err = capsys.readouterr().err
    sentences = [line for line in err.splitlines() if line.startswith("fercourse: ")]
    assert len(sentences) == 1
    assert said in sentences[0]
    assert str(tmp_path) in sentences[0]
    assert "Traceback" not in err
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
