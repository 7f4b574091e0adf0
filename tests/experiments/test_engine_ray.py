"""The engine for several machines, on a Ray cluster of two that this file starts: kills, order,
budget. Each machine has one CPU, so one worker."""

import itertools
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path

import made_runs
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from made_runs import deadly, no_data, slow, telling
from test_runner import alive, begun_by, wait_until

from fercourse.errors import FercourseError
from fercourse.experiments import engine_ray, runner
from fercourse.experiments import job as jobs
from fercourse.experiments.engine_ray import run_ray, shares
from fercourse.experiments.job import Job
from fercourse.experiments.plans import plan
from fercourse.runs.ledger import Ledger

pytestmark = pytest.mark.slow

WORKERS_IMPORT = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])

several_machines = pytest.mark.skipif(
    os.name == "nt", reason="Ray on Windows is for one machine, and there is no kill -9"
)


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    monkeypatch.setattr(jobs, "load_once", no_data)
    monkeypatch.setattr(runner, "PATIENCE", (0.0, 0.0))


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "results" / "ledger.jsonl")


@pytest.fixture(scope="module")
def address():
    """A cluster of two machines of one CPU each, both this one."""
    folder = tempfile.mkdtemp(prefix="fc", dir="/tmp")  # a longer name is too long for its sockets
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")  # it listens to the network
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # beside other tests a nice worker would starve
        patch.setenv("PYTHONPATH", WORKERS_IMPORT)
        # Here Ray notes the address of its newest cluster, and does not make the folder for it.
        patch.setenv("RAY_TMPDIR", folder)
        Path(folder, "ray").mkdir()
        from ray.cluster_utils import Cluster

        cluster = Cluster()
        machine = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_log_monitor": False}
        try:
            cluster.add_node(
                wait=False, temp_dir=folder, include_dashboard=False, no_monitor=True, **machine
            )
            cluster.add_node(wait=False, **machine)
            yield cluster.address
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settings(tmp_path, address):
    return {
        "device": "cpu",
        "out": tmp_path / "runs",
        "progress": False,
        "engine": "ray",
        "address": address,
        "jobs": 2,
    }


@several_machines
def test_a_worker_killed_midway_costs_its_run_one_more_start(ledger, settings):
    """Meanwhile the other worker goes on, and its rows are recorded as they come."""
    first, long, *more = plan("table1", "synthetic", "smoke", 4, (1, 2))
    runs = [first, long, *(run for run in more if run.variant == "model1")]
    pids = []

    def kill():
        wait_until(lambda: ledger.path.exists() and len(ledger.rows()) == 4)
        pids.append(int((settings["out"] / "model2-0.begun").read_text()))
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    report = runner.run(runs, ledger, work=slow, **settings)
    killer.join()
    assert pids[0] != os.getpid()
    assert int((settings["out"] / "model2-0.begun").read_text()) not in (pids[0], os.getpid())
    assert report.recorded == [runs[0], *runs[2:], long]  # of seeds 0, 1, 2, 3: in order
    assert (report.left, report.failed, report.sound) == ([], {}, True)
    keys = [row.key for row in ledger.rows()]
    assert sorted(keys) == sorted(f"{run.config.hash}-{run.config.seed}" for run in runs)
    assert ledger.verify() == []
    assert ledger.history(ledger.rows()[-1]) == [{"epoch": 0, "val_accuracy": 0.6}]


@several_machines
def test_what_kills_twice_or_raises_is_listed_and_the_rest_recorded(ledger, settings):
    runs = plan("table1", "synthetic", "smoke", 1, (3, 4, 5, 6))
    report = runner.run(runs, ledger, work=deadly, **settings)
    assert [run.variant for run in report.recorded] == ["model6"]
    assert sorted(report.failed) == [f"model{m}, seed 0" for m in (3, 4, 5)]
    assert report.failed["model3, seed 0"] == "its Ray worker ended: WorkerCrashedError"
    assert report.failed["model4, seed 0"].startswith("RuntimeError: CUDA out of memory (on ")
    assert report.failed["model5, seed 0"].startswith("There are no faces. (on ")
    assert len(ledger.rows()) == 1
    assert ledger.verify() == []


@several_machines
def test_at_the_deadline_running_tasks_are_ended(tmp_path, address, monkeypatch):
    """The deadline comes when both have begun, however long their workers took to start."""
    todo = [Job(run, root=str(tmp_path)) for run in plan("table1", seeds=1, models=(2, 3))]
    now = type("Clock", (), {"monotonic": lambda: 100.0 if len(begun_by(tmp_path)) == 2 else 99.8})
    monkeypatch.setattr(engine_ray, "time", now)
    events = run_ray(lambda: todo.pop() if todo else None, 2, slow, 100.0, address=address)
    assert list(events) == []
    assert len(begun_by(tmp_path)) == 2
    wait_until(lambda: not any(alive(pid) for pid in begun_by(tmp_path)), 20)


@several_machines
def test_epochs_are_told_as_they_end_and_work_that_cannot_be_imported_is_an_error(
    tmp_path, address, monkeypatch
):
    run = plan("table1", "synthetic", "smoke", 1, (1,))[0]
    missing = type(made_runs)("only_here")
    exec("def work(job, on_epoch): pass", vars(missing))
    monkeypatch.setitem(sys.modules, "only_here", missing)
    for work, kinds in ((telling, ["epoch", "epoch", "done"]), (missing.work, ["error"])):
        todo = iter([Job(run, root=str(tmp_path))])
        events = list(run_ray(lambda todo=todo: next(todo, None), 2, work, address=address))
        assert [event.kind for event in events] == kinds
        assert {event.job.run for event in events} == {run}
    assert "No module named 'only_here'" in events[-1].value


# Without a cluster.


@pytest.fixture
def nobody():
    """An address where nothing answers: a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_an_address_where_nothing_answers_is_named(ledger, tmp_path, nobody):
    runs = plan("table1", "synthetic", "smoke", 1, (1,))
    settings = {"device": "cpu", "out": tmp_path / "runs", "progress": False}
    with pytest.raises(FercourseError, match=f"No Ray cluster answers at '{nobody}'"):
        runner.run(runs, ledger, engine="ray", address=nobody, **settings)
    with pytest.raises(FercourseError, match="takes host:port or auto, not 'nowhere'"):
        runner.run(runs, ledger, engine="ray", address="nowhere", **settings)
    with pytest.raises(FercourseError, match="no engine 'slurm'"):
        runner.run(runs, ledger, engine="slurm", **settings)
    with pytest.raises(FercourseError, match="needs --engine ray"):
        runner.run(runs, ledger, address=nobody, **settings)
    assert not ledger.path.exists()


def test_the_command_says_so_in_a_sentence(tmp_path, nobody, monkeypatch, capsys):
    from fercourse.cli import main

    monkeypatch.chdir(tmp_path)
    words = ["run", "table1", "--data", "synthetic", "--preset", "smoke", "--seeds", "1"]
    monkeypatch.setattr(sys, "argv", ["fercourse", *words, "--engine", "ray", "--address", nobody])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code not in (0, None)
    assert "No Ray cluster answers" in said
    assert "Traceback" not in said


def test_without_ray_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(FercourseError, match=r"fercourse\[ray\]"):
        next(run_ray(lambda: None, 1, telling))


@pytest.mark.parametrize(
    ("nodes", "workers", "device", "expected"),
    [
        ([{"CPU": 8}], 2, "auto", (2, 4, 0.0)),
        ([{"CPU": 4}, {"CPU": 12}], 2, "cpu", (2, 6, 0.0)),  # both on the second
        ([{"CPU": 4}, {"CPU": 12}], 4, "cpu", (4, 4, 0.0)),
        ([{"CPU": 2}, {"CPU": 2}], 9, "auto", (4, 1, 0.0)),
        ([{"CPU": 16, "GPU": 1}, {"CPU": 64}], 4, "auto", (4, 4, 0.25)),
        ([{"CPU": 16, "GPU": 1}, {"CPU": 16, "GPU": 2}], 2, "cuda", (2, 16, 1.0)),
        ([{"CPU": 16, "GPU": 1}], 4, "cpu", (4, 4, 0.0)),
    ],
)
def test_runs_share_the_cluster_equally(nodes, workers, device, expected):
    assert shares(nodes, workers, device) == expected


machines = st.lists(
    st.fixed_dictionaries({"CPU": st.integers(1, 12)}, optional={"GPU": st.integers(0, 3)}),
    min_size=1,
    max_size=3,
)


@given(machines, st.integers(1, 7), st.sampled_from(["auto", "cpu"]))
def test_that_many_runs_really_fit(nodes, wished, device):
    """Placed one by one, each on the first machine and GPU that has room."""
    workers, cpus, gpu = shares(nodes, wished, device)
    free = [[node["CPU"], [1.0] * node.get("GPU", 0)] for node in nodes]
    for _ in range(workers):
        for machine, card in itertools.product(free, range(3)):
            cards = machine[1]
            if machine[0] >= cpus and (not gpu or (card < len(cards) and cards[card] >= gpu)):
                machine[0] -= cpus
                if gpu:
                    cards[card] -= gpu
                break
        else:
            raise AssertionError("no room")
    assert 1 <= workers <= wished


@pytest.mark.parametrize(
    ("nodes", "device", "sentence"),
    [([{"CPU": 8}], "cuda", "has no GPU"), ([{"GPU": 1}], "auto", "has a CPU"), ([], "cpu", "CPU")],
)
def test_a_cluster_that_cannot_hold_a_run_is_named(nodes, device, sentence):
    with pytest.raises(FercourseError, match=sentence):
        shares(nodes, 1, device)


def test_what_is_on_the_ledger_of_any_device_is_taken_for_auto():
    assert runner.device_kind("auto", "ray") is None
    assert runner.device_kind("cuda", "ray") == "cuda"  # not here, but perhaps there
