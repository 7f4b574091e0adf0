"""The ledger: nothing lost, nothing twice, nothing that contradicts itself."""

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import made_history, made_row
from typer.testing import CliRunner

from fercourse.cli.ledger import app
from fercourse.config import preset
from fercourse.errors import FercourseError
from fercourse.runs import paper
from fercourse.runs.ledger import Ledger
from fercourse.runs.measured import commit, versions
from fercourse.runs.row import Row
from fercourse.settings import ledger_path


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "results" / "ledger.jsonl")


def test_a_row_comes_back_as_written(ledger: Ledger) -> None:
    row, history = made_row(), made_history(epochs=16)
    assert ledger.append(row, history)
    assert ledger.rows() == [row]
    back = ledger.history(row)
    assert [epoch["epoch"] for epoch in back] == list(range(1, 17))
    for kept, given_epoch in zip(back, history, strict=True):
        assert kept.keys() == given_epoch.keys()
        for name, value in given_epoch.items():
            assert kept[name] == pytest.approx(value, rel=1e-5)
    assert ledger.verify() == []


def test_a_row_knows_its_run() -> None:
    row = made_row(model=3, seed=4, accuracy=0.7)
    config = preset("cpu", 3, seed=4)
    assert row.run == config
    assert (row.key, row.hash, row.seed) == (f"{config.hash}-4", config.hash, 4)
    counts = np.array(row.confusion)
    assert row.test_accuracy == pytest.approx(np.trace(counts) / counts.sum())
    assert row.recall == pytest.approx(list(np.diag(counts) / counts.sum(axis=1)))
    assert row.versions == versions()
    assert row.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert row.commit == commit()
    assert row.value("loss.weight") == 0.005
    assert row.value("variant") == "model3"


def test_a_class_without_test_images_has_no_recall(ledger: Ledger) -> None:
    row = made_row(confusion=[[2, 1, 0], [0, 0, 0], [1, 0, 5]])
    assert row.recall == [pytest.approx(2 / 3), None, pytest.approx(5 / 6)]
    ledger.append(row)
    assert ledger.rows() == [row]
    assert ledger.verify() == []


def test_the_same_run_on_the_same_data_is_there_once(ledger: Ledger) -> None:
    assert ledger.append(made_row())
    assert not ledger.append(replace(made_row(), note="again"))
    assert ledger.append(made_row(fingerprint="0" * 16)), "another copy of the data is another run"
    assert len(ledger.rows()) == 2


def test_filters(ledger: Ledger) -> None:
    for model in (1, 6):
        for seed in (0, 1):
            ledger.append(made_row(model=model, seed=seed))
    ledger.append(made_row(plan="fig6a", **{"loss.weight": 0.01}))
    assert len(ledger.rows(variant="model1")) == 2
    assert len(ledger.rows(variant=["model1", "model6"], seed=0)) == 3
    assert len(ledger.rows(**{"loss.weight": 0.01})) == 1
    plan = [preset("cpu", 6, seed=s) for s in range(3)]
    assert [row.run for row in ledger.rows(configs=plan)] == plan[:2]
    with pytest.raises(FercourseError, match="no field 'colour'"):
        ledger.rows(colour="red")
    with pytest.raises(FercourseError, match=r"no field 'loss\.lambda'"):
        ledger.rows(**{"loss.lambda": 1})


def test_missing_keeps_the_plans_order(ledger: Ledger) -> None:
    plan = [preset("cpu", model, seed=seed) for seed in (0, 1) for model in (1, 6)]
    assert ledger.missing(plan) == plan
    ledger.append(made_row(model=6, seed=0))
    assert ledger.missing(plan) == [plan[0], plan[2], plan[3]]
    assert ledger.missing(plan, fingerprint="f" * 16) == [plan[0], plan[2], plan[3]]
    assert ledger.missing(plan, fingerprint="0" * 16) == plan, "measured on other data"


def test_missing_survives_a_field_added_to_the_config_later(ledger: Ledger) -> None:
    row = made_row()
    ledger.append(row)
    older = json.loads(ledger.path.read_text())
    del older["config"]["train"]["clip"]  # as if written before ``clip`` existed
    ledger.path.write_text(json.dumps(older) + "\n")
    assert ledger.missing([row.run]) == []
    assert ledger.rows(**{"train.clip": 0.0}) == ledger.rows(), "it was as its default is"


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_torn_line_costs_only_itself(tmp_path_factory, data) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("torn") / "ledger.jsonl")
    first, second, third = (made_row(seed=s) for s in range(3))
    ledger.append(first)
    whole = ledger.path.stat().st_size
    ledger.append(second)
    full = ledger.path.read_bytes()
    cut = data.draw(st.integers(whole + 1, len(full) - 1))
    ledger.path.write_bytes(full[:cut])  # a kill in the middle of the write
    complete = cut == len(full) - 1  # only the line end is missing
    if complete:
        assert ledger.rows() == [first, second]
    else:
        with pytest.warns(UserWarning, match="line 2: torn"):
            assert ledger.rows() == [first]
        assert "line 2: torn" in ledger.verify()[0]
    with pytest.warns(UserWarning, match="torn") if not complete else nullcontext():
        ledger.append(third)
    assert ledger.rows() == ([first, second, third] if complete else [first, third])
    assert ledger.append(second) is not complete
    assert ledger.verify() == []


@pytest.mark.parametrize("written", [0, 100])
def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: Ledger, monkeypatch, written) -> None:
    ledger.append(made_row(seed=0))
    before = ledger.path.read_bytes()
    real = Path.write_bytes

    def full_disk(path: Path, content: bytes) -> int:
        real(path, content[:written])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(FercourseError, match=r"(?i)no space left .* make room"):
        ledger.append(made_row(seed=1))
    monkeypatch.undo()
    assert ledger.path.read_bytes() == before
    assert ledger.append(made_row(seed=1))


WORKER = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row

where, worker = pathlib.Path(sys.argv[2]), int(sys.argv[3])
base = Row.from_dict(json.loads((where / "row.json").read_text()))
ledger = Ledger(where / "results" / "ledger.jsonl")
history = [{"epoch": e, "lr": 0.1} for e in range(1, 17)]
with open(where / f"done{worker}", "a") as done:
    for i in range(int(sys.argv[4])):
        seed = 1000 * worker + i
        row = replace(base, seed=seed, key=f"{base.hash}-{seed}",
                      config=base.config | {"seed": seed})
        ledger.append(row, history)
        done.write(f"{seed}\\n"); done.flush()  # told only after append returned
"""


def _start(where: Path, worker: int, count: int) -> subprocess.Popen:
    here = str(ROOT)
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, here, str(where), str(worker), str(count)]
    )


def _told(where: Path) -> list[int]:
    return [int(line) for path in where.glob("done*") for line in path.read_text().split()]


def test_processes_append_together_and_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "row.json").write_text(json.dumps(made_row().to_dict()))
    workers = [_start(tmp_path, worker, 25) for worker in range(4)]
    assert [worker.wait(timeout=200) for worker in workers] == [0] * 4
    ledger = Ledger(tmp_path / "results" / "ledger.jsonl")
    assert sorted(row.seed for row in ledger.rows()) == sorted(_told(tmp_path))
    assert len(ledger.rows()) == 100
    assert ledger.verify() == []


@pytest.mark.slow
def test_killed_processes_lose_no_row_they_were_told_is_written(tmp_path: Path) -> None:
    (tmp_path / "row.json").write_text(json.dumps(made_row().to_dict()))
    survivor = _start(tmp_path, 0, 60)
    chance = random.Random(0)
    killed = [_start(tmp_path, worker, 100_000) for worker in range(1, 4)]
    for worker, process in enumerate(killed, start=1):
        done = tmp_path / f"done{worker}"
        started = time.monotonic()
        while not done.is_file() or not done.read_text():  # it must be at work
            assert time.monotonic() - started < 120
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.1))
        process.kill() if os.name == "nt" else process.send_signal(signal.SIGKILL)
        process.wait()
    assert survivor.wait(timeout=200) == 0, "a killed process must not keep the lock"
    ledger = Ledger(tmp_path / "results" / "ledger.jsonl")
    ledger.append(made_row(seed=999_999))
    seeds = [row.seed for row in ledger.rows()]
    assert len(seeds) == len(set(seeds))
    assert set(_told(tmp_path)) <= set(seeds)
    assert ledger.verify() == []


def test_merge_twice_is_merge_once(tmp_path: Path) -> None:
    ours, theirs = Ledger(tmp_path / "a" / "x.jsonl"), Ledger(tmp_path / "b" / "y.jsonl")
    ours.append(made_row(seed=0))
    theirs.append(made_row(seed=0, accuracy=0.6))  # the same run, other numbers
    theirs.append(made_row(seed=1), made_history())
    merged = ours.merge(theirs.path)
    assert merged == (1, 1, (made_row(seed=0).key,))
    assert ours.rows()[0].test_accuracy == pytest.approx(0.7, abs=1e-3)
    assert len(ours.history(ours.rows()[1])) == 16
    assert ours.merge(theirs.path).added == 0
    assert len(ours.rows()) == 2
    with pytest.raises(FercourseError, match="no ledger at"):
        ours.merge(tmp_path / "nowhere.jsonl")


def test_merge_takes_a_zip_of_a_ledger(tmp_path: Path) -> None:
    ours, theirs = Ledger(tmp_path / "ours" / "l.jsonl"), Ledger(tmp_path / "far" / "ledger.jsonl")
    theirs.append(made_row(seed=3), [{"epoch": 3, "val_accuracy": 0.5}])
    packed = shutil.make_archive(str(tmp_path / "rows"), "zip", tmp_path / "far")
    assert ours.merge(packed).added == 1
    assert ours.history(ours.rows()[0]) == [{"epoch": 3, "val_accuracy": 0.5}]
    with pytest.raises(FercourseError, match=r"rows.zip holds 0 files"):
        ours.merge(shutil.make_archive(str(tmp_path / "none" / "rows"), "zip", tmp_path / "ours"))


def test_merge_takes_nothing_of_a_damaged_file(ledger: Ledger, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(made_row().to_dict()) + "\n{half\n")
    with pytest.raises(FercourseError, match=r"other\.jsonl, line 2: this is not JSON\. Correct"):
        ledger.merge(other)
    assert ledger.rows() == []
    wrong = made_row(seed=1).to_dict() | {"test_accuracy": 0.99}
    other.write_text(json.dumps(made_row().to_dict()) + "\n" + json.dumps(wrong) + "\n")
    with pytest.raises(FercourseError, match=r"other\.jsonl: .* contradicts itself .* nothing was"):
        ledger.merge(other)
    assert ledger.rows() == []


def test_only_a_full_disk_is_answered_by_making_room(tmp_path: Path) -> None:
    with pytest.raises(FercourseError, match=r"\(.*\); the rows before it are safe: mend that"):
        Ledger(tmp_path).append(made_row())  # a folder


def _spoiled(name: str, value: object) -> dict:
    row = made_row().to_dict()
    *path, last = name.split(".")
    target = row
    for part in path:
        target = target[part]
    target[last] = value
    return row


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("hash", "0" * 12, "is not its config's"),
        ("config.loss.weight", 0.01, "is not its config's"),
        ("config.loss.lambda", 0.01, "unknown field 'lambda'"),
        ("key", "x-0", "is not its hash and seed"),
        ("seed", 1, "seed 1 is not"),
        ("dataset", "ckplus", "dataset 'ckplus'"),
        ("test_accuracy", 0.71, "not the confusion matrix's"),
        ("test_accuracy", 71.0, "not a fraction"),
        ("recall", [0.5] * 7, "recall is not"),
        ("recall", [0.5] * 3, "recall is not"),
        ("confusion", [[1, 2], [3]], "K x K"),
        ("splits", {"test": 10}, "the test split has 10"),
        ("label", "best", "label 'best'"),
        ("best_epoch", 99, "best_epoch 99"),
        ("best_epoch", "9", "field 'best_epoch' cannot be"),
        ("created", "yesterday", "created 'yesterday'"),
        ("created", "2026-01-01T00:00:00+02:00", "is not a UTC time"),
        ("colour", "red", "unknown field 'colour'"),
        ("schema", 2, "schema 2 is not 1"),
        ("stability", 0.01, "unknown field 'stability'"),
        ("seconds", True, "field 'seconds' cannot be"),
        ("splits", {"test": "many"}, "field 'splits' cannot be"),
    ],
)
def test_verify_finds_what_was_tampered_with(ledger: Ledger, name, value, told) -> None:
    ledger.append(made_row(seed=5))
    with ledger.path.open("a") as file:
        file.write(json.dumps(_spoiled(name, value)) + "\n")
    problems = ledger.verify()
    assert problems
    assert all("line 2" in problem for problem in problems)
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize("name", ["config", "splits", "confusion", "commit", "plan", "created"])
def test_verify_misses_a_field(ledger: Ledger, name: str) -> None:
    row = made_row().to_dict()
    row.pop(name, None)
    ledger.path.parent.mkdir(parents=True)
    ledger.path.write_text(json.dumps(row) + "\n")
    problems = ledger.verify()
    if name == "commit":  # outside a checkout there is none
        assert problems == []
    else:
        assert name in problems[0]


def test_verify_finds_duplicates_and_damaged_histories(ledger: Ledger) -> None:
    row = made_row()
    ledger.append(row, made_history())
    ledger.path.write_text(ledger.path.read_text() * 2)
    assert ["already in line 1" in problem for problem in ledger.verify()] == [True]
    history = next((ledger.path.parent / "history").iterdir())
    history.write_text("{")
    assert "is damaged" in ledger.verify()[0]
    history.write_text('{"epoch": [1, 2]}')
    assert "best_epoch 12 is not in its history" in ledger.verify()[0]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from([f.name for f in fields(Row)]) | st.text(), inner)
        ),
    )
)
def test_any_json_is_a_row_or_one_sentence(value) -> None:
    values = value | {"schema": 1} if isinstance(value, dict) else value
    with pytest.raises(FercourseError):
        Row.from_dict(values)


def test_a_contradiction_is_not_recorded(ledger: Ledger) -> None:
    with pytest.raises(FercourseError, match="the test split has 10"):
        made_row(splits={"train": 1, "val": 1, "test": 10})
    with pytest.raises(FercourseError, match="cannot be recorded"):
        ledger.append(replace(made_row(), hash="0" * 12))
    assert not ledger.path.exists()


def test_a_diverged_loss_is_kept_as_unknown(ledger: Ledger) -> None:
    row = made_row()
    ledger.append(row, [{"epoch": 1, "train_loss": math.nan}, {"epoch": 2, "val_loss": math.inf}])
    assert ledger.history(row) == [
        {"epoch": 1, "train_loss": None, "val_loss": None},
        {"epoch": 2, "train_loss": None, "val_loss": None},
    ]


def test_windows_line_ends_and_a_blank_line_are_read(ledger: Ledger) -> None:
    ledger.append(made_row())
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert ledger.rows() == [made_row_like(ledger)]
    assert ledger.append(made_row(seed=1))
    assert ledger.verify() == []


def made_row_like(ledger: Ledger) -> Row:
    return replace(made_row(), created=ledger.rows()[0].created)


def test_ledger_path_is_found_from_a_folder_below(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("FERCOURSE_LEDGER", raising=False)
    Ledger(tmp_path / "results" / "ledger.jsonl").append(made_row())
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert ledger_path() == tmp_path / "results" / "ledger.jsonl"
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "mine.jsonl"))
    assert Ledger().path == tmp_path / "mine.jsonl"


def test_the_papers_numbers(ledger: Ledger) -> None:
    assert paper.record_paper(ledger) == 27
    assert paper.record_paper(ledger) == 0
    assert ledger.verify() == []
    (best,) = ledger.claims(plan="table1", dataset="fer2013", variant="model6")
    assert (best.test_accuracy, best.stability, best.runs) == (0.7408, 0.0024, 10)
    (ours,) = ledger.claims(plan="table2", dataset="ckplus", variant="Proposed method")
    assert ours.test_accuracy == 0.9866
    (recalls,) = ledger.claims(plan="fig8")
    assert recalls.recall == [None, None, 0.6101, None, 0.5598, None, None]
    assert all(row.test_accuracy is None for row in ledger.claims(plan=["fig6a", "fig6b"]))
    assert ledger.missing([preset("paper")]) == [preset("paper")], "a claim is no run"


def test_the_papers_tables_stand_in_the_paper() -> None:
    text = ROOT.parent / "shared" / "paper.md"
    if not text.is_file():
        pytest.skip("the paper's text is not beside the checkout")
    found = [line.split() for line in text.read_text().splitlines()]
    for model, *numbers in paper.TABLE_1:
        assert any(
            words[:1] == [str(model)] and words[-4:] == [f"{n:.2f}" for n in numbers]
            for words in found
        )
    for method, *numbers in paper.TABLE_2:
        assert any(words == [*method.split(), *(f"{n:.2f}" for n in numbers)] for words in found)


def test_the_committed_ledger_is_sound() -> None:
    committed = ROOT / "results" / "ledger.jsonl"
    assert committed.is_file(), "restore results/ledger.jsonl, or run `fercourse ledger paper`"
    ledger = Ledger(committed)
    assert ledger.verify() == []
    assert {row.key for row in paper.paper_claims()} <= {row.key for row in ledger.claims()}


class TestCommandLine:
    def run(self, ledger: Ledger, *arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, [*arguments, "--ledger", str(ledger.path)])
        assert result.exit_code == code, result.output
        return result.output

    def test_list_filters(self, ledger: Ledger) -> None:
        paper.record_paper(ledger)
        ledger.append(made_row(accuracy=0.7))
        assert "28 rows" in self.run(ledger, "list")
        shown = self.run(ledger, "list", "--label", "cpu", "--variant", "model6")
        assert "1 rows" in " ".join(shown.split()), "a long path breaks the title's line"
        assert "69.99" in shown, "2512 of 3589"
        assert "74.08" not in shown

    def test_summary_keeps_claims_apart(self, ledger: Ledger) -> None:
        paper.record_paper(ledger)
        for seed, accuracy in enumerate((0.70, 0.71, 0.72)):  # 2512, 2548, 2584 of 3589
            ledger.append(made_row(seed=seed, accuracy=accuracy))
        shown = self.run(ledger, "summary", "--variant", "model6", "--dataset", "fer2013")
        lines = [line.split() for line in shown.splitlines() if "model6" in line]
        assert [line[:6] for line in lines] == [
            ["paper", "table1", "fer2013", "model6", "10", "74.08"],
            ["cpu", "table1", "fer2013", "model6", "3", "70.99"],
        ]
        assert lines[1][6] == "0.82"  # sqrt(2 / 3) 36 / 3589
        by = self.run(ledger, "summary", "--by", "loss.weight", "--label", "cpu")
        assert "0.005" in by

    def test_compare(self, ledger: Ledger) -> None:
        for seed in range(3):
            ledger.append(made_row(model=1, seed=seed, accuracy=0.68))
            ledger.append(made_row(model=6, seed=seed, accuracy=0.70 + 0.001 * seed))
        answer = CliRunner().invoke(
            app,
            ["compare", "model1", "model6", "--metric", "variant", "--ledger", str(ledger.path)],
        )
        assert "no number to average" in str(answer.exception)
        shown = self.run(ledger, "compare", "model1", "model6")
        assert "model6 minus model1, test_accuracy: +2.08 points" in shown
        assert "cannot bring below 0.25" in shown

    def test_compare_of_folds_names_the_correction(self, ledger: Ledger) -> None:
        for fold in range(3):
            place = {"data.name": "ckplus", "data.fold": fold, "data.folds": 3}
            ledger.append(made_row(model=1, accuracy=0.68, **place))
            ledger.append(made_row(model=6, accuracy=0.70 + 0.01 * fold, **place))
        shown = self.run(ledger, "compare", "model1", "model6", "--dataset", "ckplus")
        assert "n = 3, p = " in shown
        assert "corrected for it (Nadeau and Bengio 2003)" in " ".join(shown.split())
        assert "nan" not in shown

    def test_merge_verify_and_paper(self, ledger: Ledger, tmp_path: Path) -> None:
        other = Ledger(tmp_path / "other.jsonl")
        other.append(made_row())
        assert "1 rows added, 0 already there" in self.run(ledger, "merge", str(other.path))
        assert "27 of the paper's rows added" in self.run(ledger, "paper")
        assert "28 rows, all sound" in self.run(ledger, "verify")
        ledger.path.write_text(ledger.path.read_text() * 2)
        assert "already in line" in self.run(ledger, "verify", code=1)
