"""Rows of bad weather, corruption errors, and differences with their intervals."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_rows import made_weather as row

from fercourse import FercourseError
from fercourse.runs.statistics import mean_interval
from fercourse.runs.weather import (
    corruption_errors,
    difference,
    gain_by_cure,
    mean_corruption_error,
    recipes,
)
from fercourse.runs.weather_row import WeatherBook


def test_a_row_knows_its_accuracies():
    r = row()
    assert r.accuracy == 0.9
    assert r.bad == pytest.approx(0.45)
    assert r.curve("fog") == [0.9, 0.8, 0.6, 0.4, 0.2, 0.0]
    assert r.per_face.mean() == pytest.approx(4.5)
    assert r.copies == 10


@pytest.mark.parametrize(
    "changes",
    [
        {"clear": 11},
        {"hits": "123"},
        {"right": {"fog": [8, 6, 4, 2]}},
        {"right": {"fog": [8, 6, 4, 2, 11]}},
        {"right": {"fog": [8, 6, 4, 2, 1], "noise": [5, 5, 5, 5, 5]}},
    ],
    ids=["more than all", "too few hits", "four severities", "eleven of ten", "another sum"],
)
def test_a_row_that_contradicts_itself_is_refused(changes):
    with pytest.raises(FercourseError):
        row(**changes)


def test_the_book_holds_each_once(tmp_path):
    book = WeatherBook(tmp_path / "weather.jsonl")
    assert book.append([row(), row(seed=1)]) == 2
    assert book.append([row(), row(cure="gamma")]) == 1
    assert len(book.rows(cure="none")) == 2
    assert book.rows()[0] == row()
    lines = book.path.read_text().splitlines()
    book.path.write_text("\n".join([*lines, json.dumps({"speed": 1})]) + "\n")
    with pytest.raises(FercourseError, match="line 4: unknown field 'speed'"):
        book.rows()


def test_corruption_errors_are_those_of_the_baseline():
    half = row(fog=(9, 8, 7, 6, 5), noise=(5, 5, 5, 5, 5), variant="model6")
    found = corruption_errors([half], [row()])
    assert found == pytest.approx({"fog": 15 / 30, "noise": 1.0})
    assert mean_corruption_error([half], [row()]) == pytest.approx(0.75)
    assert mean_corruption_error([row()], [row()]) == 1
    with pytest.raises(FercourseError, match="different faces"):
        corruption_errors([half], [row(fingerprint="xyz")])


def test_differences_are_paired_by_seed():
    ours = [row(fog=(9, 7, 5, 3, k), seed=k, variant="model6") for k in range(3)]
    rows = [*ours, *(row(seed=k) for k in (0, 1, 2, 7))]
    gain = difference(rows, "model1", "model6")
    gains = [(4 + k) / 100 for k in range(3)]
    assert gain.mean == pytest.approx(np.mean(gains))
    assert (gain.low, gain.high) == pytest.approx(mean_interval(gains))
    assert difference(rows, "model1", "model3") is None
    kept = difference(rows, "model1", "model6", lambda r: r.bad / r.accuracy)
    assert kept.mean == pytest.approx(np.mean(gains) / 0.9)


def test_one_pair_has_the_interval_of_its_faces():
    rows = [row(), row(fog=(9, 7, 5, 3, 0), variant="model6")]
    gain = difference(rows, "model1", "model6")
    steps = (rows[1].per_face - rows[0].per_face) / 10
    assert (gain.low, gain.high) == pytest.approx(mean_interval(steps))
    clear = difference(rows, "model1", "model6", lambda r: r.accuracy)
    assert np.isnan(clear.low)


def test_what_a_cure_gives():
    rows = [
        each
        for k in range(2)
        for each in (row(seed=k), row(seed=k, cure="gamma", fog=(9, 7, 5, 3, 1), clear=8))
    ]
    assert gain_by_cure(rows, "model1", "gamma", "fog").mean == pytest.approx(0.1)
    assert gain_by_cure(rows, "model1", "gamma", "clear").mean == pytest.approx(-0.1)
    assert gain_by_cure(rows, "model1", "clahe", "fog") is None


def test_recipes_are_kept_apart():
    rows = [row(), row(seed=1), row(recipe="long"), row(variant="hog", recipe="linear")]
    found = recipes([*rows, replace(rows[0], dataset="synthetic")], "fer2013")
    assert [len(each) for each in found] == [2, 1]
