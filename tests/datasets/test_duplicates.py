"""Near-duplicates: found through brightness, noise, recompression, mirrors; strangers are not."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from fercourse import load
from fercourse.datasets.duplicates import COPY, SAME_PHOTO, find, leaked

pytestmark = pytest.mark.numeric


def faces(count, seed=0, size=48):
    """Smooth random images, unlike each other, as photographs are."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 1, 6, 6, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic")[:, 0]
    return (fine.clamp(0, 1) * 200 + 20).to(torch.uint8)


def jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image.numpy()).save(buffer, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(buffer)))


def test_finds_exactly_the_planted_pairs():
    a, b = faces(50, 1), faces(40, 2)
    noise = torch.randint(-2, 3, (48, 48), generator=torch.Generator().manual_seed(0))
    b[3] = a[7]  # the same
    b[4] = a[7] // 2 + 60  # darker, less contrast
    b[9] = a[20].flip(-1)  # mirrored
    b[11] = (a[30].int() + noise).clamp(0, 255).to(torch.uint8)
    b[12] = jpeg(a[31], 60)
    expected = [[7, 3], [7, 4], [20, 9], [30, 11], [31, 12]]
    assert find(a, b).tolist() == expected
    assert find(a, b, mirrored=False).tolist() == [p for p in expected if p != [20, 9]]


def test_watermark_is_the_same_photograph_but_no_copy():
    a = faces(10)
    b = a[:1].clone()
    b[0, 20:26, 4:44:2] = (b[0, 20:26, 4:44:2].int() + 80).clamp(0, 255).to(torch.uint8)
    assert find(a, b, COPY).tolist() == []
    assert find(a, b, SAME_PHOTO).tolist() == [[0, 0]]


def test_agrees_with_correlation_computed_one_by_one():
    a, b = faces(12, 3), faces(9, 3)  # the first nine are the same images
    b[5] = b[5].roll(1, dims=1)
    full = np.corrcoef(a.flatten(1).numpy(), b.flatten(1).numpy())[:12, 12:]
    expected = np.argwhere(full >= 0.97)  # 1 or near 0: no rounding reaches the bound
    assert np.array_equal(find(a, b, 0.97, mirrored=False), expected)


def test_a_set_against_itself_is_symmetric():
    a = faces(6)
    a[4] = a[1]
    pairs = find(a, a).tolist()
    assert pairs == [[0, 0], [1, 1], [1, 4], [2, 2], [3, 3], [4, 1], [4, 4], [5, 5]]


@pytest.mark.parametrize(("n", "m"), [(0, 4), (4, 0), (0, 0)])
def test_empty_sets_have_no_pairs(n, m):
    pairs = find(faces(4)[:n], faces(4)[:m])
    assert pairs.shape == (0, 2)
    assert pairs.dtype == np.int64


def test_images_of_one_grey_level_match_nothing():
    flat = torch.full((3, 48, 48), 90, dtype=torch.uint8)
    assert len(find(flat, flat)) == 0


@pytest.mark.parametrize("side", [96, 40, 12])
def test_sizes_may_differ(side):
    a = faces(5)
    b = torch.nn.functional.interpolate(a[:, None], (side, side), mode="bilinear", antialias=True)
    for one, other in ((a, b[:, 0]), (b[:, 0], a)):
        assert find(one, other).tolist() == [[k, k] for k in range(5)]


def test_leaked_marks_the_test_side():
    train, test = faces(30, 1), faces(8, 2)
    test[[2, 5]] = train[[11, 29]]
    mask = leaked(train, test)
    assert mask.dtype == bool
    assert np.flatnonzero(mask).tolist() == [2, 5]


@pytest.mark.slow
def test_real_counts_are_those_of_the_literature(fer2013_zip):
    data = load("fer2013", path=fer2013_zip)
    assert abs(leaked(data.train, data.test).sum() - 311) <= 2
    assert abs(leaked(data.train, data.val).sum() - 293) <= 2


def test_real_subject_disjoint_folds_share_no_photograph(ckplus_zip):
    apart = load("ckplus", path=ckplus_zip)
    assert not leaked(apart.train, apart.test, SAME_PHOTO).any()
    mixed = load("ckplus", path=ckplus_zip, by="random")
    assert leaked(mixed.train, mixed.test, SAME_PHOTO).mean() > 0.9
