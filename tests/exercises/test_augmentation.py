import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fercourse.augment import warp
from fercourse.exercises import augmentation

pytestmark = pytest.mark.numeric


def grid_by_affine(angle, side, corners=False):
    a = math.radians(angle)
    theta = torch.tensor([[[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0]]])
    return F.affine_grid(theta, [1, 1, side, side], align_corners=corners)[0]


def grid_by_loop(angle, side):
    out = torch.zeros(side, side, 2)
    a = math.radians(angle)
    for row in range(side):
        for column in range(side):
            x, y = (2 * column + 1) / side - 1, (2 * row + 1) / side - 1
            out[row, column, 0] = math.cos(a) * x - math.sin(a) * y
            out[row, column, 1] = math.sin(a) * x + math.cos(a) * y
    return out


def points_by_complex(points, angle, side):
    z = torch.complex(points[:, 0] - side / 2, -(points[:, 1] - side / 2))  # y upwards
    z = z * complex(math.cos(math.radians(angle)), math.sin(math.radians(angle)))
    return torch.stack([z.real + side / 2, side / 2 - z.imag], 1)


def points_by_matrix(points, angle, side):
    a = np.deg2rad(angle)
    matrix = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return torch.from_numpy((points.numpy() - side / 2) @ matrix.T + side / 2)


def members_by_loop(sets):
    return torch.stack([s[int(torch.randint(len(s), ()))] for s in sets])


def members_by_gather(sets):
    n, m, h, w = sets.shape
    at = torch.randint(m, (n, 1, 1, 1)).expand(n, 1, h, w)
    return sets.gather(1, at)[:, 0]


RIGHT = [
    ("rotation_grid", augmentation.rotation_grid),
    ("rotation_grid", grid_by_affine),
    ("rotation_grid", grid_by_loop),
    ("turn_points", augmentation.turn_points),
    ("turn_points", points_by_complex),
    ("turn_points", points_by_matrix),
    ("draw_members", augmentation.draw_members),
    ("draw_members", members_by_loop),
    ("draw_members", members_by_gather),
]


@pytest.mark.parametrize(("name", "attempt"), RIGHT)
def test_right_attempts_pass(name, attempt):
    verdict = getattr(augmentation, f"check_{name}")(attempt)
    assert verdict, verdict


def test_points_and_pixels_turn_alike():
    """A bright dot, rotated by the package, is where turn_points says."""
    side = 65
    image = torch.zeros(1, 1, side, side)
    image[0, 0, 20, 44] = 1
    turned = warp(image, torch.tensor([30.0]), torch.ones(1), torch.ones(1))[0, 0]
    row, column = divmod(int(turned.argmax()), side)
    found = augmentation.turn_points(torch.tensor([[44.5, 20.5]]), 30.0, side)[0]
    assert abs(found - torch.tensor([column + 0.5, row + 0.5])).max() <= 0.5


def same_member(sets):
    return sets[:, int(torch.randint(sets.shape[1], ()))]


def fixed_members(sets):
    g = torch.Generator().manual_seed(0)
    return sets[torch.arange(len(sets)), torch.randint(sets.shape[1], (len(sets),), generator=g)]


def shuffled(sets):
    return augmentation.draw_members(sets[torch.randperm(len(sets))])


def never_the_last(sets):
    return augmentation.draw_members(sets[:, :-1])


def mostly_the_first(sets):
    at = (torch.rand(len(sets)) ** 2 * sets.shape[1]).long()
    return sets[torch.arange(len(sets)), at]


def in_turn(sets):
    return sets[torch.arange(len(sets)), torch.arange(len(sets)) % sets.shape[1]]


def in_turn_from_somewhere(sets):
    n, m = sets.shape[:2]
    return sets[torch.arange(n), (torch.arange(n) + torch.randint(m, (1,))) % m]


def turn_about(points, angle, middle):
    return augmentation.turn_points(points, angle, 2 * middle)


WRONG = [
    ("rotation_grid", lambda a, s: grid_by_affine(-a, s), "other way"),
    ("rotation_grid", lambda a, s: grid_by_affine(math.degrees(a), s), "degrees"),
    ("rotation_grid", lambda a, s: grid_by_affine(a, s, True), "align_corners=True"),
    ("rotation_grid", lambda a, s: grid_by_affine(a, s).flip(-1), "exchanged"),
    ("rotation_grid", lambda a, s: grid_by_affine(a, s).transpose(0, 1), "Rows and columns"),
    ("rotation_grid", lambda a, s: grid_by_affine(a, s).permute(2, 0, 1), "last axis"),
    ("rotation_grid", lambda a, s: grid_by_affine(a, s)[None], "batch axis"),
    ("rotation_grid", lambda a, s: 2 * grid_by_affine(a, s), "keeps distances"),
    ("rotation_grid", lambda a, s: grid_by_affine(a + 3, s), "off by"),
    ("turn_points", lambda p, a, s: augmentation.turn_points(p, -a, s), "clockwise"),
    ("turn_points", lambda p, a, s: turn_about(p, a, 0), "corner"),
    ("turn_points", lambda p, a, s: augmentation.turn_points(p, math.degrees(a), s), "radians"),
    ("turn_points", lambda p, a, s: augmentation.turn_points(p, -math.degrees(a), s), "radians"),
    ("turn_points", lambda p, a, s: turn_about(p, a, (s - 1) / 2), "half a pixel"),
    ("turn_points", lambda p, a, s: p.clone(), "pixels off"),
    ("turn_points", lambda p, a, s: p.T, "shape"),
    ("turn_points", lambda p, a, s: augmentation.turn_points(p, a, s) - s / 2, "origin back"),
    ("draw_members", lambda s: s.mean(1), "mixed"),
    ("draw_members", same_member, "same member"),
    ("draw_members", lambda s: s[:, torch.randint(s.shape[1], (len(s),))], "(N, N, H, W)"),
    ("draw_members", fixed_members, "second call"),
    ("draw_members", shuffled, "order"),
    ("draw_members", never_the_last, "never came"),
    ("draw_members", mostly_the_first, "times each"),
    ("draw_members", in_turn, "in turn"),
    ("draw_members", in_turn_from_somewhere, "in turn"),
    ("draw_members", lambda s: s, "shape"),
]


@pytest.mark.parametrize(("name", "attempt", "word"), WRONG)
def test_wrong_attempts_get_their_diagnosis(name, attempt, word):
    verdict = getattr(augmentation, f"check_{name}")(attempt)
    assert not verdict
    assert word in verdict.message, verdict
