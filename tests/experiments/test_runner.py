"""The runner: order, budget, kills of workers and of the parent, a full disk, and a dry run."""

import errno
import functools
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import made_runs
import pytest
from conftest import ROOT
from made_runs import FINGERPRINT, deadly, no_data, quick, result

from fercourse.errors import FercourseError
from fercourse.experiments import job as jobs
from fercourse.experiments import runner
from fercourse.experiments.durations import Durations
from fercourse.experiments.engine_local import attempt, run_local
from fercourse.experiments.job import Event, Job
from fercourse.experiments.plans import plan
from fercourse.runs import ledger as ledger_module
from fercourse.runs.ledger import Ledger

HERE = ROOT / "tests"


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    monkeypatch.setattr(jobs, "load_once", no_data)
    monkeypatch.setattr(runner, "PATIENCE", (0.0, 0.0))


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "results" / "ledger.jsonl")


@pytest.fixture
def settings(tmp_path):
    return {"device": "cpu", "out": tmp_path / "runs", "progress": False}


class Clock:
    """Time that passes only when a run takes it."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(runner.time, "monotonic", lambda: self.now)


def inline(seconds, clock, begun):
    """An engine without processes: each run takes ``seconds`` of the clock, or of its variant."""

    def engine(next_job, workers, work, deadline=None):
        while job := next_job():
            begun.append(job.run.name)
            took = seconds[job.run.variant] if isinstance(seconds, dict) else seconds
            if deadline is not None and clock.now + took > deadline:
                clock.now = deadline
                return
            clock.now += took
            yield Event(job, *attempt(work, job, None), took)

    return engine


@pytest.fixture
def course(monkeypatch):
    """Engine, clock and the names of the runs begun, for tests that need no process."""

    def make(seconds):
        clock, begun = Clock(monkeypatch), []
        monkeypatch.setattr(runner, "run_local", inline(seconds, clock, begun))
        return clock, begun

    return make


def three(seeds=2):
    return plan("table1", "synthetic", "smoke", seeds, (1, 2, 3))


def test_what_is_missing_is_what_runs_in_order(ledger, settings, course):
    _, begun = course(1.0)
    runs = three()
    for at in (1, 3):
        ledger.append(result(Job(runs[at]))[0])
    report = runner.run(runs, ledger, work=quick, **settings)
    assert begun == [runs[i].name for i in (0, 2, 4, 5)]
    assert report.recorded == [runs[i] for i in (0, 2, 4, 5)]
    assert (report.left, report.failed, report.sound) == ([], {}, True)
    assert len(ledger.rows()) == 6
    assert ledger.verify() == []
    assert ledger.history(ledger.rows()[-1]) == [{"epoch": 0, "val_accuracy": 0.6}]
    assert runner.run(runs, ledger, work=quick, **settings).recorded == []


def test_what_another_process_records_meanwhile_is_not_done_again(ledger, settings, course):
    _, begun = course(1.0)
    runs = three(1)

    def work(job, on_epoch=None):
        if job.run == runs[0]:  # the other process is quicker by this and by the next
            for run in runs[:2]:
                ledger.append(result(Job(run))[0])
        return quick(job, on_epoch)

    report = runner.run(runs, ledger, work=work, **settings)
    assert begun == [runs[0].name, runs[2].name]
    assert (report.recorded, report.elsewhere) == ([runs[2]], runs[:2])
    assert (report.left, report.sound) == ([], True)
    assert len(ledger.rows()) == 3


def test_rows_of_other_data_do_not_count(ledger, settings, course, monkeypatch):
    course(1.0)
    runs = three(1)
    runner.run(runs, ledger, work=quick, **settings)
    assert runner.missing(runs, ledger) == []
    other = type("Data", (), {"fingerprint": "0" * 16})
    monkeypatch.setattr(jobs, "load_once", lambda config, source: other)
    assert runner.missing(runs, ledger) == runs


def test_nothing_is_started_that_cannot_finish(ledger, settings, course):
    clock, begun = course(100.0)
    report = runner.run(three(), ledger, budget_seconds=350, work=quick, **settings)
    assert len(begun) == len(report.recorded) == 3  # a fourth would end at 400
    assert clock.now == 1300
    assert len(report.left) == 3
    assert report.sound


def test_the_order_holds_when_time_is_short(ledger, settings, course):
    """A quick run further down is not preferred: variants would get unlike numbers of seeds."""
    _, begun = course({"model1": 10.0, "model2": 10.0, "model3": 100.0})
    runner.run(three(), ledger, budget_seconds=225, work=quick, **settings)
    assert [name.split(",")[0] for name in begun] == [
        "model1",
        "model2",
        "model3",
        "model1",
        "model2",
    ]


def test_a_run_longer_than_every_budget_is_begun_all_the_same(ledger, settings, course):
    """Else it would never be: so it is, takes the budget, and goes on in the next one."""
    runs = plan("table1", "synthetic", "smoke", 2, (1,))
    _, begun = course(100.0)
    runner.run(runs[:1], ledger, work=quick, **settings)
    row = ledger.rows()[0]
    ledger.path.write_text(ledger.path.read_text().replace('"seconds": 0.1', '"seconds": 100.0'))
    assert ledger.rows()[0].seconds == 1000 * row.seconds
    report = runner.run(runs, ledger, budget_seconds=50, work=quick, **settings)
    assert begun == [run.name for run in runs]
    assert report.left == runs[1:]


def test_a_run_begun_before_is_gone_on_with_even_if_a_whole_one_would_not_fit(
    ledger, settings, course, tmp_path
):
    runs = plan("table1", "synthetic", "smoke", 3, (1,))
    _, begun = course(100.0)
    config = runs[1].config
    folder = tmp_path / "runs" / f"{config.hash}-{config.seed}-{FINGERPRINT[:8]}"
    runner.run(runs, ledger, budget_seconds=150, work=quick, **settings)
    assert begun == [runs[0].name]
    folder.mkdir(parents=True)
    (folder / "state.pt").touch()
    begun.clear()
    runner.run(runs[1:], ledger, budget_seconds=150, work=quick, **settings)
    assert begun == [runs[1].name]
    assert not (folder / "state.pt").exists()  # recorded: nothing to resume


def test_estimates_come_from_here_before_the_ledger_and_from_the_same_kind_of_device():
    runs = plan("table1", "synthetic", "smoke", 2, (1, 6))
    rows = [result(Job(run))[0] for run in runs[:2]]
    assert Durations(rows, "cuda").expect(runs[0].config) is None
    durations = Durations(rows, "cpu")
    assert durations.expect(runs[2].config) == pytest.approx(0.115)  # the row's 0.1 s and more
    durations.add(runs[0].config, 3.0)
    durations.add(runs[2].config, 5.0)
    assert durations.expect(runs[0].config) == pytest.approx(4.0)
    assert durations.total(runs, jobs=2) == (pytest.approx((4 + 4 + 4 + 4) / 2), 0)
    longer = runs[0].config.change(**{"train.epochs": 3 * runs[0].config.train.epochs})
    assert durations.expect(longer) == pytest.approx(12.0)
    wide = replace(rows[0], device="cpu x 4")
    assert Durations([wide], "cpu", threads=2).expect(runs[0].config) == pytest.approx(0.23)
    assert Durations([wide], "cpu", threads=8).expect(runs[0].config) == pytest.approx(0.115)
    wider = runs[0].config.change(**{"model.width": 2 * runs[0].config.model.width})
    assert durations.expect(wider) is None


def test_a_full_disk_loses_no_row(ledger, settings, course, monkeypatch):
    _, begun = course(1.0)
    room = [False]
    write = ledger_module.extend_lines

    def fails(path, row):
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, row)

    monkeypatch.setattr(ledger_module, "extend_lines", fails)
    runs = three(1)
    report = runner.run(runs, ledger, work=quick, **settings)
    assert begun == [runs[0].name]  # nothing more is begun that could not be recorded
    assert report.unrecorded == [runs[0].name]
    assert "No space left" in report.trouble
    assert not report.sound
    assert report.left == runs

    begun.clear()
    monkeypatch.setattr(runner.time, "sleep", lambda seconds: room.__setitem__(0, True))
    report = runner.run(runs, ledger, work=quick, **settings)  # somebody makes room meanwhile
    assert begun == [run.name for run in runs]
    assert (len(report.recorded), report.sound, report.trouble) == (3, True, "")
    assert len(ledger.rows()) == 3


def test_bad_settings_are_named(ledger, settings):
    with pytest.raises(FercourseError, match="jobs must be"):
        runner.run(three(), ledger, jobs=0, **settings)
    assert not ledger.path.exists()


def test_nothing_is_begun_that_could_not_be_kept(tmp_path, ledger, settings, course):
    """A mistyped path would cost a run of hours before it is found out."""
    _, begun = course(1.0)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        runner.run(three(), Ledger(tmp_path / "file" / "ledger.jsonl"), work=quick, **settings)
    with pytest.raises(FercourseError, match="is a folder"):
        runner.run(three(), Ledger(tmp_path), work=quick, **settings)
    with pytest.raises(OSError, match="file"):
        runner.run(three(), ledger, work=quick, **settings | {"out": tmp_path / "file" / "runs"})
    assert begun == []


# From here on with real processes.


def test_killed_workers_cost_their_own_runs_one_more_start(ledger, settings):
    runs = plan("table1", "synthetic", "smoke", 1)
    report = runner.run(runs, ledger, jobs=2, work=deadly, **settings)
    assert {run.variant for run in report.recorded} == {"model1", "model2", "model6"}
    assert sorted(report.failed) == [f"model{m}, seed 0" for m in (3, 4, 5)]
    assert "ended with" in report.failed["model3, seed 0"]
    assert report.failed["model4, seed 0"] == "RuntimeError: CUDA out of memory"
    assert report.failed["model5, seed 0"] == "There are no faces."
    assert [run.variant for run in report.left] == ["model3", "model4", "model5"]
    assert not report.sound
    assert len(ledger.rows()) == 3
    assert ledger.verify() == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal masks")
def test_ctrl_c_is_the_parents_affair_from_a_workers_first_moment(tmp_path):
    """It reaches the whole group of processes, also one that is still importing torch."""
    todo = [Job(three(1)[0], root=str(tmp_path))]
    (event,) = run_local(lambda: todo.pop() if todo else None, 1, made_runs.ears)
    assert event.value == "True, RLock"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_several_gpus_are_shared_out_and_an_error_costs_its_process(tmp_path):
    """A lost CUDA context, or memory still taken, must not fail the runs after it."""
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    todo = [Job(run, root=str(tmp_path)) for run in three(2)[::-1]]  # models 1, 2, 3 twice
    events = list(run_local(lambda: todo.pop() if todo else None, 2, made_runs.sight, gpus="47"))
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before
    seen = [event.value.removeprefix("RuntimeError: ").split(", ") for event in events]
    assert {gpu for gpu, _ in seen} == {"4", "7"}
    lost = [pid for event, (_, pid) in zip(events, seen, strict=True) if event.kind == "error"]
    assert len(events) == 6
    assert len(set(lost)) == 2
    for pid in lost:
        (last,) = [
            k for k, event in enumerate(events) if event.kind == "error" and seen[k][1] == pid
        ]
        assert pid not in [other for _, other in seen[last + 1 :]]


def test_at_the_deadline_busy_workers_are_ended(tmp_path):
    todo = [Job(run, root=str(tmp_path)) for run in three(1)[1:]]
    start = time.monotonic()
    events = list(run_local(lambda: todo.pop() if todo else None, 2, made_runs.slow, start + 1.5))
    assert events == []
    assert time.monotonic() - start < 20
    wait_until(lambda: not any(alive(pid) for pid in begun_by(tmp_path)))


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")
def test_a_killed_parent_takes_its_workers_along_and_loses_nothing(ledger, settings):
    out = Path(settings["out"])
    command = [sys.executable, str(HERE / "made_runs.py"), str(ledger.path), str(out)]
    parent = subprocess.Popen(command, cwd=HERE)
    try:
        # Model 1 is recorded, and models 2 and 3 are at it in two workers.
        wait_until(lambda: len(begun_by(out)) == 3 and ledger.path.exists() and ledger.rows())
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not any(alive(pid) for pid in begun_by(out)))
    assert [row.variant for row in ledger.rows()] == ["model1"]
    subprocess.run(command, cwd=HERE, check=True, timeout=120)
    # Two workers end when they end: model 1 is first, the order of the others is free.
    assert sorted(row.variant for row in ledger.rows()) == ["model1", "model2", "model3"]
    assert ledger.verify() == []


def begun_by(out):
    """Ids of the processes that slow runs were begun in."""
    texts = [path.read_text() for path in Path(out).glob("*.begun")]
    return [int(text) for text in texts if text]


def alive(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(holds, seconds=90):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


# The job itself, on a training of a second.


@pytest.fixture
def tiny_job(tmp_path, monkeypatch):
    from made_faces import bar_dataset

    monkeypatch.setattr(jobs, "load_once", lambda config, source: bar_dataset(64))
    changes = {"train.epochs": 1, "model.width": 0.0625, "data.size": 32}
    run = plan("table1", "synthetic", "smoke", 1, (1,), changes=changes)[0]
    return Job(run, root=str(tmp_path / "runs"), device="cpu")


def test_a_finished_row_waits_in_its_folder_until_it_is_recorded(tiny_job, monkeypatch):
    epochs = []
    row, history = jobs.work(tiny_job, epochs.append)
    assert (row.plan, row.variant, row.label) == ("table1", "model1", "smoke")
    assert [e["epoch"] for e in history] == [e["epoch"] for e in epochs] == [0]
    folder = jobs.run_folder(tiny_job, row.fingerprint)
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "row.json"} <= names
    assert "state.pt" not in names

    monkeypatch.setattr("fercourse.experiments.train_and_judge.measure", None)  # no second training
    assert jobs.work(tiny_job)[0] == row
    jobs.forget(tiny_job, row.fingerprint)
    assert not (folder / "row.json").exists()
    assert (folder / "model.safetensors").exists()


def test_a_row_of_other_code_is_measured_again(tiny_job, monkeypatch):
    jobs.work(tiny_job)
    monkeypatch.setattr(jobs, "commit", lambda: {"revision": "another", "dirty": False})
    measured = []
    measure = "fercourse.experiments.train_and_judge.measure"
    monkeypatch.setattr(measure, lambda *args, **kwargs: measured.append(1) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        jobs.work(tiny_job)
    assert measured == [1]


def test_two_processes_do_not_do_one_run(tiny_job):
    from filelock import FileLock

    folder = jobs.run_folder(tiny_job, "f" * 64)
    folder.mkdir(parents=True)
    with FileLock(folder / "lock"), pytest.raises(FercourseError, match="busy with this run"):
        jobs.work(tiny_job)


# The command.


@pytest.fixture
def command(tmp_path, monkeypatch):
    import typer
    from typer.testing import CliRunner

    from fercourse import cli

    app = typer.Typer()
    app.command()(cli.run)
    app.command()(cli.cost)
    monkeypatch.chdir(tmp_path)

    fixed = ["run", "table1", "--data", "synthetic", "--preset", "smoke", "--device", "cpu"]
    fixed += ["--ledger", "ledger.jsonl"]

    def call(*words):
        return CliRunner().invoke(app, [*fixed, *words])

    return call


def test_a_dry_run_changes_nothing(command, tmp_path):
    runs = plan("table1", "synthetic", "smoke", 2, (1, 6))
    Ledger("ledger.jsonl").append(result(Job(runs[0]))[0])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    answer = command("--seeds", "2", "--models", "1,6", "--dry-run")
    assert answer.exit_code == 0, answer.output
    assert "1 of 4 runs are done" in answer.output
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_no_more_runs_at_a_time_than_cores(command, monkeypatch):
    monkeypatch.setattr(runner, "cores", lambda: 3)
    assert "--jobs 3." in command("--seeds", "1", "--jobs", "64", "--dry-run").output
    assert "--jobs" not in command("--seeds", "1", "--jobs", "3", "--dry-run").output


def test_the_command_reports_what_it_did(command, course, monkeypatch):
    course(1.0)
    monkeypatch.setattr(runner, "run", functools.partial(runner.run, work=quick))
    answer = command("--seeds", "1", "--budget", "25m")
    assert answer.exit_code == 0, answer.output
    assert "6 runs recorded in ledger.jsonl" in answer.output
    assert "6 of 6 are done" in answer.output
    assert "All 6 runs are done." in command("--seeds", "1", "--dry-run").output


def test_the_command_says_what_failed(command, monkeypatch, tmp_path):
    failed = {f"model{m}, seed 0": "There are no faces." for m in range(1, 8)}
    report = runner.Report(left=plan("table1", seeds=1), failed=failed)
    monkeypatch.setattr(runner, "run", lambda *args, **kwargs: report)
    answer = command("--seeds", "1")
    assert answer.exit_code == 1
    assert "model1, seed 0 failed: There are no faces." in answer.output
    assert "2 more failed" in answer.output
    assert "The same command goes on." in answer.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--budget", "soon"], "--budget takes a time"), (["--models", "1;6"], "--models takes")],
)
def test_bad_options_are_named(command, words, sentence):
    answer = command(*words)
    assert isinstance(answer.exception, FercourseError)
    assert sentence in str(answer.exception)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("25m", 1500), ("1.5h", 5400), (None, None)]
)
def test_budgets_are_times(text, seconds):
    from fercourse.cli.run import _seconds

    assert _seconds(text) == seconds
