"""Figures of lessons 01 to 03: what they say follows from what they are given."""

import matplotlib
import numpy as np
import pytest
import torch

from fercourse import plots
from fercourse.errors import FercourseError


def words(figure):
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_pictures_fill_rows_and_keep_their_names():
    images = {f"face {k}": np.full((8, 8), 30 * k, np.uint8) for k in range(7)}
    figure = plots.pictures(images, "seven", columns=3)
    assert len(figure.axes) == 9
    assert sum(len(axes.images) for axes in figure.axes) == 7
    assert "face 6" in words(figure)
    assert "seven" in words(figure)
    with pytest.raises(FercourseError):
        plots.pictures({}, "none")


def test_boxes_are_drawn_where_they_are():
    image = np.zeros((20, 30), np.uint8)
    panels = {"first": torch.tensor([[1.0, 2, 11, 8]]), "second": []}
    figure = plots.boxed(image, panels, "one box", truth=[[0, 0, 5, 5]], points=[np.ones((5, 2))])
    boxes = [[p.get_bbox().extents.tolist() for p in axes.patches] for axes in figure.axes]
    assert boxes == [[[0, 0, 5, 5], [1, 2, 11, 8]], [[0, 0, 5, 5]]]
    assert len(figure.axes[1].lines) == 1


def test_turned_says_how_often_and_where_it_failed():
    figure = plots.turned([-90, -45, 0, 45, 90], [0.0, 0.99, 1.0, 0.95, 0.2])
    assert "60%" in words(figure)
    assert "45 degrees" not in words(figure)
    assert "90 degrees" in words(figure)
    assert "loss" not in words(plots.turned([0, 10], [1.0, 1.0]))


def test_pitfalls_say_what_they_show():
    counts, before, after = [50, 5, 90, 60, 40, 30, 20], [0.5] * 7, [0.25] * 7
    figure = plots.recalls(counts, {"plain": before, "weighted": after}, [20] * 7)
    assert "Disgust, the rarest: 10 of 20 test faces recognised plain, 5 weighted" in words(figure)
    told = words(plots.label_noise([0, 0.4], [0.9, 0.8], [0.9, 0.5]))
    assert "With 40% wrong labels" in told
    assert "80% of the faces" in told
    told = words(plots.fold_leak({"a net": {"random folds": 0.9, "folds by person": 0.3}}))
    assert "60 points to a net, against folds by person" in told
    three = {"random folds": 0.9, "folds by recording": 0.5, "folds by person": 0.3}
    assert len(plots.fold_leak({"a net": three}).axes[0].collections) == 3
