"""A face aligned by its eyes: level, at their place, undistorted, whatever the picture."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fercourse.detection import align, crop, detect
from fercourse.detection.aligning import EYE_DISTANCE, EYE_LINE
from fercourse.errors import FercourseError


def dots(eyes, size=200, radius=4):
    """A black picture with a white disc on each eye."""
    y, x = np.mgrid[:size, :size]
    discs = [((x - ex) ** 2 + (y - ey) ** 2 < radius**2) for ex, ey in eyes]
    return (255 * np.logical_or(*discs)).astype(np.uint8)


def centres(cut):
    """Centre of mass of the bright in the left and the right half, (x, y)."""
    half = cut.shape[1] // 2
    found = []
    for low, part in ((0, cut[:, :half]), (half, cut[:, half:])):
        weight = part.double()
        y, x = torch.meshgrid(*(torch.arange(n) for n in part.shape), indexing="ij")
        found.append(
            (
                low + float((weight * x).sum() / weight.sum()),
                float((weight * y).sum() / weight.sum()),
            )
        )
    return found


@given(
    angle=st.floats(-80, 80),
    distance=st.floats(30, 60),
    size=st.sampled_from([48, 96, 224]),
)
def test_the_eyes_are_level_and_at_their_place(angle, distance, size):
    turn = math.radians(angle)
    half = (distance / 2 * math.cos(turn), distance / 2 * math.sin(turn))
    eyes = ((100 - half[0], 100 - half[1]), (100 + half[0], 100 + half[1]))
    (x0, y0), (x1, y1) = centres(align(dots(eyes), eyes, size))
    pixel = 0.03 * size
    assert y0 == pytest.approx(EYE_LINE * size, abs=pixel)
    assert y1 == pytest.approx(y0, abs=pixel / 2)
    assert x1 - x0 == pytest.approx(EYE_DISTANCE * size, abs=pixel)
    assert (x0 + x1) / 2 == pytest.approx(size / 2, abs=pixel)


def test_a_margin_grows_around_the_middle():
    eyes = ((80.0, 90.0), (120.0, 90.0))
    (x0, y0), (x1, _) = centres(align(dots(eyes), eyes, 224, margin=1.0))
    assert x1 - x0 == pytest.approx(EYE_DISTANCE * 224 / 2, abs=3)
    assert y0 == pytest.approx(224 * (0.5 + (EYE_LINE - 0.5) / 2), abs=3)


@pytest.fixture(scope="module")
def hopper():
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as file:
        return Image.open(file).convert("RGB")


@pytest.mark.parametrize("turn", [-25, 20])
def test_a_turned_portrait_becomes_level_and_stays_itself(hopper, turn):
    face = detect(hopper.rotate(turn, Image.Resampling.BICUBIC))[0][0]
    assert abs(face.tilt) > 10
    turned = hopper.rotate(turn, Image.Resampling.BICUBIC)
    level = align(turned, face.landmarks, 96)
    (again,) = detect(align(turned, face.landmarks, 224, margin=1.0).numpy())
    assert abs(again[0].tilt) < 5, "MTCNN's eyes err by some degrees"
    upright = align(hopper, detect(hopper)[0][0].landmarks, 96)
    alike = np.corrcoef(level.flatten(), upright.flatten())[0, 1]
    assert alike > 0.85
    assert alike > np.corrcoef(crop(turned, face.box, 96).flatten(), upright.flatten())[0, 1]


def test_colour_and_what_lies_outside():
    picture = np.full((40, 40, 3), 200, np.uint8)
    cut = align(picture, ((2.0, 10.0), (38.0, 10.0)), 48, colour=True)
    assert cut.shape == (48, 48, 3)
    assert cut.dtype == torch.uint8
    assert int(cut[0, 0].max()) == 0
    assert cut[24, 24].tolist() == [200] * 3


def test_one_point_is_no_pair_of_eyes():
    with pytest.raises(FercourseError, match="two different points"):
        align(np.zeros((20, 20), np.uint8), ((5.0, 5.0), (5.0, 5.0)))
    with pytest.raises(FercourseError, match="margin -1"):
        align(np.zeros((20, 20), np.uint8), ((5.0, 5.0), (9.0, 5.0)), margin=-1)
