"""Figures of lessons 10, 12 and 13: what they say follows from what they are given."""

import numpy as np
import pytest

from fercourse import plots
from fercourse.errors import FercourseError
from fercourse.plots.style import CourseFigure


def said(figure: CourseFigure) -> str:
    return " ".join(figure.get_suptitle().split())


def test_planes_name_each_losss_last_spread():
    points, centers = np.random.default_rng(0).normal(size=(2, 3, 21, 2)), np.zeros((2, 3, 7, 2))
    spread = [[0.9, 0.5, 0.31], [0.9, 0.4, 0.12]]
    labels = np.arange(21) % 7
    figure = plots.embedding_planes(points, centers, labels, (1, 2, 3), ("one", "two"), spread)
    assert "Two ends with the tightest classes: spread 0.12, against 0.31 with one" in said(figure)
    assert len(figure.axes) == 6
    with pytest.raises(FercourseError, match="do not fit"):
        plots.embedding_planes(points, centers, labels, (1, 2), ("one", "two"), spread)


def test_directions_count_sets_at_the_bound():
    sets = {"apart": np.eye(2), "opposite": np.array([[1.0, 0], [-1, 0]])}
    assert said(plots.center_directions(sets, [2.0, 0.0])).startswith("1 of these 2 sets")


def test_histograms_print_mean_and_spread():
    figure = plots.accuracy_histograms({"a": [0.7, 0.8], "b": [0.5, 0.5]}, "finding")
    assert "mean 75.00, standard deviation 5.00" in figure.axes[0].get_title(loc="left")


def test_search_path_tells_what_the_short_cut_loses():
    # Column 1 is best at row 0; from there column 0 is best: 3, where the grid has 9.
    surface = np.array([[3.0, 2], [9, 1], [0, 0]])
    figure = plots.search_path(surface, (1, 2, 3), (0.1, 0.2), start=0.2)
    assert "4 of 6 settings tried" in said(figure)
    assert "6.00 points below" in said(figure)
    with pytest.raises(FercourseError, match=r"start 0\.3"):
        plots.search_path(surface, (1, 2, 3), (0.1, 0.2), start=0.3)


def test_flat_sweeps_count_winners():
    sweeps = np.full((4, 3), 0.5)
    sweeps[:3, 1], sweeps[3, 2] = 0.52, 0.54
    text = said(plots.flat_sweeps(sweeps, (1, 2, 3), 0.5))
    assert "4 sweeps name 2 different winners" in text
    assert "2.50 points" in text


def test_weights_at_work_gives_the_trained_networks_range():
    figure = plots.weights_at_work(
        (0.01, 0.1), {"before": [1, 2], "after training": [0.2, 0.5]}, (1, 2), {"pull": [1, 1]}
    )
    assert "0.2 to 0.5" in said(figure)
