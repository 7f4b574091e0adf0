"""The course's answer, from rows to order."""

import math

import pytest
from made_rows import made_row

from fercourse.runs.findings import Gain, by_cut, findings
from fercourse.runs.paper import paper_claims


def fer2013(gain: float = 0.0, seeds: int = 3):
    for model in (1, 3, 6):
        for seed in range(seeds):
            yield made_row(model, seed=seed, accuracy=0.66 + gain * (model > 1) + 0.001 * seed)


def folds(by: str, accuracy: float, model: int = 1, seed: int = 0, count: int = 10):
    for k in range(count):
        place = {"data.name": "ckplus", "data.by": by, "data.fold": k, "data.seed": seed}
        yield made_row(model, seed=seed, accuracy=accuracy, plan="table1-random", **place)


def test_the_papers_gains_and_ours_stand_side_by_side() -> None:
    found = findings([*paper_claims(), *fer2013()])
    assert [(a.question[-17:], a.where) for a in found] == [
        (": model 3 minus 1", "FER2013"),
        (": model 6 minus 1", "FER2013"),
    ]
    claimed = found[1].claimed
    assert claimed is not None
    assert claimed.mean == pytest.approx(0.0429)
    # sqrt((0.38^2 + 0.24^2) / 9) = 0.1498; Welch's 15.2 degrees of freedom, t = 2.129
    assert claimed.high - claimed.mean == pytest.approx(0.01 * 2.129 * 0.1498, rel=1e-3)
    assert found[1].measured.mean == 0
    assert found[1].scope == "48 px, width 0.375, 16 epochs, 3 seeds"


def test_a_gain_that_every_seed_shows_has_an_interval_above_zero() -> None:
    (_, answer) = findings([*paper_claims(), *fer2013(gain=0.02)])
    assert answer.measured.low == pytest.approx(0.02, abs=2e-4)


def test_models_that_share_no_seed_answer_nothing() -> None:
    apart = [made_row(1, seed=0), made_row(6, seed=1)]
    assert findings([*paper_claims(), *apart]) == []


def test_another_recipe_is_told_without_an_interval() -> None:
    long = [made_row(k, seed=0, accuracy=0.69, **{"train.epochs": 40}) for k in (1, 6)]
    *_, answer = findings([*paper_claims(), *fer2013(), *long])
    assert (answer.claimed, answer.short) == (None, "another recipe")
    assert answer.measured.mean == pytest.approx(0.03, abs=2e-4)
    assert math.isnan(answer.measured.low)
    assert "models 1 and 6, one seed each" in answer.scope
    assert str(answer.measured) == answer.measured.points


def test_the_cut_alone_is_told_with_newcombes_interval() -> None:
    rows = [*folds("subject", 0.9), *folds("random", 0.98)]
    (answer,) = findings(rows)
    assert answer.short == "random folds"
    assert answer.measured.mean == pytest.approx(0.08, abs=2e-4)
    assert 0 < answer.measured.low < answer.measured.mean < answer.measured.high


def test_by_cut_takes_the_first_whole_seed_of_each_cut() -> None:
    rows = [
        *folds("subject", 0.9, seed=1),
        *folds("subject", 0.8, seed=2),
        *folds("random", 0.98),
        *folds("sequence", 0.95, count=9),
        *folds("random", 0.5, model=6),
    ]
    found = by_cut(rows, model=1)
    assert list(found) == ["subject", "random"]
    assert found["subject"].seed == 1
    assert found["random"].test_accuracy == pytest.approx(0.98, abs=2e-4)
    assert by_cut([], model=1) == {}


def test_a_gain_in_words() -> None:
    assert str(Gain(-0.0028, -0.0175, 0.0119)) == "−0.28 [−1.75, 1.19]"
