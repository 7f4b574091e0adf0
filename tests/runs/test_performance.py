"""Pairs of times become ratios, and a record says when it is read what it said when it was made."""

import json

import pytest
from made_rows import made_growth

from fercourse.errors import FercourseError
from fercourse.runs.performance import Growth, Memory, Performance, Ratio, Spread, spread


def test_a_ratio_is_the_median_over_pairs_so_that_a_slow_turn_cancels():
    slowed = [1.0, 10.0, 1.0, 1.0]  # the machine was busy at the second turn
    found = spread([2 * t for t in slowed], slowed)
    assert found == Spread(2.0, 2.0, 2.0, 4)
    assert spread([1, 2, 3, 4, 5], [1] * 5) == Spread(3.0, 2.0, 4.0, 5)


@pytest.mark.parametrize("times", [([], []), ([1.0], [1.0, 2.0])])
def test_times_that_are_no_pairs_are_refused(times):
    with pytest.raises(FercourseError, match="no pairs"):
        spread(*times)


def ratio(faster, aim=0.8):
    return Ratio("framework", "ours", "other", "faces", 100.0, faster, aim)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.81, 0.9, "met"), (0.6, 0.79, "not met"), (0.7, 0.9, "undecided")],
)
def test_an_aim_is_met_where_the_middle_half_reaches_it(low, high, verdict):
    assert ratio(Spread((low + high) / 2, low, high, 9)).verdict == verdict


def test_without_an_aim_or_a_measurement_there_is_no_verdict():
    for unknown in (ratio(None), ratio(Spread(1, 1, 1, 9), aim=None)):
        with pytest.raises(FercourseError, match="no aim, or not measured"):
            _ = unknown.verdict


def test_exponents_and_slopes_are_those_the_points_were_made_with():
    by = {(growth.by, growth.use): growth for growth in made_growth()}
    assert by["size", "training"].exponent == pytest.approx(2)
    assert by["width", "prediction"].exponent == pytest.approx(1.5)
    assert by["faces", "reading"].each == pytest.approx(0.05)


def test_a_record_comes_back_as_it_was_written(tmp_path):
    one = Spread(0.5, 0.25, 0.75, 9)
    made = Performance(
        about={"device": "cpu x 2", "versions": {"torch": "2"}},
        ratios=(ratio(one), ratio(None, aim=None)),
        memory=(Memory("training", 8, 20.0, 10.0),),
        growth=(Growth("size", "training", 48, "made", ((32, one), (48, one))),),
    )
    path = tmp_path / "bench.json"
    path.write_text(made.to_json(), encoding="utf-8")
    assert Performance.read(path) == made
    assert Performance.read(path).grown("width") == []


def test_numbers_are_stored_to_four_digits():
    made = Performance({"share": 1 / 3}, (), (), ())
    assert json.loads(made.to_json())["about"] == {"share": 0.3333}
