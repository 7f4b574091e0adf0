"""The truth about drawn faces is exact: what it marks changes, and nothing else does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fercourse import FercourseError, load
from fercourse.datasets import synthetic
from fercourse.datasets.cropped import cut, cut_faces
from fercourse.datasets.faces import Faces
from fercourse.datasets.synthetic import LEVEL, UNITS
from fercourse.datasets.synthetic import drawing as module
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.truth import own_units, truth

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def faces() -> Faces:
    return load("synthetic", size=48, count=42, seed=2).train


def test_a_masks_pixels_change_when_the_unit_is_put_to_rest_and_no_others(faces):
    """Every acting unit of some faces, switched off by hand and drawn again."""
    few = faces[:6]
    index = torch.tensor([int(i.split("-")[1]) for i in few.ids])
    identity = torch.tensor([int(s) for s in few.subjects])
    units = intensities(few.labels, index, 2, 0.5)
    met = 0
    for n in range(len(few)):
        for k in range(len(UNITS)):
            calm = units[n : n + 1].clone()
            calm[:, k] = 0
            if units[n, k].max() <= 0.1:
                assert not (few.masks[n] >> k & 1).any()
                continue
            met += 1
            at = slice(n, n + 1)
            twin = synthetic.render(calm, identity[at], index[at], 2, 48, 0.5).images[0]
            change = (few.images[n].int() - twin.int()).abs()
            assert torch.equal((few.masks[n] >> k & 1).bool(), change >= LEVEL)
            assert torch.equal(few.changes[n, k].int(), change)
    assert met > 10


def test_masks_lie_in_the_regions_mostly_and_are_far_smaller(faces):
    exact, loose = truth(faces), truth(faces, regions=True)
    assert (exact & loose).sum() > 0.85 * exact.sum()
    assert exact.float().mean() < 0.5 * loose.float().mean()


def test_the_truth_of_a_face_does_not_depend_on_its_batch(faces):
    assert torch.equal(faces[3:5].masks, faces.masks[3:5])
    assert torch.equal(faces[np.array([5, 2])].masks, faces.masks[[5, 2]])


def test_neutral_faces_have_no_truth_of_their_own(faces):
    assert not truth(faces)[faces.labels == 6].any()
    assert own_units(torch.tensor([6])).sum() == 0


def test_drawing_without_masks_draws_each_face_once(monkeypatch):
    drawn = []
    once = module.render

    def counted(units, *others, **more):
        drawn.append(len(units))
        return once(units, *others, **more)

    monkeypatch.setattr(module, "render", counted)
    data = synthetic.dataset(size=32, count=21)
    assert not drawn
    assert data.train.masks is not None
    assert sum(drawn) > len(data.train)


def test_masks_of_a_large_set_are_kept_and_read_back(faces, monkeypatch, tmp_path):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "_WORTH_KEEPING", 10)
    first = faces.drawing.masks(faces.images)
    kept = list(tmp_path.rglob("masks-*.npz"))
    assert len(kept) == 1
    monkeypatch.setattr(module.Drawing, "changes", None)  # so that nothing can be drawn again
    assert torch.equal(faces.drawing.masks(faces.images), first)
    monkeypatch.undo()
    kept[0].write_bytes(b"damaged")
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "_WORTH_KEEPING", 10)
    assert torch.equal(faces.drawing.masks(faces.images), first)


def test_cut_faces_keep_their_truth(faces):
    few = faces[:4]
    boxes = torch.tensor([[4.0, 6.0, 44.0, 46.0]]).repeat(4, 1)
    small = cut_faces(few, boxes, 96)
    assert small.masks.shape == (4, 96, 96)
    again = cut(few.drawing.at_rest(small.drawing.acting() & False), boxes, 96)
    assert torch.equal(again, small.images)  # nothing at rest: the picture itself
    share = (small.masks != 0).float().mean()
    assert share > 0.5 * (few.masks != 0).float().mean()
    assert small.regions.shape == (4, 96, 96)


def test_photographs_have_no_truth(faces):
    photographs = replace(faces, drawing=None)
    assert photographs.masks is photographs.regions is photographs.changes is None
    with pytest.raises(FercourseError, match="no masks"):
        truth(photographs)


def test_one_drawn_face_says_the_same():
    face = synthetic.draw("happy", identity=3, size=96)
    assert set(face.masks) <= set(face.changes) == set(face.regions)
    for unit, mask in face.masks.items():
        assert np.array_equal(mask, face.changes[unit] >= LEVEL)
        assert (mask & face.regions[unit]).sum() > 0.8 * mask.sum()
