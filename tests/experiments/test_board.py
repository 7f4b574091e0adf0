"""The ablation board's knowledge and its live runs."""

import re
import time

import made_runs
import pytest
from made_rows import made_row

from fercourse.config import COMPONENTS, ModelConfig, preset
from fercourse.errors import FercourseError
from fercourse.experiments.board import (
    LedgerView,
    changes,
    component_results,
    next_run,
    own_ledger,
    shared_config,
    switches,
    with_components,
)
from fercourse.experiments.live import LiveRun
from fercourse.experiments.plans import Planned, plan
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import paper_claims

ALL = switches(ModelConfig.table1(6))
MODEL4 = switches(ModelConfig.table1(4))


def those(*on: str) -> tuple[bool, ...]:
    """The switches of these components, all others off."""
    return tuple(name in on for name in COMPONENTS)


def smoke_row(model, seed, accuracy, **changes):
    """A built-in-faces run of the smoke preset."""
    config = preset("smoke", model, seed=seed).change(**changes)
    return made_row(model, seed, accuracy, label="smoke", best_epoch=3, **dotted(config))


def dotted(config):
    """All fields of a config by dotted names."""
    parts = {part: values for part, values in config.to_dict().items() if isinstance(values, dict)}
    return {f"{part}.{k}": v for part, values in parts.items() for k, v in values.items()}


def test_switches_are_those_of_table_1():
    assert switches(ModelConfig.table1(1)) == those()
    assert switches(ModelConfig.table1(4)) == MODEL4
    assert switches(ModelConfig.table1(6)) == ALL


def test_a_recipe_is_the_presets_until_the_ledger_knows_better():
    own = shared_config([], "synthetic", "smoke")
    assert changes(own, "synthetic", "smoke") == ""
    rows = [smoke_row(k, 0, 0.9, **{"train.epochs": 9, "data.difficulty": 0.1}) for k in (1, 6)]
    found = shared_config(rows, "synthetic", "smoke")
    assert found.train.epochs == 9
    assert changes(found, "synthetic", "smoke") == "train.epochs = 9, data.difficulty = 0.1"
    # Two combinations under the preset's own recipe outweigh one under another.
    rows = [smoke_row(1, 0, 0.9), smoke_row(6, 0, 0.9), smoke_row(6, 0, 0.9, **{"train.epochs": 9})]
    assert shared_config(rows, "synthetic", "smoke") == own
    # A sweep's lambda is not a recipe, and another data set's runs say nothing here.
    sweep = [smoke_row(6, seed, 0.9, **{"loss.weight": 0.01}) for seed in range(5)]
    assert shared_config([*sweep, made_row()], "synthetic", "smoke") == own


def test_seeds_and_the_papers_claim_stand_beside_each_other():
    rows = [
        *paper_claims(),
        *(made_row(4, seed, 0.7 + seed / 100) for seed in range(3)),
        made_row(6),
    ]
    base = shared_config(rows, "fer2013", "cpu")
    here = {s.on: s for s in component_results(rows, base, MODEL4)}
    assert len(here) == 6
    assert sorted(row.seed for row in here[MODEL4].rows) == [0, 1, 2]
    assert here[MODEL4].claim.test_accuracy == 0.7384
    assert here[MODEL4].model == 4
    assert len(here[ALL].rows) == 1


def test_a_combination_the_paper_lacks_is_listed_without_a_claim():
    rows = paper_claims()
    base = shared_config(rows, "ckplus", "cpu")
    odd = those("gcca", "joint_loss")
    last = component_results(rows, base, odd)[-1]
    assert (last.on, last.rows, last.claim, last.model) == (odd, (), None, None)


def test_components_that_exclude_each_other_are_refused_in_a_sentence():
    with pytest.raises(FercourseError, match="decoder"):
        with_components(shared_config([], "synthetic", "smoke"), those("fusion", "gcca", "reverse"))


def test_folds_count_once_a_seed_has_them_all():
    runs = plan("table1", "ckplus", "cpu", seeds=1, models=(6,))
    rows = [made_row(6, 0, 0.9, **dotted(run.config)) for run in runs]
    base = shared_config(rows, "ckplus", "cpu")
    part = next(s for s in component_results(rows[:4], base, ALL) if s.on == ALL)
    assert (part.rows, part.folds) == ((), 4)
    assert next_run(rows[:4], base, ALL, "cpu").config == runs[4].config
    whole = next(s for s in component_results(rows, base, ALL) if s.on == ALL)
    assert (len(whole.rows), whole.folds) == (1, 0)
    following = next_run(rows, base, ALL, "cpu").config
    assert (following.seed, following.data.seed, following.data.fold) == (1, 1, 0)


def test_the_next_run_is_the_first_seed_that_is_missing():
    rows = [smoke_row(6, 0, 0.9), smoke_row(6, 2, 0.9)]
    base = shared_config(rows, "synthetic", "smoke")
    planned = next_run(rows, base, ALL, "smoke")
    assert (planned.config.seed, planned.variant, planned.label) == (1, "model6", "smoke")
    assert planned.config == preset("smoke", 6, seed=1)
    odd = next_run(rows, base, those("fusion", "joint_loss"), "smoke")
    assert odd.variant == "fusion+joint_loss"
    assert odd.config.seed == 0
    assert next_run([smoke_row(6, s, 0.9) for s in range(10)], base, ALL, "smoke") is None


def test_own_runs_lie_apart_and_are_read_together_with_the_courses(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "ledger.jsonl"))
    Ledger().append(made_row(1), [{"epoch": 12, "val_accuracy": 0.6}])
    own_ledger().append(made_row(6), [{"epoch": 12, "val_accuracy": 0.7}])
    own_ledger().append(made_row(1, note="again"))
    assert own_ledger().path == tmp_path / "mine" / "ledger.jsonl"
    view = LedgerView()
    assert [(row.variant, row.note) for row in view.rows()] == [("model1", ""), ("model6", "")]
    assert view.history(view.rows()[1])[0]["val_accuracy"] == 0.7
    assert len(Ledger().rows()) == 1
    assert {p.name for p in tmp_path.glob("*.json*") if p.suffix != ".lock"} == {"ledger.jsonl"}


# Live runs: processes of their own, with made work.


def planned():
    return plan("table1", "synthetic", "smoke", seeds=1, models=(6,))[0]


def test_a_live_run_is_followed_and_recorded(tmp_path):
    states = []
    ledger = Ledger(tmp_path / "mine" / "ledger.jsonl")
    live = LiveRun(
        planned(),
        ledger,
        tmp_path / "runs",
        work=made_runs.telling,
        changed=lambda run: states.append((run.state, len(run.history))),
    )
    assert live.join(120)
    assert live.state == "recorded"
    assert live.row == ledger.rows()[0]
    assert states == [("training", 1), ("training", 2), ("recorded", 2)]
    assert ledger.history(live.row)[1]["val_accuracy"] == 0.6


def test_a_stopped_run_leaves_nothing_recorded(tmp_path):
    ledger = Ledger(tmp_path / "mine" / "ledger.jsonl")
    live = LiveRun(planned(), ledger, tmp_path / "runs", work=made_runs.slow)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*.begun")) and time.monotonic() < end:
        time.sleep(0.05)
    live.stop()
    assert live.join(10)
    assert live.state == "stopped"
    assert ledger.rows() == []
    assert not ledger.path.exists()


@pytest.mark.parametrize(
    ("model", "told"), [(3, "signal|exit code"), (4, "out of memory"), (5, "no faces")]
)
def test_a_run_that_dies_or_raises_says_so(tmp_path, model, told):
    run = plan("table1", "synthetic", "smoke", seeds=1, models=(model,))[0]
    ledger = Ledger(tmp_path / "mine" / "ledger.jsonl")
    live = LiveRun(run, ledger, tmp_path / "runs", work=made_runs.deadly)
    assert live.join(120)
    assert live.state == "failed"
    assert re.search(told, live.trouble)
    assert ledger.rows() == []


def test_a_ledger_that_cannot_be_written_is_told(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.path.write_text("not json\n")
    live = LiveRun(planned(), ledger, tmp_path / "runs", work=made_runs.quick)
    assert live.join(120)
    assert live.state == "failed"
    assert "line 1" in live.trouble
    assert ledger.path.read_text() == "not json\n"


@pytest.mark.slow
def test_a_live_run_does_the_real_thing(tmp_path):
    """Trained and judged in the process, on bars instead of faces."""
    config = preset("smoke", 2).change(**{"train.epochs": 2})
    ledger = Ledger(tmp_path / "mine" / "ledger.jsonl")
    run = Planned(config, "board", "model2", "smoke")
    live = LiveRun(run, ledger, tmp_path / "runs", device="cpu", work=made_runs.tiny)
    assert live.join(120)
    assert live.state == "recorded", live.trouble
    assert live.row.run == config
    assert [entry["epoch"] for entry in live.history] == [0, 1]
    assert ledger.verify() == []
