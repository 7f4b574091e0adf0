"""Lesson 20: the sabotages do what they say, the charts show it, and the clues fit the answers."""

import numpy as np
import pytest
import torch
from tolerances import SUM

from fercourse import FercourseError, FERNet, preset
from fercourse import clinic as ward
from fercourse.datasets.faces import Faces
from fercourse.exercises import clinic
from fercourse.labels import BASIC
from fercourse.plots import patient_chart
from fercourse.preprocess import normalise

pytestmark = pytest.mark.numeric

PATIENTS = "abcde"


def some_faces(n=70, size=48):
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 200, (n, size, size), generator=draw).to(torch.uint8)
    return Faces(images, torch.arange(n) % 7)


def test_shuffled_labels_are_as_many_as_asked_for():
    faces = Faces(torch.zeros(7000, 1, 1, dtype=torch.uint8), torch.arange(7000) % 7)
    changed = (ward.shuffle_labels(faces, 0.4).labels != faces.labels).float().mean()
    assert abs(changed - 0.4 * 6 / 7) < 0.02, "a drawn label is right once in seven times"


def test_alphabetical_moves_three_classes():
    faces = some_faces(7)
    assert ward.alphabetical(faces).labels.tolist() == [0, 1, 2, 3, 5, 6, 4]
    assert [e.name for e in BASIC][4:] == ["SAD", "SURPRISE", "NEUTRAL"]


def test_the_stamp_alone_gives_the_class_away():
    faces = some_faces()
    stamped = ward.stamp(faces)
    assert torch.equal(stamped.images[:, :43], faces.images[:, :43])
    for label in range(7):
        white = (stamped.images[faces.labels == label] == 255).all(0)  # (48, 48)
        assert int(white.sum()) == 16
        assert int(white.any(0).nonzero().min()) // 6 == label
    assert not (faces.images == 255).any(), "the faces given stay as they are"


def test_in_training_mode_judges_by_its_neighbours():
    torch.manual_seed(0)
    model = FERNet(preset("smoke", 3).model)
    images = some_faces(32).images
    first, second = (ward.in_training_mode(model, images) for _ in range(2))
    assert model.training
    assert not torch.equal(first, second), "random pooling draws"
    torch.testing.assert_close(first.sum(1), torch.ones(32), **SUM)


def test_occlusion_finds_the_only_place_that_matters():
    class Corner(torch.nn.Module):
        config = preset("smoke").model

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(4.0))

        def forward(self, x):
            light = x[:, 0, :8, :8].mean((1, 2))
            logits = torch.stack([self.weight * light, *[torch.zeros_like(light)] * 6], 1)
            return type("Output", (), {"logits": logits})

    images = torch.full((4, 48, 48), 255, dtype=torch.uint8)
    falls = ward.occlusion(Corner(), Faces(images, torch.zeros(4, dtype=torch.int64)))
    assert falls.shape == (11, 11)
    assert falls.argmax() == 0
    assert falls[3:, 3:].abs().max() < 1e-6
    assert float(normalise(images).max()) == 2


def test_the_charts_show_what_the_lesson_says():
    charts = {name: ward.recorded(name) for name in ward.CASES}
    last = {name: chart.history[-1] for name, chart in charts.items()}
    well = last["healthy"]
    assert well["train_accuracy"] > well["val_accuracy"] > 0.85
    matrix = np.array(charts["a"].confusion)
    assert (matrix[[0, 1, 2, 3], [0, 1, 2, 3]] > 0.8 * matrix.sum(1)[:4]).all()
    assert (matrix[[4, 5, 6], [6, 4, 5]] > 0.6 * matrix.sum(1)[4:]).all()
    assert last["b"]["val_accuracy"] > last["b"]["train_accuracy"]
    assert charts["c"].twice[0] != charts["c"].twice[1]
    assert all(charts[name].twice[0] == charts[name].twice[1] for name in "abde")
    assert last["c"]["train_accuracy"] == well["train_accuracy"]
    assert last["d"]["train_loss"] > 500 * last["d"]["train_ce"]
    assert abs(last["d"]["train_ce"] - np.log(7)) < 0.02
    looks = np.array(charts["e"].looks)
    assert last["e"]["val_accuracy"] > well["val_accuracy"]
    assert looks[-1].sum() > 0.8 * looks.clip(0).sum()


def test_a_chart_is_drawn_and_an_unknown_one_told():
    text = patient_chart(ward.recorded("c"), "Patient C", ward.recorded("healthy"))
    assert "judged again" in " ".join(text._suptitle.get_text().split())
    with pytest.raises(FercourseError, match="no chart of 'z'"):
        ward.recorded("z")


def check_of(patient):
    return getattr(clinic, f"check_diagnose_{patient}")


@pytest.mark.parametrize("patient", PATIENTS)
def test_the_right_name_passes_in_any_style(patient):
    solution = getattr(clinic, f"diagnose_{patient}")
    answer = solution()
    assert answer in ward.ILLNESSES
    for style in (solution, lambda: str(answer), lambda: max(ward.ILLNESSES, key=answer.__eq__)):
        assert check_of(patient)(style)


@pytest.mark.parametrize("patient", PATIENTS)
def test_every_wrong_name_gets_a_clue_that_does_not_name_the_right_one(patient):
    right = getattr(clinic, f"diagnose_{patient}")()
    for wrong in set(ward.ILLNESSES) - {right}:
        verdict = check_of(patient)(lambda wrong=wrong: wrong)
        assert not verdict
        assert verdict.message.startswith(f"Not {wrong}. ")
        clue = verdict.message.removeprefix(f"Not {wrong}. ")
        assert clue == clinic.CLUES[patient].get(wrong, clinic.CLUES[patient][""])
        assert right not in clue


@pytest.mark.parametrize(
    ("patient", "wrong", "word"),
    [
        ("a", "left in training mode", "twice"),
        ("a", "too little regularisation", "cells"),
        ("b", "too little regularisation", "way round"),
        ("b", "learning rate too low", "ahead"),
        ("c", "permuted label order", "smeared"),
        ("c", "island loss too heavy", "headline"),
        ("d", "learning rate too high", "leap"),
        ("d", "shuffled labels", "are right"),
        ("e", "training faces in validation", "look at the face"),
        ("e", "healthy", "sooner"),
    ],
)
def test_clues(patient, wrong, word):
    assert word in check_of(patient)(lambda: wrong).message


@pytest.mark.parametrize("answer", ["flu", None, 3, ["healthy"]])
def test_what_is_no_name_is_told(answer):
    assert "no name from ward.ILLNESSES" in check_of("a")(lambda: answer).message


def test_the_five_patients_have_five_illnesses():
    assert len({getattr(clinic, f"diagnose_{p}")() for p in PATIENTS}) == 5
