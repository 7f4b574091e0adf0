"""Minutes of a GPU (``benchmarks/gpu_day.sh``), rehearsed without one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import bare
import made_runs
import psutil
import pytest
import torch
from conftest import ROOT

from fercourse.cli import main
from fercourse.config import RunConfig, preset
from fercourse.experiments.job import Event, Job
from fercourse.experiments.plans import Planned
from fercourse.models.build import build
from fercourse.runs.ledger import Ledger
from fercourse.weights.trained import load_weights, save_weights

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
    assert {(row.variant, row.seed, row.run.model.width) for row in rows} == {
        *((f"model{m}", seed, 0.0625) for m in range(1, 7) for seed in (0, 1)),
        *((f"model{m}", 0, 0.125) for m in (1, 6)),
    }
    assert book.verify() == []
    assert all(len(book.history(row) or ()) == 2 for row in rows)
    with zipfile.ZipFile(out / "weights-1.zip") as archive:
        archive.extractall(tmp_path / "weights")
    assert {path.stem for path in (tmp_path / "weights").iterdir()} == {row.key for row in rows}
    # Two runs go at a time, and which is done first is chance: the row is found, not the first.
    first = next(row for row in rows if (row.variant, row.run.model.width) == ("model1", 0.0625))
    weights = tmp_path / "weights" / f"{first.key}.safetensors"
    shipped = ("--folder", tmp_path / "shipped", "--ledger", book.path)
    command("ledger", "bundle", weights, *shipped)
    assert load_weights(tmp_path / "shipped" / "synthetic-model1.safetensors").key == first.key


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


@pytest.fixture
def part(tmp_path, monkeypatch):
    """A day of 100 s that was not begun yet, and what it said so far."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import gpu_day

    for folder in ("out", "work"):
        (tmp_path / folder).mkdir()
    log = (tmp_path / "out" / "log.txt").open("w")
    made = gpu_day.Day(100, tmp_path / "out", tmp_path / "work", log)
    yield made, lambda: (tmp_path / "out" / "log.txt").read_text()
    log.close()


def test_a_step_is_broken_off_with_all_that_it_started(part, monkeypatch):
    import gpu_day

    day, said = part
    monkeypatch.setattr(gpu_day, "LEAST", 0.0)
    code = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print("child", child.pid, flush=True)
        time.sleep(60)
    """
    day.step("sleeping", 1.5, "-c", textwrap.dedent(code))
    assert "sleeping: broken off; what it had finished is kept" in said()
    assert _ends(int(re.search(r"child (\d+)", said())[1]))
    assert day.failed == []
    day.step("failing", 20, "-c", "raise SystemExit(7)")
    assert "failing: ended with status 7; the next step goes on" in said()
    day.budget = 5.0
    day.step("late", 20, "-c", "print('begun')")
    assert "late: left out, no time is left for it" in said()
    assert "begun" not in said()
    assert day.failed == ["failing"]


def test_without_pytest_or_faces_the_rest_is_done(part, monkeypatch, tmp_path):
    day, said = part
    steps = []
    monkeypatch.setattr(day, "step", lambda what, *_, **__: steps.append(what))
    with monkeypatch.context() as patched:
        patched.setattr("importlib.util.find_spec", lambda name: None)
        day.check()
    assert "tests of the GPU: left out, for pytest is missing" in said()

    monkeypatch.setenv("FERCOURSE_DATA", str(tmp_path))
    monkeypatch.setenv("DATA", "fer2013")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which a rehearsal sets
    day.prepare()
    day.measure()
    day.table1()
    assert steps == ["runs at a time", "images a second"]
    assert re.search(r"Table 1 will be left out: .*fer2013", said())
    assert "Table 1: left out, for there are no faces" in said()
    assert day.failed == ["fer2013"]


def test_missing_packages_are_brought_as_wheels_or_named(part, monkeypatch, tmp_path, capsys):
    import gpu_day

    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "before")
    monkeypatch.setattr(gpu_day, "PACKAGES", ("torch", "brought_for_a_test"))
    monkeypatch.setattr(gpu_day, "WHEELS", tmp_path / "wheels")
    with pytest.raises(SystemExit) as end:
        gpu_day.bring(tmp_path / "work")
    assert end.value.code == 2
    assert re.match(r"gpu_day: .* has no brought_for_a_test: .*wheels", capsys.readouterr().err)

    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / "brought-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("brought_for_a_test.py", "ANSWER = 42")
    monkeypatch.setenv("PYTHONPATH", "before")
    gpu_day.bring(tmp_path / "work")
    assert __import__("brought_for_a_test").ANSWER == 42
    own = os.environ["PYTHONPATH"].split(os.pathsep)
    assert own == [str(ROOT), str(tmp_path / "work" / "site"), "before"]


def test_the_schedule_fits_the_budget(part):
    from gpu_day import LONGEST, OVERHEAD, UNKNOWN, best_jobs, epochs_that_fit

    assert best_jobs({}) == 1
    assert best_jobs({1: 100.0, 2: 103.0, 4: 99.0}) == 1, "more at a time for nothing"
    assert best_jobs({1: 100.0, 2: 150.0, 4: 151.0, 8: 120.0}) == 2

    rates = {1: 30_000.0, 6: 10_000.0}
    pair = OVERHEAD * (1000 / 30_000 + 1000 / 10_000)  # seconds an epoch of 1000 faces
    all_six = pair + 4 * OVERHEAD * 1000 / 10_000
    for seconds in (1, 10, 30, 100, 10**4):
        found = epochs_that_fit(rates, 1000, seconds)
        assert found == 5 or found == LONGEST or found * 2 * pair <= seconds
        assert epochs_that_fit(rates, 1000, seconds, 0.5) <= found
    assert epochs_that_fit(rates, 1000, 70 * (pair + all_six)) == 70, "all six have their run"
    assert epochs_that_fit(rates, 1000, 40 * (pair + all_six)) > 60, "two models come first"
    assert epochs_that_fit({1: 30_000.0}, 1000, 600) == UNKNOWN, "model 6 was not measured"


def test_what_was_measured_makes_the_schedule(part, monkeypatch):
    day, _ = part
    day.faces = 1000

    def table(name: str, *rows: dict) -> None:
        (day.out / name).write_text(json.dumps({"rows": rows}))

    def step(model: int, batch: int, way: str, rate: int) -> dict:
        return {"model": model, "batch": batch, "way": way, "images_per_second": rate}

    table(
        "throughput.json",
        *(step(m, b, "eager", 10 * b) for m in (1, 6) for b in (128, 256)),
        *(step(m, b, "recorded", 1000 * m + b) for m in (1, 6) for b in (128, 256)),
        *(step(m, 128, "compiled, recorded", 10**6) for m in (1, 6)),
    )
    assert day._rates_by_model() == {1: 1128, 6: 6128}
    assert day.jobs() == 1, "nothing is known of more at a time"
    alone = day.epochs()
    assert alone == day.epochs() == int((day.work / "epochs").read_text()), "chosen once"
    (day.work / "epochs").unlink()
    rows = [{"jobs": n, "images_per_second": 100 * n} for n in (1, 2, 4)]
    table("runs_per_hour.json", *rows)
    assert day.jobs() == 2, "both models of a seed, and no more"
    assert day.epochs() == pytest.approx(2 * alone, abs=2)
    monkeypatch.setenv("EPOCHS", "33")
    monkeypatch.setenv("JOBS", "4")
    assert (day.epochs(), day.jobs()) == (33, 4)


def test_what_cannot_be_packed_is_tried_again(part, monkeypatch):
    import pack

    day, said = part
    answers = iter([OSError("no space"), "Packed 1 rows."])

    def refuse_once(*where: Path) -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(pack, "pack", refuse_once)
    with day.packing():
        day.ledger.write_text("a row")
        while "packing failed: OSError: no space" not in said():
            time.sleep(0.05)
    assert "Packed 1 rows." in said()


def test_a_log_that_grows_without_end_is_cut(part, monkeypatch, capsys):
    import gpu_day

    day, said = part
    monkeypatch.setattr(gpu_day, "LOG", 100)
    for _ in range(9):
        day.say("thirty characters and some more")
    assert 50 < len(said()) < 100
    assert capsys.readouterr().out.count("\n") == 9


def epoch(run: int, seconds: float = 1.0) -> Event:
    job = SimpleNamespace(run=SimpleNamespace(name=f"model6, seed {run}"))
    return Event(job, "epoch", {"images_per_second": 100 / seconds, "seconds": seconds})


@pytest.mark.parametrize(
    ("jobs", "events", "rate"),
    [
        (1, [(1, 0), (2, 0), (3, 0), (4, 0)], 100),  # three epochs of 100 images in three seconds
        (1, [(1, 0), (2, 0)], 100),  # broken off after one of them
        (1, [(1, 0)], None),  # and before it
        (1, [], None),
        (2, [(1, 0), (2, 1), (3, 0), (4, 1), (5, 0)], 100),  # both are at it from 2 to 4
        (2, [(1, 0), (2, 0), (3, 0)], None),  # the second never came
    ],
)
def test_runs_an_hour_count_while_all_are_at_it(jobs, events, rate, monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import runs_per_hour

    clock = [0.0]
    monkeypatch.setattr(runs_per_hour.time, "monotonic", lambda: clock[0])

    def played(*settings: object) -> Iterator[Event]:
        for clock[0], run in events:
            yield epoch(run, seconds=float(jobs))

    monkeypatch.setattr(runs_per_hour, "run_local", played)
    table = tmp_path / "table.json"
    words = f"x --no-compile --jobs {jobs} --seconds 3 --faces-of-a-run 100 --epochs-of-a-run 2"
    monkeypatch.setattr(sys, "argv", [*words.split(), "--json", str(table)])
    runs_per_hour.main()
    if rate is None:
        assert "the time was over before it could be measured" in capsys.readouterr().out
        assert not table.exists()
    else:
        (row,) = json.loads(table.read_text())["rows"]
        assert (row["jobs"], row["images_per_second"]) == (jobs, rate)
        assert row["runs_per_hour"] == 3600 * rate / 200


def test_images_a_second_keep_what_was_measured_before_a_failure(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import throughput

    table, calls = tmp_path / "table.json", []

    def played(config: RunConfig, fabric: object, ways: dict, seconds: float) -> tuple:
        calls.append((config.model.table1_row, [*ways]))
        if len(calls) == 4:
            raise KeyboardInterrupt  # the time is over
        if config.model.table1_row == 6:
            raise RuntimeError("CUDA out of memory\n and more")
        return dict.fromkeys(ways, 100.0 * len(calls)), dict.fromkeys(ways, 0.5)

    monkeypatch.setattr(throughput, "measure", played)
    monkeypatch.setattr(throughput, "best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(sys, "argv", ["x", "--models", "1", "6", "--json", str(table)])
    with pytest.raises(KeyboardInterrupt):
        throughput.main()
    plain, compiled = ["eager"], ["eager", "compiled"]
    assert calls == [(1, plain), (6, plain), (1, compiled), (6, compiled)], "compiled comes last"
    rows = json.loads(table.read_text())["rows"]
    found = [(row["model"], row["way"], row["images_per_second"]) for row in rows]
    assert found == [(1, "eager", 300), (1, "compiled", 300)], "a ratio is of one run"
    assert "model 6, batches of 128: CUDA out of memory\n" in capsys.readouterr().out


def test_on_a_gpu_it_runs_the_experiments_of_the_ledger_in_order_of_value(part, monkeypatch):
    import table1

    day, _ = part
    calls: dict[str, list[str]] = {}
    monkeypatch.setattr(day, "script", lambda what, left, name, *words: calls.update({name: words}))
    day.faces, day.loading = 28_709, SimpleNamespace(join=lambda: None)
    monkeypatch.setenv("EPOCHS", "100")
    day.measure()
    day.table1()
    assert set(calls) == {"runs_per_hour.py", "throughput.py", "table1.py"}

    monkeypatch.setattr(sys, "argv", ["table1.py", *calls["table1.py"]])
    asked = table1.arguments()
    assert 0 < asked.until - time.time() < day.left()
    runs = [run.config for run in table1.plans(asked)]
    first = [preset("course", m, seed=s) for s in (0, 1) for m in (1, 6)]
    first += [preset("course", m).change(**{"model.width": 0.5}) for m in (1, 6)]
    first += [preset("course", m) for m in (2, 3, 4, 5)]
    assert runs[:10] == [run.change(**{"train.epochs": 100}) for run in first]
    assert len(runs) == len(set(runs)) == 62
    recorded = Ledger(ROOT / "results" / "ledger.jsonl").missing(runs)
    assert runs[0] not in recorded, "a run that was done on a GPU already is known again"


def test_weights_are_packed_best_first_into_few_archives(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import pack

    room = pack.ROOM
    assert pack.grouped([room // 2, room // 2 + 1, room // 2, 9], 2) == [[0, 2], [1, 3]]
    assert pack.grouped([room + 1, 5], 3) == [[1]], "too large for any archive"
    assert pack.grouped([room, room, room], 2) == [[0], [1]], "no more archives"
    assert pack.grouped([5], -1) == []

    ledger, runs, out = tmp_path / "ledger.jsonl", tmp_path / "runs", tmp_path / "out"
    out.mkdir()
    assert pack.pack(ledger, runs, out) == "Nothing is recorded yet."
    assert list(out.iterdir()) == []
    rows = []
    for seed, accuracy in enumerate((0.3, 0.6, 0.5)):
        config = preset("smoke", 1, seed=seed, **{"model.width": 0.0625})
        job = Job(Planned(config, "table1", "model1", "smoke"))
        row = replace(made_runs.result(job)[0], val_accuracy=accuracy)
        Ledger(ledger).append(row, [{"epoch": 0, "val_accuracy": accuracy}])
        save_weights(runs / f"{row.key}-data" / "model.safetensors", build(config.model), config)
        rows.append(row)
    save_weights(runs / "other-0-data" / "model.safetensors", build(config.model), config)
    assert pack.pack(ledger, runs, out) == "Packed 3 rows, and the weights of 3 runs."
    size = next(runs.glob(f"{rows[0].key}-*/{rows[0].key}.safetensors")).stat().st_size

    monkeypatch.setattr(pack, "ROOM", int(1.5 * size))
    pack.pack(ledger, runs, out)
    assert len(list(out.glob("weights-*.zip"))) == 3
    for number in range(5):
        (out / f"{number}.txt").touch()
    told = pack.pack(ledger, runs, out)
    assert "the weights of 1 runs" in told, "eight files, one of them a place that is kept free"
    assert all(row.key in told for row in (rows[0], rows[2])), "those that stay behind are named"
    assert [path.name for path in sorted(out.glob("weights-*"))] == ["weights-1.zip"]
    with zipfile.ZipFile(out / "weights-1.zip") as archive:
        assert archive.namelist() == [f"{rows[1].key}.safetensors"], "the best"
    assert Ledger(tmp_path / "there.jsonl").merge(out / "rows.zip").added == 3


def _ends(pid):
    """Whether a process that was killed is gone in time: the signal is sent, death comes after."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False
