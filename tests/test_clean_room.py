"""The room that ``make test`` runs in: what a process there sees, and what the command answers."""

import subprocess
import sys
from pathlib import Path

import clean_room
import pytest


def test_nothing_of_home_settings_or_data_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "my.jsonl"))
    monkeypatch.setenv("XDG_DATA_DIRS", "/usr/share")
    variables = clean_room.environment(tmp_path)
    assert not variables.keys() & {"FERCOURSE_LEDGER", "XDG_DATA_DIRS"}
    code = (
        "import tempfile; from pathlib import Path; from fercourse.datasets import cache, load\n"
        "print(Path.home(), tempfile.gettempdir(), cache.cache_folder(), *load.folders(), sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    seen = [Path(place) for place in done.stdout.strip().split("|")]
    assert seen == [tmp_path / name for name in ("home", "tmp", "decoded", "data")]
    assert [list(folder.iterdir()) for folder in seen] == [[]] * 4


@pytest.mark.parametrize(
    ("arguments", "statuses", "answer"),
    [
        ([], [0, 0], 0),
        ([], [1], 1),  # what failed is not run again
        ([], [2], 2),  # Ctrl-C
        ([], [0, 1], 1),
        ([], [0, 5], 5),  # no test is marked numeric any more
        (["tests/datasets/test_readers.py"], [0, 5], 0),
    ],
)
def test_the_status_is_pytests_and_the_room_is_removed(arguments, statuses, answer, monkeypatch):
    calls = []

    def run(command, cwd, env):
        assert Path(env["HOME"]).is_dir()
        calls.append((command[5:], env))
        return subprocess.CompletedProcess(command, statuses[len(calls) - 1])

    monkeypatch.setattr(clean_room.subprocess, "run", run)
    monkeypatch.setattr(clean_room.signal, "signal", lambda *_: None)
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    assert clean_room.main(arguments) == answer
    assert len(calls) == len(statuses)
    assert calls[0][0] == arguments
    kernels = [env.get("ATEN_CPU_CAPABILITY") for _, env in calls]
    assert kernels == [None, "default"][: len(calls)]
    assert not any(Path(env["HOME"]).parent.exists() for _, env in calls)
