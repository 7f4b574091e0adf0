"""Figures of lessons 08, 09 and 16: they show what they are given, and say what they show."""

import math

import pytest
import torch
from made_rows import made_row

from fercourse import FERNet, ModelConfig, plots
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.plots.experiments.ablation_step import changes
from fercourse.runs.paper import paper_claims


def faces(n: int = 2, size: int = 48) -> Faces:
    images = torch.randint(0, 256, (n, size, size), generator=torch.manual_seed(0))
    return Faces(images.to(torch.uint8), torch.arange(n))


def model(row: int) -> FERNet:
    return FERNet(ModelConfig.table1(row, width=0.125, embedding=8))


def test_decoding_shows_each_map_at_its_own_size():
    figure = plots.decoding(model(4), faces())
    sizes = [axes.images[0].get_array().shape for axes in figure.axes[1:8]]
    assert sizes == [(3, 3), (6, 6), (12, 12), (6, 6), (12, 12), (12, 12), (12, 12)]
    with pytest.raises(FercourseError, match="decoder"):
        plots.decoding(model(3), faces())
    with pytest.raises(FercourseError, match="no faces"):
        plots.decoding(model(4), faces(0))


def test_erasing_leaves_what_is_not_claimed():
    face, logits = torch.full((4, 6), 100, dtype=torch.uint8), torch.full((4, 6), -50.0)
    logits[:, :3] = 50
    figure = plots.erasing(face, logits)
    left = figure.axes[3].images[0].get_array()
    assert (left[:, :3] == 0).all()
    assert (left[:, 3:] == 100).all()
    assert "50%" in figure.get_suptitle()
    with pytest.raises(FercourseError, match="size"):
        plots.erasing(face, logits[:2])


def test_changes_of_the_paper_and_ours():
    ours = [
        made_row(m, seed=s, accuracy=0.6 + 0.01 * m + 0.001 * s) for m in (4, 5) for s in (0, 1, 2)
    ]
    found = {
        (c.source, c.dataset): c
        for c in changes([*paper_claims(), *ours], 4, 5)
        if c.source == "paper"
    }
    fer = found["paper", "fer2013"]
    assert fer.mean == pytest.approx(73.97 - 73.84)
    # Welch by hand: each mean's squared error is Sta^2 / (N - 1); 2.10 is t for 18 degrees.
    error = math.sqrt((0.26**2 + 0.25**2) / 9)
    assert fer.high - fer.mean == pytest.approx(2.10 * error, rel=0.01)
    assert fer.low < 0 < found["paper", "ckplus"].low
    measured = changes(ours, 4, 5)[0]
    assert measured.mean == pytest.approx(1.0, abs=0.02)  # whole faces only
    assert measured.n == 3


def test_ablation_step_says_where_it_is_clear():
    headline = plots.ablation_step(paper_claims(), 4, 5).get_suptitle()
    assert "CK+" in headline
    assert "FER2013" not in headline
    assert "not clear" in plots.ablation_step(paper_claims(), 3, 4).get_suptitle()
    with pytest.raises(FercourseError, match="model 3"):
        plots.ablation_step([], 3, 4)


def test_compared_checks_sizes():
    few = faces(2)
    figure = plots.compared(few, {"a": torch.rand(2, 48, 48)}, "what it shows")
    assert figure.get_suptitle() == "what it shows"
    with pytest.raises(FercourseError, match="'a'"):
        plots.compared(few, {"a": torch.rand(2, 12, 12)}, "")
    with pytest.raises(FercourseError, match="a map"):
        plots.compared(few, {}, "")
