"""Predictions are intervals, kept beside what came out, and scored so that vagueness costs."""

import pytest

from fercourse import course
from fercourse.errors import FercourseError
from fercourse.settings import predictions_path


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Somebody who runs cells, with a ledger's folder of their own."""
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "ledger.jsonl"))
    monkeypatch.delenv("FERCOURSE_STATIC", raising=False)
    return predictions_path()


def test_a_prediction_is_held_against_what_came_out(alone):
    guess = course.predict("answers changed, %", 10, 30)
    with pytest.raises(FercourseError, match="measure first"):
        _ = guess.score
    assert not guess.inside
    figure = guess.beside(20)
    assert guess.inside
    assert "inside" in figure.get_suptitle()
    assert guess.score == 20


@pytest.mark.parametrize(("measured", "score"), [(30, 20), (31, 30), (8, 40)])
def test_the_score_is_the_width_and_ten_times_the_miss(alone, measured, score):
    guess = course.predict("x", 10, 30)
    guess.beside(measured)
    assert guess.score == pytest.approx(score)


@pytest.mark.parametrize(("ends", "asked"), [((0, 100), True), ((0, 99), False)])
def test_who_runs_the_cell_untouched_is_asked_for_numbers_of_their_own(ends, asked, capsys):
    course.predict("x, %", *ends)
    assert ("of your own" in capsys.readouterr().out) == asked


@pytest.mark.parametrize("ends", [(3, 1), (float("nan"), 1), (0, float("inf"))])
def test_an_interval_has_two_ends(ends):
    with pytest.raises(FercourseError, match="is no interval"):
        course.predict("x", *ends)


def test_the_first_attempt_counts_and_all_are_kept(alone):
    for low, high in ((0, 1), (4, 6)):
        course.predict("a share, %", low, high).beside(5)
    course.predict("another, %", 4, 6).beside(5)
    kept = course.predictions()
    assert kept["what"].tolist() == ["a share, %", "another, %"]
    assert kept["inside"].tolist() == [False, True]
    assert kept["low"].tolist() == [0, 4]


def test_nobody_watching_nothing_kept(alone, monkeypatch):
    monkeypatch.setenv("FERCOURSE_STATIC", "1")
    course.predict("a share, %", 0, 100).beside(5)
    assert not alone.exists()
    assert len(course.predictions()) == 0
    assert list(course.predictions().columns)[:3] == ["what", "low", "high"]


def test_a_broken_file_is_named(alone):
    alone.parent.mkdir()
    alone.write_text("[{", encoding="utf-8")
    with pytest.raises(FercourseError, match="delete it"):
        course.predictions()


def test_a_cell_that_nobody_touched_is_no_attempt(alone):
    for low, high in ((0, 100), (4, 6)):
        course.predict("a share, %", low, high).beside(5)
    assert course.predictions()["high"].tolist() == [6]
