"""Lesson 15's checks: right attempts pass in any style, each likely mistake is named."""

import pytest
import torch
from diagnoses import diagnosed
from torch import nn
from torch.nn import functional as F

from fercourse.exercises import rivals
from fercourse.models import FERNet, Recogniser
from fercourse.models.channels import MultiChannel
from fercourse.models.inception import Inception
from fercourse.models.skip import SkipNet

pytestmark = pytest.mark.numeric


def heron(a, b, c):
    x, y, z = (b - a).norm(dim=1), (c - b).norm(dim=1), (a - c).norm(dim=1)
    s = (x + y + z) / 2
    return 4 * 3**0.5 * (s * (s - x) * (s - y) * (s - z)).sqrt() / (x**2 + y**2 + z**2)


def by_loop(embedding, labels, margin):
    costs = []
    for e, k in zip(embedding, labels, strict=True):
        far = max((e - o).norm() for o, j in zip(embedding, labels, strict=True) if j == k)
        near = min((e - o).norm() for o, j in zip(embedding, labels, strict=True) if j != k)
        costs.append(max(margin + far - near, torch.tensor(0.0)))
    return torch.stack(costs).mean()


@pytest.mark.parametrize(
    ("name", "attempt"),
    [("triangle_shape", heron), ("hardest_triplets", by_loop)]
    + [("sixth", lambda kind=kind: kind) for kind in (FERNet, Inception, SkipNet, MultiChannel)],
)
def test_right_attempts_pass(name, attempt):
    verdict = getattr(rivals, f"check_{name}")(attempt)
    assert verdict, verdict


def test_mistakes_with_triangles_are_named():
    right = rivals.triangle_shape

    def signed(a, b, c):
        u, v = b - a, c - a
        return right(a, b, c) * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sign()

    def lengths(a, b, c):
        sides = [(b - a).norm(dim=1), (c - b).norm(dim=1), (a - c).norm(dim=1)]
        return right(a, b, c) * sum(s**2 for s in sides) / sum(sides)

    def two_sides(a, b, c):
        squared = [((b - a) ** 2).sum(1), ((c - b) ** 2).sum(1), ((a - c) ** 2).sum(1)]
        return right(a, b, c) * sum(squared) / (squared[0] + squared[2])

    diagnosed(
        rivals.check_triangle_shape,
        {
            "no sign": signed,
            "Twice too large": lambda a, b, c: 2 * right(a, b, c),
            "4 sqrt(3) is missing": lambda a, b, c: right(a, b, c) / (4 * 3**0.5),
            "not squared": lengths,
            "One side is missing": two_sides,
            "off by": lambda a, b, c: right(a, b, c) + 1,
        },
    )


def triplets(own="far", other="near", clamp=True, margin=1.0, power=1, reduce=torch.mean):
    def attempt(embedding, labels, given):
        d = torch.cdist(embedding, embedding)
        same = labels[:, None] == labels[None, :]
        mine = same & ~torch.eye(len(d), dtype=torch.bool)
        of = {
            "far": lambda m: d.masked_fill(~m, 0).amax(1),
            "near": lambda m: d.masked_fill(~m, 9).amin(1),
            "mean": lambda m: (d * m).sum(1) / m.sum(1),
        }
        cost = margin * given + of[own](mine) ** power - of[other](~same) ** power
        return reduce(cost.relu() if clamp else cost)

    return attempt


def test_mistakes_with_triplets_are_named():
    diagnosed(
        rivals.check_hardest_triplets,
        {
            "clamp at 0": triplets(clamp=False),
            "easiest partners": triplets(own="near", other="far"),
            "not the nearest": triplets(own="near"),
            "not the farthest": triplets(other="far"),
            "margin is missing": triplets(margin=0),
            "are squared": triplets(power=2),
            "mean distances": triplets("mean", "mean"),
            "grows with the batch": triplets(reduce=torch.sum),
            "One number": triplets(reduce=lambda x: x),
            "is right": triplets(margin=2),
            "pulls strangers near": lambda e, k, m: swapped(e, k, m),
        },
    )


def swapped(embedding, labels, margin):
    d = torch.cdist(embedding, embedding)
    same = labels[:, None] == labels[None, :]
    far, near = d.masked_fill(~same, 0).amax(1), d.masked_fill(same, 9).amin(1)
    return (margin + near - far).relu().mean()


class Small(Recogniser):
    """One convolution; each mistake below changes one thing."""

    def __init__(self, config):
        super().__init__(config)
        channels = self.wide(config)
        self.last = nn.Sequential(nn.Conv2d(1, channels, 3), nn.ReLU())
        if self.headed:
            self.add_head(channels)

    headed = True

    def wide(self, config):
        return int(64 * config.width)

    def forward(self, x):
        return self.answer(F.avg_pool2d(self.last(x), 46).flatten(1))

    def layers(self):
        return {"last": self.last}


def changed(**how):
    return lambda: type("Changed", (Small,), how)


def test_a_small_network_is_one_too():
    assert rivals.check_sixth(lambda: Small)


def test_mistakes_with_a_network_are_named():
    def spare(self, config):
        Small.__init__(self, config)
        self.spare = nn.Linear(2, 2)

    def of_the_batch(self, x):
        return Small.forward(self, x - x.mean(0))

    diagnosed(
        rivals.check_sixth,
        {
            "not an instance": lambda: nn.Linear(2, 2),
            "add_head": changed(headed=False),
            "an Output": changed(forward=lambda self, x: Small.forward(self, x).logits),
            "has no gradient": changed(__init__=spare),
            "config.width changes nothing": changed(wide=lambda self, config: 8),
            "modules by name": changed(layers=lambda self: {}),
            "who else is in the batch": changed(forward=of_the_batch),
        },
    )
