"""Lesson 10's checks: right attempts pass in any style, each likely mistake is named."""

import pytest
import torch
from torch.nn import functional as F

from fercourse.exercises import island
from fercourse.exercises.exercise import Verdict
from fercourse.losses import IslandLoss

pytestmark = pytest.mark.numeric

NAMES = ("center_loss", "move_centers", "cosine_pairs", "island_loss")


def verdict(name: str, attempt) -> Verdict:
    return getattr(island, f"check_{name}")(attempt)


def loop_loss(x, y, c):
    return sum(((x[i] - c[y[i]]) ** 2).sum() for i in range(len(x))) / (2 * len(x))


def one_hot_loss(x, y, c):
    return F.mse_loss(F.one_hot(y, len(c)).float() @ c, x, reduction="sum") / 2 / len(x)


def loop_move(x, y, c, rate):
    new = c.clone()
    for j in range(len(c)):
        mine = x[y == j]
        if len(mine):
            new[j] -= rate * (c[j] - mine).sum(0) / (1 + len(mine))
    return new


def add_move(x, y, c, rate):
    count = torch.ones(len(c)).index_add(0, y, torch.ones(len(y)))
    step = torch.zeros_like(c).index_add(0, y, x - c[y])
    return c + rate * step / count[:, None]


def loop_pairs(c):
    total = torch.tensor(0.0)
    for j in range(len(c)):
        for k in range(len(c)):
            if j != k:
                total = total + 1 + F.cosine_similarity(c[j], c[k], dim=0)
    return total


def counted_pairs(c):
    unit = c / c.norm(dim=1, keepdim=True).clamp_min(1e-12)
    table = unit @ unit.T + 1
    return table.sum() - table.diagonal().sum()


def package_island(x, y, c, weight):
    loss = IslandLoss(len(c), c.shape[1], weight).eval()
    loss.centers.copy_(c)
    return loss(x, y)


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("center_loss", loop_loss),
        ("center_loss", one_hot_loss),
        ("move_centers", loop_move),
        ("move_centers", add_move),
        ("cosine_pairs", loop_pairs),
        ("cosine_pairs", counted_pairs),
        ("island_loss", package_island),
        ("island_loss", lambda x, y, c, w: loop_loss(x, y, c) + w * loop_pairs(c)),
    ],
)
def test_other_styles_pass(name, attempt):
    assert verdict(name, attempt), verdict(name, attempt)


def cosines(c):
    unit = F.normalize(c, dim=1)
    return unit @ unit.T


def gaps(x, y, c):
    return torch.zeros_like(c).index_add(0, y, c[y] - x)


def counts(y, c):
    return torch.bincount(y, minlength=len(c)).float()[:, None]


def forgetful_move(x, y, c, rate):
    own = F.one_hot(y, len(c)).float()
    centers = c.clone()
    centers - rate * (own.T @ (own @ c - x)) / (1 + own.sum(0)[:, None])
    return centers


def in_place_move(x, y, c, rate):
    c -= rate * gaps(x, y, c) / (1 + counts(y, c))
    return c


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda x, y, c: 2 * loop_loss(x, y, c), "1/2"),
        (lambda x, y, c: (x - c[y]).square().sum() / 2, "summed over the faces"),
        (lambda x, y, c: (x - c[y]).square().mean() / 2, "coordinates"),
        (lambda x, y, c: F.mse_loss(x, c[y]), "coordinates"),
        (lambda x, y, c: (x - c[y]).square().sum(0).mean() / 2, "axes are exchanged"),
        (lambda x, y, c: (x - c[y]).norm(dim=1).mean() / 2, "square"),
        (lambda x, y, c: torch.cdist(x, c).square().sum(1).mean() / 2, "all the centres"),
        (lambda x, y, c: (x - c[y]).square().sum(1) / 2, "shape"),
        (lambda x, y, c: loop_loss(x, y, c).item(), "tensor"),
        (lambda x, y, c: loop_loss(x, y, c) + 1, "should be"),
    ],
)
def test_center_loss_mistakes(attempt, word):
    said = verdict("center_loss", attempt)
    assert not said
    assert word in said.message


def centre_once(x, y, c, r):
    faces = torch.stack([x[y == k].sum(0) for k in range(len(c))])
    return torch.where(counts(y, c) > 0, c - r * (c - faces / (1 + counts(y, c))), c)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda x, y, c, r: c.clone(), "never moved"),
        (forgetful_move, "never moved"),
        (in_place_move, "were changed"),
        (lambda x, y, c, r: c + r * gaps(x, y, c) / (1 + counts(y, c)), "sign"),
        (lambda x, y, c, r: c - r * gaps(x, y, c) / counts(y, c), "nan"),
        (lambda x, y, c, r: c - r * gaps(x, y, c) / counts(y, c).clamp_min(1), "1 + n_j"),
        (lambda x, y, c, r: c - r * gaps(x, y, c), "Nothing divides"),
        (centre_once, "subtracted"),
        (lambda x, y, c, r: c - r * gaps(x, y, c) / len(x), "size of the batch"),
        (lambda x, y, c, r: c - gaps(x, y, c) / (1 + counts(y, c)), "rate"),
        (lambda x, y, c, r: c - r * (c - x.mean(0)), "no face"),
        (lambda x, y, c, r: c[y], "shape"),
        (lambda x, y, c, r: c - 0.5 * gaps(x, y, c) / (1 + counts(y, c)), "0.1"),
    ],
)
def test_move_centers_mistakes(attempt, word):
    said = verdict("move_centers", attempt)
    assert not said
    assert word in said.message


def upper(c):
    table = cosines(c) + 1
    return table.triu(1).sum()


def off_diagonal(products):
    return (products + 1).sum() - (products.diagonal() + 1).sum()


def nan_pairs(c):
    unit = c / c.norm(dim=1, keepdim=True)
    table = unit @ unit.T + 1
    return table.sum() - table.diagonal().sum()


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda c: (cosines(c) + 1).sum(), "diagonal is counted"),
        (lambda c: (cosines(c) * (1 - torch.eye(len(c))) + 1).sum(), "zeroed"),
        (upper, "once"),
        (lambda c: (cosines(c) + 1).triu().sum(), "one half of the table"),
        (lambda c: counted_pairs(c) / (len(c) * (len(c) - 1)), "mean"),
        (lambda c: (cosines(c) + 1).mean(), "mean"),
        (lambda c: cosines(c).sum() - len(c), "1 is missing"),
        (lambda c: (c @ c.T + 1).sum(), "dot products"),
        (
            lambda c: (F.normalize(c, dim=1)[:, None] * F.normalize(c, dim=1) + 1).sum(),
            "element-wise",
        ),
        (lambda c: counted_pairs(F.normalize(c, dim=0).T), "columns"),
        (lambda c: 2 * len(c) * (len(c) - 1) - counted_pairs(c), "sign"),
        (lambda c: off_diagonal((c / c.norm()) @ (c / c.norm()).T), "whole"),
        (lambda c: (F.cosine_similarity(c[:, None], c[None]) + 1).sum(), "axis 1"),
        (nan_pairs, "length 0"),
        (lambda c: cosines(c) + 1, "shape"),
        (lambda c: counted_pairs(c) + 0.5, "should be"),
    ],
)
def test_pair_sum_mistakes(attempt, word):
    said = verdict("cosine_pairs", attempt)
    assert not said
    assert word in said.message


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda x, y, c, w: loop_loss(x, y, c) + w * counted_pairs(x), "rows of the batch"),
        (lambda x, y, c, w: loop_loss(x, y, c) + w * counted_pairs(c[y]), "rows of the batch"),
        (lambda x, y, c, w: w * loop_loss(x, y, c) + counted_pairs(c), "wrong term"),
        (lambda x, y, c, w: w * (loop_loss(x, y, c) + counted_pairs(c)), "both"),
        (lambda x, y, c, w: loop_loss(x, y, c) + w * upper(c), "once"),
        (lambda x, y, c, w: loop_loss(x, y, c) + counted_pairs(c), "missing before"),
        (lambda x, y, c, w: loop_loss(x, y, c) - w * counted_pairs(c), "sign"),
        (lambda x, y, c, w: 2 * loop_loss(x, y, c) + w * counted_pairs(c), "1/2"),
        (
            lambda x, y, c, w: len(x) * loop_loss(x, y, c) + w * counted_pairs(c),
            "summed over the faces",
        ),
        (lambda x, y, c, w: loop_loss(x, y, c) + w * (cosines(c) + 1).sum(), "diagonal is"),
        (
            lambda x, y, c, w: loop_loss(x, y, c) + w * (counted_pairs(c) + len(c)),
            "zeroed before",
        ),
        (
            lambda x, y, c, w: loop_loss(x, y, c) + w * counted_pairs(c) / len(c) / (len(c) - 1),
            "mean over pairs",
        ),
        (
            lambda x, y, c, w: loop_loss(x, y, c) + w * (counted_pairs(c) - len(c) * (len(c) - 2)),
            "excess",
        ),
        (lambda x, y, c, w: loop_loss(x, y, c) + w * (cosines(c).sum() - len(c)), "shifted"),
        (
            lambda x, y, c, w: loop_loss(x, y, c) + w * counted_pairs(c[torch.unique(y)]),
            "of this batch",
        ),
        (lambda x, y, c, w: torch.zeros(()), "should be"),
    ],
)
def test_island_loss_mistakes(attempt, word):
    said = verdict("island_loss", attempt)
    assert not said
    assert word in said.message


def test_garbage_gets_a_sentence():
    for name in NAMES:
        said = verdict(name, lambda *a: None)
        assert not said
        assert "gave nothing back" in said.message
