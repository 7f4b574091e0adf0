"""Rows of shallow methods: a kind of their own, checked as the others are."""

from dataclasses import replace

import pytest

from fercourse import FercourseError, load
from fercourse.datasets.data_config import DataConfig
from fercourse.experiments.shallow_runs import (
    PlannedShallow,
    measure_shallow,
    run_shallow,
    shallow_plan,
)
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row
from fercourse.runs.shallow_row import ShallowRow
from fercourse.runs.summaries import pool_folds
from fercourse.shallow import METHODS


@pytest.fixture(scope="module")
def planned():
    return PlannedShallow(METHODS["pca"], DataConfig("synthetic", count=210), 0)


@pytest.fixture(scope="module")
def row(planned):
    return measure_shallow(planned, load("synthetic", count=210))


def test_a_row_says_what_was_done(row, planned):
    assert row.problems() == []
    assert row.variant == row.method == "pca"
    assert row.plan == "classics"
    assert row.label == "smoke"
    assert row.key == planned.key
    assert row.dimensions == 128
    assert row.parameters == 7 * 128 + 7
    assert sum(map(sum, row.confusion)) == row.splits["test"]
    assert row.data == planned.data
    assert row.faces_per_second > 0
    assert row.test_accuracy_clean is None  # duplicates are FER2013's


def test_rows_go_through_a_ledger_and_claims_and_runs_stay_apart(row, tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.append(row)
    assert not ledger.append(row)
    assert ledger.shallow() == [row]
    assert ledger.shallow(variant="hog") == []
    assert ledger.rows() == ledger.claims() == []
    assert ledger.verify() == []
    other = Ledger(tmp_path / "other.jsonl")
    assert other.merge(ledger.path).added == 1
    assert isinstance(other.entries()[0], ShallowRow)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strength": 7.0}, "none of those it chose among"),
        ({"seed": 3}, "is not that of what it says"),
        ({"method": "hog"}, "is not that of what it says"),
        ({"dataset": "fer2013"}, "is not its data_config's"),
        ({"test_accuracy": 0.0}, "is not the confusion matrix's"),
        ({"label": "paper"}, "is not one of full"),
        ({"created": "yesterday"}, "no UTC time|is not a UTC time"),
        ({"data_config": {"nonsense": 1}}, "cannot be read"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(row, change, words, tmp_path):
    with pytest.raises(FercourseError, match=words):
        Ledger(tmp_path / "ledger.jsonl").append(replace(row, **change))


def test_plans_repeat_what_chance_can_change_and_cut_folds():
    runs = shallow_plan("synthetic", seeds=3)
    assert [r.method.name for r in runs].count("hog") == 1
    assert [r.method.name for r in runs].count("landmarks") == 3
    folds = shallow_plan("ckplus", ["lbp"], seeds=2, folds=4)
    assert [(r.seed, r.data.fold, r.data.seed) for r in folds] == [
        (s, k, s) for s in (0, 1) for k in range(4)
    ]
    assert len({r.key for r in runs + folds}) == len(runs + folds)
    with pytest.raises(FercourseError, match="no method 'x'"):
        shallow_plan("fer2013", ["x"])


def test_folds_are_pooled(row):
    data = [DataConfig("ckplus", fold=k, folds=3) for k in range(3)]
    folds = [
        replace(row, dataset="ckplus", data_config=vars(d) | {}, splits=row.splits) for d in data
    ]
    (whole,) = pool_folds(folds)
    assert whole.splits["test"] == 3 * row.splits["test"]
    assert whole.test_accuracy == pytest.approx(row.test_accuracy)
    assert not isinstance(whole, Row)
    with pytest.raises(FercourseError, match="has folds"):
        pool_folds(folds[:1])


def test_a_plan_is_run_once_and_says_what_cannot_be(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    data = load("synthetic", count=210)
    photographs = replace(
        data,
        **{name: replace(faces, drawing=None, ids=None) for name, faces in data.splits.items()},
    )
    monkeypatch.setattr(
        "fercourse.experiments.shallow_runs.load_once", lambda config, source: photographs
    )
    plan = shallow_plan("synthetic", ["pca", "motion"], seeds=2)
    recorded, undefined = run_shallow(plan, ledger, progress=False)
    assert recorded == 1
    assert list(undefined) == ["motion"]
    assert "stills" in undefined["motion"]
    assert run_shallow(plan, ledger, progress=False)[0] == 0
