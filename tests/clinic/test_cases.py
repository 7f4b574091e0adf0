"""The sabotages do what they say, and the examinations find what is there."""

import numpy as np
import pytest
import torch
from tolerances import SUM

from fercourse import FERNet, preset
from fercourse.clinic import cases, examine
from fercourse.clinic.illnesses import ILLNESSES
from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.labels import BASIC
from fercourse.preprocess import normalise

pytestmark = pytest.mark.numeric


def some_faces(n=70, size=48, seed=0):
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 200, (n, size, size), generator=draw).to(torch.uint8)
    return Faces(images, torch.arange(n) % 7)


def some_data():
    return FaceDataset(some_faces(), some_faces(21, seed=1), held_out(some_faces(7)), "made", "0")


def test_every_illness_has_a_case_in_three_severities():
    assert list(cases.CASES) == list(ILLNESSES)
    data = some_data()
    for make, severities in cases.CASES.values():
        assert len(severities) == cases.VARIANTS
        for severity in severities:
            assert len(make(data, **severity).data.val) == 21


def test_what_a_face_shows_is_kept_where_its_label_is_lost():
    data = some_data()
    assert torch.equal(cases.healthy(data).shows, data.train.labels)
    case = cases.shuffled(data, share=0.5)
    assert torch.equal(case.shows, data.train.labels)
    assert not torch.equal(case.data.train.labels, data.train.labels)


def test_shuffled_labels_are_as_many_as_asked_for():
    faces = Faces(torch.zeros(7000, 1, 1, dtype=torch.uint8), torch.arange(7000) % 7)
    changed = (cases.shuffle_labels(faces, 0.4).labels != faces.labels).float().mean()
    assert abs(changed - 0.4 * 6 / 7) < 0.02, "a drawn label is right once in seven times"


def test_other_sources_move_some_classes_and_leave_others():
    faces = some_faces(7)
    assert [e.name for e in BASIC][4:] == ["SAD", "SURPRISE", "NEUTRAL"]
    for order, labels in (
        (cases.ALPHABET, [0, 1, 2, 3, 5, 6, 4]),
        (cases.RAF_DB, [5, 2, 1, 3, 4, 0, 6]),
        (cases.BY_HAND, [0, 1, 4, 3, 2, 5, 6]),
    ):
        assert cases.renumber(faces, order).labels.tolist() == labels


def test_few_people_are_seen_as_often_as_many():
    case = cases.by_heart(some_data(), people=3)
    assert len(case.data.train) == 70
    assert len(case.data.train.images.flatten(1).unique(dim=0)) == 21


def test_a_leak_is_a_share_of_the_validation_faces():
    data = some_data()
    for share in (1.0, 0.5):
        val = cases.leaked(data, share).data.val
        same = (val.images[:, None] == data.train.images[None]).flatten(2).all(2)  # (21, 70)
        assert int(same.any(1).sum()) == round(share * 21)
        rows = same.any(1).nonzero()[:, 0]
        assert torch.equal(val.labels[rows], data.train.labels[same[rows].int().argmax(1)])


def test_the_stamp_alone_gives_the_class_away():
    faces = some_faces()
    stamped = cases.stamp(faces)
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
    first, second = (examine.in_training_mode(model, images) for _ in range(2))
    assert model.training
    assert not torch.equal(first, second), "random pooling draws"
    torch.testing.assert_close(first.sum(1), torch.ones(32), **SUM)


class Corner(torch.nn.Module):
    """Answers 0 where the upper left corner is light."""

    config = preset("smoke").model

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(4.0))

    def forward(self, x):
        light = x[:, 0, :8, :8].mean((1, 2))
        logits = torch.stack([self.weight * (light - 1), *[torch.zeros_like(light)] * 6], 1)
        return type("Output", (), {"logits": logits})


def test_occlusion_and_strips_find_the_only_place_that_matters():
    images = torch.full((4, 48, 48), 255, dtype=torch.uint8)
    faces = Faces(images, torch.zeros(4, dtype=torch.int64))
    falls = examine.occlusion(Corner(), faces)
    assert falls.shape == (11, 11)
    assert falls.argmax() == 0
    assert falls[3:, 3:].abs().max() < 1e-6
    assert float(normalise(images).max()) == 2
    assert examine.masked(Corner(), faces) == [1, 0, 1, 1, 1, 1, 1]


def test_a_step_is_as_long_as_its_rate_says_and_lambda_drowns():
    faces = some_faces(128)
    well, alone = examine.gradients(cases.recipe(), faces)
    long, _ = examine.gradients(cases.recipe(**{"train.lr": 1.0}), faces)
    _, drowned = examine.gradients(cases.recipe(**{"loss.weight": 5.0}), faces)
    assert list(well)[:5] == [f"block {k}" for k in range(1, 6)]
    for part in well:
        assert long[part] == pytest.approx(20 * well[part], rel=0.02)
    assert max(alone.values()) < 2
    assert max(drowned.values()) > 20


def test_the_worst_faces_are_different_ones_and_know_their_twins():
    data = cases.leaked(cases.by_heart(some_data(), people=3).data, 1.0).data
    case = cases.Case(cases.recipe(), data)
    judged = torch.rand(21, 7, generator=torch.Generator().manual_seed(0)).softmax(1)
    torch.manual_seed(0)
    found = examine.worst_faces(case, FERNet(case.config.model), judged)
    assert found["apart"] == [0.0] * 5
    sheet = examine.from_png(found["picture"])
    assert sheet.shape == (3 * 48, 5 * 48)
    rows = np.split(sheet, 3)
    assert (rows[1] == rows[2]).all()
    firsts = {face.tobytes() for face in np.split(rows[0], 5, axis=1)}
    assert len(firsts) == 5


def test_a_picture_keeps_black_white_and_sixteen_levels():
    sheet = torch.arange(256, dtype=torch.uint8).reshape(16, 16)
    back = examine.from_png(examine.to_png(sheet)).astype(int)
    assert np.abs(back - sheet.numpy()).max() <= 9
    assert back[0, 0] == 0
    assert back[-1, -1] == 255
