"""The speedrun: one change at a time, all of equal cost, and what became of each."""

import json

import pytest
from conftest import ROOT
from made_rows import made_row

from fercourse import FercourseError, preset
from fercourse.experiments.plans import plan
from fercourse.experiments.speedrun import AIMS, BEST, SEEDS, STEPS, kept, speedrun, tried
from fercourse.pages.speedrun import report
from fercourse.runs.ledger import Ledger

BASE = preset("cpu", 1)
RECORD, VIEWS = (
    json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("speedrun", "views")
)


def test_every_step_is_its_change_of_the_step_before():
    runs = speedrun(BASE)
    for step in STEPS:
        ours = runs[f"speedrun-{step.name}"]
        theirs = BASE if step.of is None else runs[f"speedrun-{step.of}"]
        assert ours == theirs.change(**step.changes, **{"train.epochs": step.epochs})
        assert (step.of is None) == (not step.changes)
    assert len({run.hash for run in runs.values()}) == len(STEPS)


def test_the_plan_runs_all_steps_or_those_that_are_named():
    runs = plan("speedrun", "fer2013", "cpu", seeds=2)
    assert [r.variant for r in runs[: len(STEPS)]] == [f"speedrun-{s.name}" for s in STEPS]
    two = plan("speedrun", "fer2013", "cpu", seeds=1, settings=["base", BEST])
    assert [r.config for r in two] == list(speedrun(BASE, ["base", BEST]).values())
    with pytest.raises(FercourseError, match="no step 'rest'; it has base,"):
        speedrun(BASE, ["rest"])


def test_what_is_kept_is_one_path_from_the_base_to_the_best():
    path = kept()
    assert path[0] == STEPS[0].name
    assert path[-1] == BEST
    known = {step.name: step for step in STEPS}
    assert [known[name].of for name in path[1:]] == path[:-1]
    assert not any(known[name].labelled for name in path)


def test_all_steps_cost_the_same():
    costs = {s.name: s.epochs * RECORD["costs"][s.name] for s in STEPS}
    assert max(costs.values()) / min(costs.values()) < 1.2, costs


def test_kept_steps_gain_and_the_page_says_over_how_many_seeds():
    ledger = Ledger(ROOT / "results" / "ledger.jsonl")
    found = {one.step.name: one for one in tried(ledger.rows(dataset="fer2013"))}
    for name in kept()[1:]:
        gain = found[name].gain
        assert gain is not None
        assert gain.mean > 0
        assert found[name].verdict == ("kept" if gain.n >= SEEDS else "kept for now")
    assert any(one.verdict == "failed" for one in found.values()), "nobody is always right"


def test_the_page_is_made_from_the_records():
    page = (ROOT / "docs" / "speedrun.md").read_text(encoding="utf-8")
    assert page == report(RECORD, Ledger(ROOT / "results" / "ledger.jsonl"), VIEWS)


def test_a_page_of_few_runs_says_so(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    runs = speedrun(BASE)
    for name, seed, val in (
        ("base", 0, 0.50),
        ("average", 0, 0.52),
        ("width", 0, 0.53),
        ("muon", 0, 0.56),
        ("turns", 0, 0.57),
        ("lion", 0, 0.40),
        ("taught", 0, 0.60),
    ):
        ledger.append(_row(runs[f"speedrun-{name}"], seed, val))
    page = report(RECORD, ledger, {})
    assert "| +2.00 points (one seed: no interval) | kept for now |" in page
    assert _line(page, "turns").endswith("| not decided |")
    assert _line(page, "Lion").endswith("| failed |")
    assert _line(page, "teaches").endswith("| beside the race |")
    assert "AdamW" not in page, "of what was not run, nothing is said"


def test_the_page_tells_what_the_presets_reached(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    quarter, hour, longest = (aim.run for aim in AIMS)
    for seed, test in enumerate((0.66, 0.67, 0.68)):
        ledger.append(_row(quarter, seed, 0.65, test))
    ledger.append(_row(quarter.change(**AIMS[0].beside[0]), 1, 0.63))
    ledger.append(_row(hour, 0, 0.69, 0.71))
    ledger.append(_row(longest, 0, 0.69, 0.70))
    views = {f"{hour.hash}-0": {"accuracy": {"PrivateTest": {"ten": 0.725}}}}
    page = report(RECORD, ledger, views)
    short, long = _line(page, "`quarter` | 68 %"), _line(page, "`hour` | 70 %")
    assert "| 3 | 65.00 ± 0.00 | 67.01 ± 1.00 |" in short
    assert short.endswith("| 0.99 points below and 5.0 minutes late |")
    assert "| 72.50 |" in long
    assert long.endswith("| reached, of 1 for now |")
    unlimited = _line(page, "`long` | 70.5 %, however long |")
    assert unlimited.endswith("| 0.51 points below, of 1 for now |"), "no time is too late"
    assert "-2.00 points" in _line(page, "`train.epochs=28` |")


def _line(page, word):
    return next(line for line in page.splitlines() if word in line and line.startswith("|"))


def _row(run, seed, val, test=0.6):
    about = {"plan": "speedrun", "variant": "x", "val_accuracy": val, "best_epoch": 0}
    return made_row(1, seed, test, **about, **run.diff(BASE))
