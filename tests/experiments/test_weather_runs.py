"""Recognisers in bad weather: the counts are those of corrupt, cure and predict by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import fercourse
from fercourse import FercourseError
from fercourse.evaluation.predict import evaluate, probabilities
from fercourse.experiments.weather_runs import weather_of, weather_of_classics
from fercourse.shallow import CLASSICS
from fercourse.weather import CORRUPTIONS, corrupt, cure


@pytest.fixture(scope="module")
def data():
    return fercourse.load("synthetic", count=350, difficulty=0.1)


def test_a_network_after_each_cure(data):
    trained = fercourse.pretrained("synthetic", 1)
    plain, brighter = weather_of(trained, data, ("none", "gamma"), "cpu")
    test = data.test
    assert (plain.variant, plain.cure, brighter.cure) == ("model1", "none", "gamma")
    assert plain.run == trained.key
    assert plain.recipe.startswith("48 px, width ")
    assert plain.accuracy == pytest.approx(evaluate(trained.network, test, device="cpu").accuracy)
    hits = np.zeros(len(test), int)
    for kind in CORRUPTIONS:
        for severity in (1, 2, 3, 4, 5):
            worse = corrupt(test.images, kind, severity)
            right = probabilities(trained.network, worse, device="cpu").argmax(1) == test.labels
            assert plain.right[kind][severity - 1] == int(right.sum())
            hits += right.numpy()
    assert (plain.per_face == hits).all()
    mended = cure(corrupt(test.images, "fog", 4), "gamma")
    right = probabilities(trained.network, mended, device="cpu").argmax(1) == test.labels
    assert brighter.right["fog"][3] == int(right.sum())


def test_training_in_fog_is_in_the_name(data):
    trained = fercourse.pretrained("synthetic", 1)
    fogged = replace(trained, run=trained.run.change(**{"train.fog": 0.5}))
    (row,) = weather_of(fogged, data, device="cpu")
    assert row.variant == "model1-fog"


def test_the_classics_are_trained_and_judged(data):
    rows = list(weather_of_classics(data))
    assert [row.variant for row in rows] == list(CLASSICS)
    assert all(row.n == len(data.test) for row in rows)
    assert max(row.accuracy for row in rows) > 0.4, "chance is 0.14"
    assert torch.tensor([row.bad for row in rows]).lt(max(row.accuracy for row in rows)).all()


def test_folds_would_need_a_training_each(data):
    with pytest.raises(FercourseError, match="ckplus is cut into folds"):
        next(iter(weather_of_classics(replace(data, name="ckplus"))))
