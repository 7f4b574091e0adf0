"""The fifteen-fold set, the two recipes and mixup, against arithmetic done here."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tolerances import GREY, STEP, SUM

from fercourse import FercourseError
from fercourse.augment import (
    COURSE,
    FIFTEEN,
    augment,
    fifteen_fold,
    foggy,
    mixup,
    mixup_share,
    warp,
)
from fercourse.preprocess import normalise

pytestmark = pytest.mark.numeric


def noise(n: int, h: int = 48, w: int = 48, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, h, w), generator=generator, dtype=torch.uint8)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(h: int = 48, w: int = 48) -> torch.Tensor:
    """A picture without symmetry and without sharp edges."""
    y, x = np.mgrid[:h, :w]
    value = 110 + 60 * np.sin(x / 7 + 1) + 50 * np.cos(y / 5) + 0.4 * x
    return torch.from_numpy(value.clip(0, 255).astype(np.uint8))[None]


def rotated_by_hand(image: np.ndarray, degrees: float) -> np.ndarray:
    """Counter-clockwise about the middle, bilinear, border repeated: one pixel at a time."""
    h, w = image.shape
    a = math.radians(degrees)
    result = np.empty((h, w))
    for i in range(h):
        for j in range(w):
            right, up = j - (w - 1) / 2, (h - 1) / 2 - i
            x = right * math.cos(a) + up * math.sin(a) + (w - 1) / 2
            y = (h - 1) / 2 - (up * math.cos(a) - right * math.sin(a))
            x, y = min(max(x, 0), w - 1), min(max(y, 0), h - 1)
            x0, y0 = min(int(x), w - 2), min(int(y), h - 2)
            fx, fy = x - x0, y - y0
            top = image[y0, x0] * (1 - fx) + image[y0, x0 + 1] * fx
            bottom = image[y0 + 1, x0] * (1 - fx) + image[y0 + 1, x0 + 1] * fx
            result[i, j] = top * (1 - fy) + bottom * fy
    return result


def test_normalise_maps_black_and_white_to_minus_two_and_two():
    images = torch.tensor([[[0, 255]]], dtype=torch.uint8)
    out = normalise(images)
    assert out.shape == (1, 1, 1, 2)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.flatten(), torch.tensor([-2.0, 2.0]), **STEP)


@pytest.mark.parametrize("bad", [torch.zeros(2, 4, 4), torch.zeros(4, 4, dtype=torch.uint8)])
def test_only_uint8_batches_are_taken(bad):
    for function in (normalise, fifteen_fold, augment):
        with pytest.raises(FercourseError, match="uint8"):
            function(bad)


def test_fifteen_are_five_angles_by_three_flips():
    angles = {angle for angle, _ in FIFTEEN}
    flips = {flip for _, flip in FIFTEEN}
    assert len(set(FIFTEEN)) == 15
    assert angles == {-10, -5, 0, 5, 10}
    assert flips == {(1, 1), (-1, 1), (1, -1)}


@pytest.mark.parametrize(("h", "w"), [(48, 48), (33, 47), (224, 224)])
def test_unrotated_members_are_exact(h, w):
    images = noise(3, h, w)
    made = fifteen_fold(images, chunk=2)
    assert made.shape == (3, 15, h, w)
    assert made.dtype == torch.uint8
    expected = {(1, 1): images, (-1, 1): images.flip(2), (1, -1): images.flip(1)}
    for m, (angle, flip) in enumerate(FIFTEEN):
        if angle == 0:
            assert torch.equal(made[:, m], expected[flip])  # copied, not sampled


@pytest.mark.parametrize(("h", "w"), [(24, 24), (20, 31)])
def test_every_member_is_the_rotation_then_the_flip(h, w):
    images = noise(1, h, w)
    made = fifteen_fold(images)[0]
    for m, (angle, (fx, fy)) in enumerate(FIFTEEN):
        expected = rotated_by_hand(images[0].numpy().astype(float), angle)[::fy, ::fx]
        # half a grey level of rounding, and float32 positions
        assert np.abs(made[m].numpy() - expected).max() < 0.6, (angle, fx, fy)


def test_rotation_agrees_with_pillow_inside_the_image():
    image = smooth()
    made = fifteen_fold(image)[0]
    for m, (angle, flip) in enumerate(FIFTEEN):
        if flip == (1, 1):
            pillow = np.array(
                Image.fromarray(image[0].numpy()).rotate(angle, Image.Resampling.BILINEAR)
            )
            difference = made[m].numpy().astype(int) - pillow
            assert np.abs(difference[8:-8, 8:-8]).max() <= GREY


def test_corners_repeat_the_border_and_stay_in_range():
    white = torch.full((2, 48, 48), 255, dtype=torch.uint8)
    assert (fifteen_fold(white) == 255).all()  # shares of one white, rounded to a whole level


def test_paper_recipe_draws_every_member_equally_often_and_nothing_else():
    images = smooth().expand(3000, -1, -1).contiguous()
    drawn = augment(images, "paper", seeded(0))
    members = normalise(fifteen_fold(images[:1])[0])  # (15, 1, H, W)
    distance = torch.cdist(drawn.flatten(1), members.flatten(1), p=float("inf"))
    nearest, which = distance.min(1)
    assert nearest.max() < 0.52 / 255 * 4 + 1e-4  # the set is rounded to whole grey levels
    counts = torch.bincount(which, minlength=15).double()
    chi2 = ((counts - 200) ** 2 / 200).sum()
    assert chi2 < 36.1  # 99.9 % of draws, 14 degrees of freedom


@pytest.mark.parametrize("policy", ["none", "paper", "course"])
@given(
    n=st.integers(1, 5), h=st.integers(32, 70), w=st.integers(32, 70), seed=st.integers(0, 2**31)
)
@settings(max_examples=15, deadline=None)
def test_any_shape_comes_out_finite_and_in_range(policy, n, h, w, seed):
    images = noise(n, h, w, seed)
    before = images.clone()
    out = augment(images, policy, seeded(seed))
    assert out.shape == (n, 1, h, w)
    assert out.dtype == torch.float32
    assert out.isfinite().all()
    assert out.abs().max() <= 2 + STEP["atol"]
    assert torch.equal(images, before)
    assert torch.equal(out, augment(images, policy, seeded(seed)))  # the same shapes again


def test_none_is_normalise_and_consumes_no_randomness():
    images, generator = noise(2), seeded(3)
    before = generator.get_state()
    assert torch.equal(augment(images, "none", generator), normalise(images))
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("policy", ["paper", "course"])
def test_next_batch_differs(policy):
    images, generator = noise(16), seeded(3)
    assert not torch.equal(augment(images, policy, generator), augment(images, policy, generator))


def test_unknown_recipe_is_named():
    with pytest.raises(FercourseError, match="strong"):
        augment(noise(1), "strong")


def test_autocast_changes_nothing():
    images = noise(8)
    plain = augment(images, "course", seeded(1))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = augment(images, "course", seeded(1))
    assert torch.equal(plain, mixed)


def test_gradients_are_not_recorded():
    assert not augment(noise(2), "course", seeded(0)).requires_grad


def spot(x: int, y: int, side: int = 65) -> torch.Tensor:
    """Black, with a soft white spot at column x, row y."""
    yy, xx = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 8.0)[None, None]


def centre_of(image: torch.Tensor) -> tuple[float, float]:
    h, w = image.shape[-2:]
    weight = image[0, 0] / image.sum()
    return (weight.sum(0) * torch.arange(w)).sum().item(), (
        weight.sum(1) * torch.arange(h)
    ).sum().item()


@pytest.mark.parametrize(
    ("angle", "sx", "sy", "dx", "dy", "expected"),
    [
        (0, 1, 1, 0.1, 0, (42 + 6.5, 32)),  # right by a tenth of 65
        (0, 1, 1, 0, 0.1, (42, 32 + 6.5)),  # down
        (0, 1.5, 1, 0, 0, (32 + 15, 32)),  # wider
        (0, -1, 1, 0, 0, (22, 32)),  # mirrored
        (90, 1, 1, 0, 0, (32, 22)),  # right of the middle turns to above it
        (90, 1, 1.5, 0.1, 0, (32 + 6.5, 32 - 15)),  # turned, then stretched, then shifted
        (0, -1.5, 1, 0.1, 0, (32 - 15 + 6.5, 32)),
    ],
)
def test_warp_moves_a_spot_where_it_should(angle, sx, sy, dx, dy, expected):
    def one(value):
        return torch.tensor([float(value)])

    out = warp(spot(42, 32), one(angle), one(sx), one(sy), one(dx), one(dy))
    # the spot is sampled at whole pixels, and cut where its tail leaves the picture
    assert centre_of(out) == pytest.approx(expected, abs=0.05)


def test_course_flips_half_and_mirrors_nothing_vertically():
    images = torch.zeros(400, 64, 64, dtype=torch.uint8)
    images[:, :20, :20] = 255  # a white corner, top left
    out = augment(images, "course", seeded(0)) + 2
    corners = torch.stack([out[:, 0, :16, :16], out[:, 0, :16, -16:], out[:, 0, -16:, :16]])
    brightest = corners.mean((2, 3)).argmax(0)
    share_right = (brightest == 1).double().mean().item()
    assert abs(share_right - 0.5) < 0.1
    assert (brightest == 2).double().mean() < 0.05


def test_course_erases_one_rectangle_with_its_probability():
    grey = torch.full((2000, 48, 48), 200, dtype=torch.uint8)
    out = augment(grey, "course", seeded(0))[:, 0]
    erased = out == 0  # light and contrast leave 200 above mid-grey, so 0 is the rectangle
    hit = erased.flatten(1).any(1)
    assert abs(hit.double().mean().item() - COURSE.erase) < 0.04
    share = erased[hit].double().mean((1, 2))
    assert share.min() > COURSE.area[0] - 0.015
    assert share.max() < COURSE.area[1] + 0.03
    for mask in erased[hit][:50]:
        rows, columns = mask.any(1), mask.any(0)
        assert mask.sum() == rows.sum() * columns.sum()  # full rectangle


def test_course_changes_light_within_its_ranges():
    grey = torch.full((2000, 32, 32), 191, dtype=torch.uint8)  # 1 after normalising, nearly
    value = augment(grey, "course", seeded(1)).flatten(1).amax(1)
    level = (191 / 255 - 0.5) / 0.25
    low = level * (1 - COURSE.contrast) - COURSE.brightness * 4
    high = level * (1 + COURSE.contrast) + COURSE.brightness * 4
    assert low - SUM["atol"] <= value.min() < low + 0.15
    assert high - 0.15 < value.max() <= high + SUM["atol"]


def test_course_on_a_white_image_never_shows_black_borders():
    white = torch.full((500, 48, 48), 255, dtype=torch.uint8)
    out = augment(white, "course", seeded(2))
    rest = out[out != 0]  # mid-grey is the erased rectangle
    assert rest.min() >= 2 * (1 - COURSE.contrast) - COURSE.brightness * 4 - SUM["atol"]


def test_mixup_blends_images_and_targets_alike():
    images = torch.eye(6).view(6, 1, 2, 3)  # image k is 1 at place k only
    labels = torch.tensor([0, 1, 2, 3, 4, 5])
    mixed, targets = mixup(images, labels, 0.3, seeded(0))
    assert mixed.shape == images.shape
    assert targets.shape == (6, 7)
    torch.testing.assert_close(targets.sum(1), torch.ones(6), **STEP)
    # place k of the image and class k of the target carry the same share
    torch.testing.assert_close(mixed.flatten(1), targets[:, :6], **STEP)
    shares = {round(v, 5) for v in targets.flatten().tolist()} - {0.0, 1.0}
    assert len(shares) == 2  # lambda and 1 - lambda, one pair for the batch
    assert sum(shares) == pytest.approx(1, abs=2e-5)  # of two numbers of five digits


def test_mixup_takes_soft_targets_and_is_repeatable():
    images = torch.rand(4, 1, 3, 3)
    soft = torch.softmax(torch.randn(4, 5), 1)
    first, second = (mixup(images, soft, 0.2, seeded(5)) for _ in range(2))
    assert torch.equal(first[0], second[0])  # the same shapes again
    assert torch.equal(first[1], second[1])
    torch.testing.assert_close(first[1].sum(1), torch.ones(4), **STEP)


def test_mixup_shares_follow_beta():
    images, labels = torch.zeros(2, 1), torch.tensor([0, 1])
    generator = seeded(0)
    seen = []
    for _ in range(2000):
        _, targets = mixup(images, labels, mixup_share(0.5, generator), generator)
        seen.append(targets[0, 0].item())
    # a batch of two meets itself half the time, which leaves share 1; the rest is Beta(.5, .5)
    blended = np.array([v for v in seen if 0 < v < 1 - 1e-6])
    assert blended.mean() == pytest.approx(0.5, abs=0.04)
    assert blended.var() == pytest.approx(1 / 8, abs=0.015)  # ab / ((a+b)^2 (a+b+1))


def test_mixup_refuses_alpha_zero():
    with pytest.raises(FercourseError, match="alpha"):
        mixup_share(0.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("policy", ["none", "paper", "course"])
def test_cuda_draws_what_the_cpu_draws(policy):
    images = smooth().expand(8, -1, -1).contiguous()
    here = augment(images, policy, seeded(0))
    there = augment(images.cuda(), policy, seeded(0)).cpu()
    # positions a few 1e-6 of the width apart, between neighbours up to 4 apart
    torch.testing.assert_close(here, there, atol=1e-3, rtol=0)


def test_some_faces_stand_in_fog():
    x = normalise(noise(400))
    torch.testing.assert_close(foggy(x, 0.0, seeded(0)), x, rtol=0, atol=1e-5)
    found = foggy(x, 0.3, seeded(0))
    assert found.shape == x.shape
    assert -2 <= found.min() <= found.max() <= 2.0001
    contrast = found.std((1, 2, 3)) / x.std((1, 2, 3))
    hidden = contrast < 0.999
    assert hidden.float().mean().item() == pytest.approx(0.3, abs=0.08)
    assert contrast[hidden].min() < 0.15, "up to the thickest severity"
    assert contrast[hidden].max() > 0.85, "and down to hardly any"
    torch.testing.assert_close(found[~hidden], x[~hidden], rtol=0, atol=1e-5)
    assert torch.equal(found, foggy(x, 0.3, seeded(0)))
