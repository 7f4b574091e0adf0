"""Figures of lessons 17 and 18: drawn without a warning, and their headlines say what is true."""

import io
import warnings

import pytest
import torch
from PIL import Image

from fercourse import plots
from fercourse.detection import Detection
from fercourse.evaluation.recognise import FacePrediction
from fercourse.runs.paper import paper_claims


def said(figure) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png", dpi=60)
    return " ".join(figure.get_suptitle().split())


def test_a_photograph_names_the_two_likeliest():
    detection = Detection((10.0, 10.0, 40.0, 50.0), 0.99, ((15.0, 20.0),) * 5)
    reading = FacePrediction(detection, (0.1, 0.0, 0.0, 0.6, 0.25, 0.05, 0.0))
    face = torch.zeros(48, 48, dtype=torch.uint8)
    text = said(plots.from_photo(Image.new("RGB", (60, 60)), face, reading))
    assert "Happy with 60%" in text
    assert "Sad (25%)" in text


def test_reliability_gives_confidence_minus_accuracy():
    sure = torch.tensor([[0.9, 0.1]]).repeat(10, 1)
    labels = torch.tensor([0] * 6 + [1] * 4)
    assert "Softmax is 30.0 points too sure" in said(plots.reliability({"softmax": sure}, labels))


@pytest.mark.parametrize(("turns", "word"), [(True, "changes with rotation"), (False, "stays")])
def test_sensitivity_names_what_turns_the_answer(turns, word):
    still = torch.tensor([[0.7, 0.1, 0.1, 0.05, 0.03, 0.01, 0.01]]).repeat(3, 1)
    other = still.clone()
    if turns:
        other[2] = other[2].flip(0)
    figure = plots.sensitivity(
        {"margin (share)": ([0, 1, 2], still), "rotation (degrees)": ([-5, 0, 5], other)}, [0, 0]
    )
    assert word in said(figure)


def test_groups_are_cut_along_the_order():
    order = torch.arange(100).flip(0)  # the last face has the lowest value
    right = order >= 20  # only the lowest fifth is missed
    images = torch.zeros(100, 8, 8, dtype=torch.uint8)
    text = said(plots.accuracy_by_group({"model": right}, order, images))
    assert "model +100.0 ± 0.0" in text


def test_the_class_really_meant_is_named():
    text = said(plots.claimed_counts({"sad": 500, "happy": 7000}))
    assert "disgust (436)" in text
    assert "sad (4,830)" in text


def test_sta_stands_beside_the_error_of_the_test_set():
    rows = [row for row in paper_claims() if row.plan == "table2"]
    text = said(plots.sta_beside_error(rows, {"fer2013": 3589}))
    # sqrt(0.5872 * 0.4128 / 3589) = 0.822 over 0.41; sqrt(0.7408 * 0.2592 / 3589) = 0.731 over 0.24
    assert text.startswith("The luck of the test set is 2.0 to 3.0 times")
