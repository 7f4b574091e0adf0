"""The built-in faces: the same for the same seed, and true to what is said about them."""

import re

import numpy as np
import pytest
import torch
from tolerances import DOUBLE

import fercourse
from fercourse.datasets import synthetic
from fercourse.datasets.faces import HeldOutFaces
from fercourse.datasets.synthetic import PROTOTYPES, UNIT_NAMES, UNITS
from fercourse.datasets.synthetic.canvas import Canvas, bumps, fold, unfold
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.synthetic.film import _jpeg
from fercourse.datasets.synthetic.random import normal, uniform
from fercourse.errors import FercourseError
from fercourse.labels import BASIC, Expression

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def data():
    return synthetic.dataset(size=48, count=210, seed=3)


def one_by_one(size: int = 96) -> tuple[torch.Tensor, torch.Tensor]:
    """Every unit alone at full strength, on three people, after each one's face at rest.

    Returns images and regions, (3, 1 + U, size, size).
    """
    people = torch.tensor([3, 8, 21])
    units = torch.cat([torch.zeros(1, len(UNITS)), torch.eye(len(UNITS))])
    units = units[:, :, None].expand(-1, -1, 2).repeat(3, 1, 1)
    who = people.repeat_interleave(1 + len(UNITS))
    faces = synthetic.render(units, who, torch.zeros_like(who), 0, size, 0.0, regions=True)
    shape = (3, 1 + len(UNITS), size, size)
    return faces.images.view(shape).int(), faces.regions.view(shape)


class TestDataset:
    def test_every_field_is_there(self, data):
        for split in data.splits.values():
            assert split.images.dtype == torch.uint8
            assert split.images.shape[1:] == (48, 48)
            assert split.masks.dtype == torch.int32
            assert split.masks.shape == split.images.shape
            assert len(set(split.ids)) == len(split)
        assert isinstance(data.test, HeldOutFaces)
        assert data.name == "synthetic"

    def test_splits_are_70_15_15_and_share_no_subject(self, data):
        train, val, test = (set(split.subjects) for split in data.splits.values())
        assert len(train | val | test) == len(train) + len(val) + len(test)
        shares = [len(split) / 210 for split in data.splits.values()]
        assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.05)

    @pytest.mark.parametrize("count", [21, 100, 210])
    def test_labels_are_balanced(self, count):
        data = synthetic.dataset(size=32, count=count)
        counts = sum(split.counts() for split in data.splits.values())
        assert counts.sum() == count
        assert counts.max() - counts.min() <= 1
        assert all(len(split) for split in data.splits.values())

    def test_a_seed_is_a_data_set(self, data):
        again = synthetic.dataset(size=48, count=210, seed=3)
        assert again.fingerprint == data.fingerprint
        assert torch.equal(again.train.images, data.train.images)
        assert torch.equal(again.test.masks, data.test.masks)
        other = synthetic.dataset(size=48, count=210, seed=4)
        assert other.fingerprint != data.fingerprint
        assert not set(other.train.subjects) & set(data.train.subjects)

    def test_a_longer_data_set_begins_with_the_shorter(self, data):
        longer = synthetic.dataset(size=48, count=280, seed=3)
        pixels = {
            i: x for s in longer.splits.values() for i, x in zip(s.ids, s.images, strict=True)
        }
        for split in data.splits.values():
            for name, image in zip(split.ids, split.images, strict=True):
                assert torch.equal(image, pixels[name])

    def test_harder_faces_differ_more(self):
        def spread(difficulty: float) -> float:
            faces = synthetic.dataset(size=32, count=210, difficulty=difficulty).train
            return faces.of("happy").images.float().std(0).mean().item()

        assert spread(0.0) < spread(0.5) < spread(1.0)

    def test_load_delegates(self):
        direct = synthetic.dataset(size=32, count=42, seed=5, difficulty=0.2)
        loaded = fercourse.load("synthetic", size=32, count=42, seed=5, difficulty=0.2)
        assert loaded.fingerprint == direct.fingerprint


class TestRandom:
    def test_numbers_belong_to_the_index(self):
        together = uniform(7, "x", torch.arange(100), 5)
        alone = torch.cat([uniform(7, "x", torch.tensor([i]), 5) for i in range(100)])
        assert torch.equal(together, alone)
        assert not torch.equal(together, uniform(8, "x", torch.arange(100), 5))
        assert not torch.equal(together, uniform(7, "y", torch.arange(100), 5))

    def test_distributions(self):
        u = uniform(0, "u", torch.arange(20_000), 3)
        assert ((u > 0) & (u < 1)).all()
        assert (u.mean(0) - 0.5).abs().max() < 0.01
        assert (u.var(0) - 1 / 12).abs().max() < 0.003
        assert abs(torch.corrcoef(u.T)[0, 1]) < 0.03
        z = normal(0, "z", torch.arange(20_000), 1)
        assert abs(z.mean()) < 0.03
        assert abs(z.std() - 1) < 0.03

    def test_batches_do_not_change_a_face(self):
        index = torch.arange(45)
        labels = index % 7
        units = intensities(labels, index, 1, 1.0)
        whole = synthetic.render(units, index // 7, index, 1, 48, 1.0, regions=True)
        for size in (1, 7, 44):
            parts = [
                synthetic.render(u, i // 7, i, 1, 48, 1.0, regions=True)
                for u, i in zip(units.split(size), index.split(size), strict=True)
            ]
            assert torch.equal(torch.cat([p.images for p in parts]), whole.images)
            assert torch.equal(torch.cat([p.regions for p in parts]), whole.regions)


class TestUnits:
    def test_prototypes_use_drawn_units(self):
        assert set(PROTOTYPES) == set(Expression)
        assert all(unit in UNIT_NAMES for units in PROTOTYPES.values() for unit in units)
        assert PROTOTYPES[Expression.FEAR] == (1, 2, 4, 5, 7, 20, 26)

    def test_prototype_acts_at_difficulty_zero(self):
        labels = torch.arange(7)
        units = intensities(labels, labels, 0, 0.0).mean(-1)
        for expression in BASIC:
            for unit in PROTOTYPES[expression]:
                assert units[expression, UNITS.index(unit)] > 0.5
        assert units[Expression.NEUTRAL, UNITS.index(4)] == 0

    def test_intensities_vary_and_sides_differ(self):
        index = torch.arange(300)
        units = intensities(torch.full_like(index, Expression.HAPPY), index, 0, 0.5)
        smile = units[:, UNITS.index(12)]
        assert ((units >= 0) & (units <= 1)).all()
        assert smile.std(0).min() > 0.05
        assert (smile[:, 0] - smile[:, 1]).abs().mean() > 0.02


class TestRegions:
    def test_a_unit_moves_the_face_inside_its_region_only(self):
        images, regions = one_by_one()
        for k, unit in enumerate(UNITS):
            moved = (images[:, 1 + k] - images[:, 0]).abs()
            inside = (regions[:, 1 + k] >> k & 1).bool()
            assert moved.amax((1, 2)).min() > 40, f"AU{unit} is not seen"
            outside = torch.where(inside, 0, moved)
            assert outside.max() <= 16, f"AU{unit} moves pixels outside its region"
            assert (moved * inside).sum() > 0.92 * moved.sum(), f"AU{unit}"
            assert inside.float().mean() < 0.6, f"AU{unit}'s region says nothing"

    def test_only_active_units_have_a_region(self):
        _, regions = one_by_one()
        assert (regions[:, 0] == 0).all()
        for k in range(len(UNITS)):
            assert set(regions[:, 1 + k].unique().tolist()) == {0, 1 << k}

    def test_one_side_only(self):
        face = synthetic.draw(aus={12: (1.0, 0.0)}, size=96)
        half = face.regions[12].shape[1] // 2
        assert face.regions[12][:, :half].any()
        assert not face.regions[12][:, half + 1 :].any()
        # The lips are one: they change a little beyond the middle.
        assert face.masks[12][:, :half].sum() > 5 * face.masks[12][:, half + 1 :].sum()

    def test_regions_follow_the_pose(self):
        index = torch.arange(16)
        units = torch.zeros(16, len(UNITS), 2)
        units[:, UNITS.index(5)] = 1
        faces = synthetic.render(units, index, index, 2, 96, 0.6, regions=True)
        eyes = faces.landmarks[:, :2].round().long().clamp(0, 95)
        hit = [
            (mask[y, x] != 0).item()
            for mask, pair in zip(faces.regions, eyes, strict=True)
            for x, y in pair.tolist()
        ]
        assert np.mean(hit) > 0.85  # some lie behind a hand or a lock of hair


class TestDraw:
    def test_landmarks_lie_in_the_box_and_in_order(self):
        index = torch.arange(140)
        units = intensities(index % 7, index, 0, 0.5)
        faces = synthetic.render(units, index, index, 0, 48, 0.5)
        marks, boxes = faces.landmarks, faces.boxes
        assert (marks > boxes[:, None, :2]).all()
        assert (marks < boxes[:, None, 2:]).all()
        left_eye, right_eye, nose, left, right = marks.unbind(1)
        assert (left_eye[:, 0] < right_eye[:, 0]).all()
        assert (left[:, 0] < right[:, 0]).all()
        assert (nose[:, 1] < (left[:, 1] + right[:, 1]) / 2).all()

    def test_landmarks_sit_on_what_they_name(self):
        # A pupil is darker than the white of the eye beside it.
        face = synthetic.draw(aus={5: 1.0}, identity=4, size=224)
        image = face.image.astype(float)
        for x, y in face.landmarks[:2].round().astype(int):
            pupil = image[y - 2 : y + 3, x - 2 : x + 3].mean()
            around = image[y - 4 : y + 5, x - 16 : x + 17].max()
            assert pupil < around - 60

    def test_draw_is_deterministic_and_takes_units(self):
        a, b = (synthetic.draw("happy", identity=5, seed=9, difficulty=0.5) for _ in range(2))
        assert np.array_equal(a.image, b.image)
        assert a.image.shape == (224, 224)
        assert a.aus == b.aus
        c = synthetic.draw(aus={12: 0.5, 4: (0.2, 0.4)}, size=64)
        assert c.aus == {4: 0.3, 12: 0.5}
        assert set(c.masks) == {4, 12}

    def test_same_person_in_the_data_set_and_alone(self, data):
        faces = data.train.of("neutral")
        alone = synthetic.draw("neutral", identity=int(faces.subjects[0]), size=48, margin=0.0)
        other = synthetic.draw("neutral", identity=99_999, size=48, margin=0.0)
        easy = synthetic.dataset(size=48, count=210, seed=3, difficulty=0.0)
        all_easy = {
            s: x
            for split in easy.splits.values()
            for s, y, x in zip(split.subjects, split.labels, split.images, strict=True)
            if y == Expression.NEUTRAL
        }
        centre = (slice(14, 34), slice(14, 34))
        truth = all_easy[faces.subjects[0]].numpy().astype(float)[centre]
        same = np.corrcoef(truth.ravel(), alone.image[centre].ravel())[0, 1]
        assert same > 0.95
        assert same > np.corrcoef(truth.ravel(), other.image[centre].ravel())[0, 1]


class TestScene:
    @pytest.mark.parametrize("count", [1, 5, 12])
    def test_faces_are_apart_and_in_the_picture(self, count):
        scene = synthetic.scene(count, size=256, seed=count)
        assert scene.image.shape == (256, 256)
        assert scene.boxes.shape == (count, 4)
        assert scene.landmarks.shape == (count, 5, 2)
        assert len(scene.expressions) == count
        middles = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2
        assert ((middles > 0) & (middles < 256)).all()
        assert ((scene.landmarks > scene.boxes[:, None, :2]).all(-1)).all()
        for i in range(count):
            for j in range(i):
                assert np.abs(middles[i] - middles[j]).max() > 256 / 8


class TestParts:
    def test_fold_is_the_inverse_of_unfold(self):
        halves = torch.randn(3, 2, 5, 4)
        assert torch.equal(fold(unfold(halves)), halves)

    def test_bumps_against_plain_arithmetic(self):
        canvas = Canvas(10.0)
        got = bumps(
            canvas, [(0.5, 0.4, 0.1, 0.2, 0.3, 0.2, 0.4), (1.0, 0.0, 0.3, 0.3, 0, 0.5, 0.5)]
        )
        s, y = np.asarray(canvas.s), np.asarray(canvas.y)
        first = np.exp(-(((s - 0.4) / np.where(s < 0.4, 0.1, 0.2)) ** 2))
        first = 0.5 * first * np.exp(-(((y - 0.3) / np.where(y < 0.3, 0.2, 0.4)) ** 2))
        second = np.exp(-((s / 0.3) ** 2)) * np.exp(-((y / 0.5) ** 2))
        assert np.allclose(got[0, 0], first + second, **DOUBLE)

    def test_jpeg_is_exact_on_flat_pictures_and_worse_at_low_quality(self):
        flat = torch.full((1, 20, 20), 128.0, dtype=torch.float64)
        assert torch.allclose(_jpeg(flat, torch.tensor([50.0])), flat, **DOUBLE)
        rough = 255 * torch.rand(1, 24, 24, generator=torch.Generator().manual_seed(0)).double()
        loss = [(_jpeg(rough, torch.tensor([q])) - rough).abs().mean() for q in (100.0, 60.0, 20.0)]
        assert loss[0] < 1 < loss[1] < loss[2]

    def test_montage(self):
        pictures = torch.arange(5, dtype=torch.uint8)[:, None, None].expand(5, 2, 3)
        sheet = synthetic.montage(pictures, 3)
        assert sheet.shape == (4, 9)
        assert sheet[0, ::3].tolist() == [0, 1, 2]
        assert sheet[2, ::3].tolist() == [3, 4, 255]


BAD = [
    (synthetic.dataset, {"size": 31}, "size"),
    (synthetic.dataset, {"size": 48.5}, "size"),
    (synthetic.dataset, {"count": 20}, "count"),
    (synthetic.dataset, {"count": "many"}, "count"),
    (synthetic.dataset, {"seed": -1}, "seed"),
    (synthetic.dataset, {"seed": 2001}, "seed"),
    (synthetic.dataset, {"difficulty": 1.5}, "difficulty"),
    (synthetic.dataset, {"difficulty": float("nan")}, "difficulty"),
    (synthetic.dataset, {"difficulty": None}, "difficulty"),
    (synthetic.dataset, {"device": "toaster"}, "toaster"),
    (synthetic.draw, {"expression": "smug"}, "smug"),
    (synthetic.draw, {"expression": "happy", "aus": {12: 1.0}}, "not both"),
    (synthetic.draw, {"aus": {3: 1.0}}, "3 is not an action unit"),
    (synthetic.draw, {"aus": {12: 1.2}}, "AU12"),
    (synthetic.draw, {"aus": {12: (0.1, 0.2, 0.3)}}, "AU12"),
    (synthetic.draw, {"aus": [12]}, "aus"),
    (synthetic.draw, {"identity": -1}, "identity"),
    (synthetic.draw, {"identity": "Grace"}, "identity"),
    (synthetic.draw, {"size": 0}, "size"),
    (synthetic.draw, {"seed": 0.5}, "seed"),
    (synthetic.draw, {"difficulty": "hard"}, "difficulty"),
    (synthetic.draw, {"margin": -0.1}, "margin"),
    (synthetic.scene, {"count": 0}, "count"),
    (synthetic.scene, {"count": 13}, "count"),
    (synthetic.scene, {"size": 64}, "size"),
    (synthetic.scene, {"seed": -3}, "seed"),
    (synthetic.scene, {"difficulty": 2}, "difficulty"),
    (synthetic.montage, {"images": torch.zeros(2, 4, 4), "columns": 1}, "uint8"),
    (synthetic.montage, {"images": torch.zeros(0, 4, 4, dtype=torch.uint8), "columns": 1}, "uint8"),
    (synthetic.montage, {"images": torch.zeros(1, 4, 4, dtype=torch.uint8), "columns": 0}, "col"),
]


@pytest.mark.parametrize(("function", "arguments", "word"), BAD)
def test_a_bad_value_is_answered_in_one_sentence(function, arguments, word):
    with pytest.raises(FercourseError, match=re.escape(word)) as error:
        function(**arguments)
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
