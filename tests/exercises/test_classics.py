"""Lesson 04's checks: right attempts pass in any style, each likely mistake is named."""

import numpy as np
import pytest
import torch
from diagnoses import diagnosed
from torch.nn import functional as F

from fercourse.exercises import classics

pytestmark = pytest.mark.numeric


def by_unfold(images, neighbours):
    n, h, w = images.shape
    patches = F.unfold(images[:, None].float(), 3).view(n, 9, h - 2, w - 2)
    bits = [
        (patches[:, (1 + d) * 3 + 1 + r] >= patches[:, 4]).long() << k
        for k, (d, r) in enumerate(neighbours)
    ]
    return sum(bits)


def by_numpy(images, neighbours):
    x = images.numpy()
    shifted = [np.roll(x, (-d, -r), (1, 2)) >= x for d, r in neighbours]
    codes = sum(s.astype(np.int64) * 2**k for k, s in enumerate(shifted))
    return torch.from_numpy(codes[:, 1:-1, 1:-1])


def by_text(code):
    bits = f"{code:08b}"
    return sum(a != b for a, b in zip(bits, bits[1:] + bits[0], strict=True)) < 3


def by_sum(face, mean, eigenfaces):
    return mean + sum(((face - mean) @ e) * e for e in eigenfaces)


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("lbp_codes", by_unfold),
        ("lbp_codes", by_numpy),
        ("is_uniform", by_text),
        ("rebuild", by_sum),
        ("rebuild", lambda f, m, e: m + (f - m) @ e.T @ e),
    ],
)
def test_right_attempts_pass(name, attempt):
    verdict = getattr(classics, f"check_{name}")(attempt)
    assert verdict, verdict


def codes(compare=torch.ge, flip=False, swap=False, sign=1, value=lambda k: 2**k):
    def attempt(images, neighbours):
        _, h, w = images.shape
        total = 0
        for k, (d, r) in enumerate(neighbours[::-1] if flip else neighbours):
            d, r = (r, d) if swap else (sign * d, sign * r)
            there = images[:, 1 + d : h - 1 + d, 1 + r : w - 1 + r]
            total = total + compare(there, images[:, 1:-1, 1:-1]).long() * value(k)
        return total

    return attempt


def in_place(images, neighbours):
    found = codes()(images, neighbours)
    images[:, 0] = 0
    return found


def test_mistakes_with_patterns_are_named():
    diagnosed(
        classics.check_lbp_codes,
        {
            "only the inner ones": lambda x, n: F.pad(codes()(x, n), (1, 1, 1, 1)),
            "at least as bright": codes(torch.gt),
            "The other way round": codes(torch.le),
            "Bit 0 belongs": codes(flip=True),
            "opposite side": codes(sign=-1),
            "rows come first": codes(swap=True),
            "bit k is worth": codes(value=lambda k: 1),
            "work on copies": in_place,
            "not eight of yours": lambda x, n: codes()(x, classics.NEIGHBOURS),
            "plain grey picture": codes(value=lambda k: 3**k),
        },
    )


def test_mistakes_with_rings_are_named():
    diagnosed(
        classics.check_is_uniform,
        {
            "a ring": lambda c: ((c ^ (c >> 1)) & 127).bit_count() <= 1,
            "Two changes": lambda c: c in (0, 255),
            "not the bright": lambda c: c.bit_count() <= 2,
            "58 should be": lambda c: c % 2 == 0,
        },
    )


def test_mistakes_with_eigenfaces_are_named():
    diagnosed(
        classics.check_rebuild,
        {
            "These are the weights": lambda f, m, e: e @ (f - m),
            "add the mean": lambda f, m, e: e.T @ (e @ (f - m)),
            "Take the mean off": lambda f, m, e: m + e.T @ (e @ f),
            "the face itself": lambda f, m, e: f,
            "Some pixel is off": lambda f, m, e: m + 2 * e.T @ (e @ (f - m)),
        },
    )
