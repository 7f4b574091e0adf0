"""Every mistake gets its diagnosis, and several right ways pass."""

import math
from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fercourse.exercises import backbone

pytestmark = pytest.mark.numeric

CHANNELS = (64, 128, 256, 512, 512)


def walk(size):
    sides = [size]
    for _ in range(4):
        sides.append(math.floor(sides[-1] / 2))
    return list(zip(CHANNELS, sides, strict=True))


def pooled_walk(size):
    x = torch.zeros(1, 1, size, size)
    pairs = []
    for c in CHANNELS:
        pairs.append([c, x.shape[-1]])
        x = F.max_pool2d(x, 2)
    return pairs


def numpy_walk(size):
    return np.stack([np.minimum(64 * 2 ** np.arange(5), 512), size // 2 ** np.arange(5)], axis=1)


@pytest.mark.parametrize("right", [walk, pooled_walk, numpy_walk])
def test_shape_walk_takes_other_styles(right):
    assert backbone.check_shape_walk(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda s: [(c, s // 2 ** (k + 1)) for k, c in enumerate(CHANNELS)], "lateral"),
        (lambda s: [(c, s / 2**k) for k, c in enumerate(CHANNELS)], "half a location"),
        (lambda s: [(c, -(-s // 2**k)) for k, c in enumerate(CHANNELS)], "rounded up"),
        (lambda s: [(c, round(s / 2**k)) for k, c in enumerate(CHANNELS)], "rounded up"),
        (lambda s: [s // 2**k for k in range(5)], "Five pairs"),
        (lambda s: [(64 * 2**k, s // 2**k) for k in range(5)], "double again"),
        (lambda s: walk(s)[::-1], "upside down"),
        (lambda s: [(b, a) for a, b in walk(s)], "other way round"),
        (lambda s: walk(s)[1:], "Five pairs"),
        (lambda s: [(c, s) for c in CHANNELS], "half of the one before"),
    ],
)
def test_shape_walk_diagnoses(wrong, word):
    verdict = backbone.check_shape_walk(wrong)
    assert not verdict
    assert word in verdict.message


def backwards(layers):
    field = 1
    for kernel, stride in layers[::-1]:
        field = kernel + stride * (field - 1)
    return field


def by_products(layers):
    steps = [math.prod(s for _, s in layers[:i]) for i in range(len(layers))]
    return 1 + sum((k - 1) * step for (k, _), step in zip(layers, steps, strict=True))


@pytest.mark.parametrize("right", [backwards, by_products])
def test_receptive_field_takes_other_styles(right):
    assert backbone.check_receptive_field(right)


def field(layers, reach=1, forget=False):
    sees = step = 1
    for kernel, stride in layers:
        sees += (kernel - reach) * step
        step = stride if forget else step * stride
    return sees


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda layers: 1 + sum(k - 1 for k, _ in layers), "strides play no part"),
        (lambda layers: backwards(layers) - 1, "not 0"),
        (lambda layers: math.prod(k for k, _ in layers), "multiplied"),
        (lambda layers: field(layers, reach=0), "k - 1 steps"),
        (lambda layers: backwards([(k if k > 2 else 1, s) for k, s in layers]), "A pooling of 2"),
        (lambda layers: field(layers, forget=True), "last stride"),
        (lambda layers: float(backwards(layers)) + 0.5, "whole number"),
        (lambda layers: backwards(layers) + 7, "on paper"),
    ],
)
def test_receptive_field_diagnoses(wrong, word):
    verdict = backbone.check_receptive_field(wrong)
    assert not verdict
    assert word in verdict.message


def test_receptive_field_diagnoses_an_early_stride():
    def wrong(layers):
        field = step = 1
        for kernel, stride in layers:
            step *= stride
            field += (kernel - 1) * step
        return field

    assert "that follow" in backbone.check_receptive_field(wrong).message


def test_receptive_field_diagnoses_added_strides():
    def wrong(layers):
        field = step = 1
        for kernel, stride in layers:
            field += (kernel - 1) * step
            step += stride
        return field

    assert "Strides multiply" in backbone.check_receptive_field(wrong).message


def built(plan, in_channels):
    layers, before = [], in_channels
    for channels in (c for block in plan for c in block):
        layers += [nn.Conv2d(before, channels, 3, bias=False), nn.BatchNorm2d(channels)]
        before = channels
    return sum(p.numel() for p in nn.Sequential(*layers).parameters())


def by_pairs(plan, in_channels):
    flat = [in_channels, *chain(*plan)]
    return sum(b * (9 * a + 2) for a, b in pairwise(flat))


@pytest.mark.parametrize("right", [built, by_pairs])
def test_count_parameters_takes_other_styles(right):
    assert backbone.check_count_parameters(right)


def off(factor):
    return lambda plan, entry: built(plan, entry) + factor * sum(map(sum, plan))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (off(-2), "batch norm learn?"),
        (off(-1), "learns two"),
        (off(1), "bias"),
        (off(2), "no gradient"),
        (lambda p, e: sum(c * (9 * c + 2) for b in p for c in b), "as many channels as it gives"),
        (lambda p, e: sum(built([block], e) for block in p), "face again"),
        (lambda p, e: built(p, 3), "in_channels"),
        (lambda p, e: built(p, 1), "in_channels"),
        (lambda p, e: 5, "[[8]]"),
    ],
)
def test_count_parameters_diagnoses(wrong, word):
    verdict = backbone.check_count_parameters(wrong)
    assert not verdict
    assert word in verdict.message


def walk_through(blocks, x, pool=F.max_pool2d, first=False, behind=False, last=False):
    found = []
    if first:
        x = pool(x, 2)
    for i, block in enumerate(blocks):
        x = block(x)
        taken = x
        x = pool(x, 2)
        found.append(x if behind or (last and i == len(blocks) - 1) else taken)
    return found


def recursive(blocks, x):
    c = blocks[0](x)
    return [c] if len(blocks) == 1 else [c, *recursive(blocks[1:], nn.MaxPool2d(2)(c))]


@pytest.mark.parametrize("right", [walk_through, recursive])
def test_laterals_take_other_styles(right):
    assert backbone.check_laterals(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda b, x: walk_through(b, x, behind=True), "behind its pooling"),
        (lambda b, x: walk_through(b, x, last=True), "dropped that pooling"),
        (lambda b, x: walk_through(b, x, first=True), "face itself was pooled"),
        (lambda b, x: walk_through(b, x, F.avg_pool2d), "average"),
        (lambda b, x: walk_through(b, x, lambda x, _: x), "Nothing was pooled"),
        (lambda b, x: walk_through(b, x)[-1], "Only the last"),
        (lambda b, x: walk_through(b, x)[1:], "one a block"),
        (lambda b, x: [c[..., :3] for c in walk_through(b, x)], "C1"),
        (lambda b, x: [c.relu() for c in walk_through(b, x)], "other values"),
        (lambda b, x: [None for _ in b], "tensor"),
    ],
)
def test_laterals_diagnose(wrong, word):
    verdict = backbone.check_laterals(wrong)
    assert not verdict
    assert word in verdict.message
