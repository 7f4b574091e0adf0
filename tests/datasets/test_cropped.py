"""The paper's crops: found once, cut for every split, in training and in judging alike."""

import pytest
import torch

from fercourse import load, preset
from fercourse.datasets import cropped
from fercourse.datasets.faces import HeldOutFaces
from fercourse.datasets.load import load_config

pytestmark = pytest.mark.numeric


def test_crops_come_from_the_cache_the_second_time(monkeypatch, tmp_path):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path))
    config = preset("smoke", **{"data.count": 42, "data.size": 64, "data.crop": True}).data
    first = load_config(config)
    assert len(list(tmp_path.glob("boxes-*.npy"))) == 3

    monkeypatch.setattr(cropped, "find_boxes", None)  # a second search would fail
    second = load_config(config)
    plain = load("synthetic", size=64, count=42)
    for name, faces in first.splits.items():
        # cut by Pillow, in whole numbers, from the boxes that were kept
        assert torch.equal(faces.images, second.splits[name].images)
        assert faces.images.shape == plain.splits[name].images.shape
        assert not torch.equal(faces.images, plain.splits[name].images)
        assert torch.equal(faces.labels, plain.splits[name].labels)
        assert faces.masks.shape == faces.images.shape
    assert isinstance(first.test, HeldOutFaces)
