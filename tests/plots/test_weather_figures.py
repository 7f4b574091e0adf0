"""Figures of bad weather say what the rows say, and refuse what they cannot show."""

import numpy as np
import pytest
import torch
from made_rows import made_weather

from fercourse import FercourseError, plots
from fercourse.runs.findings import Gain


def words(figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


def test_curves_start_in_clear_air_and_are_means():
    rows = [made_weather(), made_weather(seed=1, fog=(6, 4, 2, 0, 0))]
    figure = plots.weather_curves({"model 1": rows}, {"fog": "fog"}, "A finding")
    (line,) = figure.axes[0].lines
    assert line.get_ydata() == pytest.approx([90, 70, 50, 30, 10, 0])
    (band,) = figure.axes[0].collections
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(90)
    with pytest.raises(FercourseError, match="fercourse weather makes them"):
        plots.weather_curves({"model 1": []}, {"fog": "fog"}, "A finding")


def test_gains_show_what_is_clear():
    gains = {"here": {"up": Gain(0.02, 0.01, 0.03), "even": Gain(0.01, -0.01, 0.03)}}
    figure = plots.weather_gains(gains, "points", "A finding")
    colours = [line.get_color() for line in figure.axes[0].lines[1:]]
    assert colours[0] == colours[1] != colours[2] == colours[3], "blue where 0 is left out"
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["up", "even"]
    with pytest.raises(FercourseError, match="no difference"):
        plots.weather_gains({"here": {}}, "points", "A finding")


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (["Happy", "Happy", "Sad"], "Happy up to severity 1, Sad from there on"),
        (["Happy", "Happy", "Happy"], "Happy at every severity"),
    ],
)
def test_maps_say_where_the_answer_changes(answers, says):
    faces = [torch.zeros(24, 24, dtype=torch.uint8)] * 3
    figure = plots.weather_maps(faces, {"map": [torch.rand(24, 24)] * 3}, answers)
    assert says in words(figure)
    with pytest.raises(FercourseError, match="a map and an answer for each face"):
        plots.weather_maps(faces, {"map": [np.zeros((24, 24))]}, answers)


def test_answers_name_every_network():
    p = torch.eye(7)[[3, 3, 4]]
    faces = torch.zeros(3, 24, 24, dtype=torch.uint8)
    figure = plots.weather_answers(faces, ["clear", "fog", "gamma"], {"model 1": p}, "Happy")
    assert "model 1 Happy → Happy → Sad" in words(figure)
    with pytest.raises(FercourseError, match="some network"):
        plots.weather_answers(faces, ["clear", "fog", "gamma"], {}, "Happy")


def test_a_sheet_needs_a_corruption():
    with pytest.raises(FercourseError, match="no corruption"):
        plots.weather_sheet(torch.zeros(24, 24, dtype=torch.uint8), {}, "A finding")
