"""Every mistake gets its diagnosis, and several right ways pass."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.exercises import fusion

pytestmark = pytest.mark.numeric

K = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


def slopes(x: Tensor, mode="replicate", kernel=K):
    x = F.pad(x, (1, 1, 1, 1), mode=mode)
    return F.conv2d(x, kernel[None, None]), F.conv2d(x, kernel.T[None, None])


def by_differences(x):
    p = F.pad(x, (1, 1, 1, 1), mode="replicate")
    smooth_down = p[..., :-2, :] + 2 * p[..., 1:-1, :] + p[..., 2:, :]
    smooth_across = p[..., :-2] + 2 * p[..., 1:-1] + p[..., 2:]
    across = (smooth_down[..., 2:] - smooth_down[..., :-2]) / 8
    down = (smooth_across[..., 2:, :] - smooth_across[..., :-2, :]) / 8
    return torch.hypot(across, down)


@pytest.mark.parametrize("right", [lambda x: torch.hypot(*slopes(x)), by_differences])
def test_sobel_takes_other_styles(right):
    assert fusion.check_sobel(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda x: slopes(x)[0].abs(), "left to right"),
        (lambda x: slopes(x)[1].abs(), "top to bottom"),
        (lambda x: sum(slopes(x)), "cancel"),
        (lambda x: sum(s.abs() for s in slopes(x)), "Pythagoras"),
        (lambda x: sum(s.square() for s in slopes(x)), "root"),
        (lambda x: torch.hypot(*slopes(x, kernel=8 * K)), "8 times"),
        (lambda x: torch.hypot(*slopes(x, kernel=3 * K)), "ramp"),
        (lambda x: torch.hypot(*slopes(x, mode="constant")), "frame"),
        (lambda x: torch.hypot(*slopes(x, mode="reflect")), "mirrored"),
        (lambda x: torch.hypot(*slopes(x, mode="circular")), "wrapped"),
        (lambda x: torch.maximum(*(s.abs() for s in slopes(x))), "steeper"),
        (lambda x: torch.hypot(*slopes(x, kernel=K[:1].expand(3, 3) * 4 / 3)), "1, 2, 1"),
        (lambda x: (sum(s**2 for s in slopes(x)) + 0.01).sqrt(), "below the root"),
        (lambda x: F.conv2d(x, K[None, None]), "frame of one pixel"),
        (lambda x: torch.hypot(*slopes(x, kernel=K + 0.1)), "sum to 0"),
        (lambda x: x.numpy(), "tensor"),
    ],
)
def test_sobel_diagnoses(wrong, word):
    verdict = fusion.check_sobel(wrong)
    assert not verdict
    assert word in verdict.message


def by_matmul(x, weight, bias):
    n, _, h, w = x.shape
    return (weight @ x.flatten(2) + bias[:, None]).view(n, -1, h, w)


def by_linear(x, weight, bias):
    return F.linear(x.permute(0, 2, 3, 1), weight, bias).permute(0, 3, 1, 2)


@pytest.mark.parametrize("right", [by_matmul, by_linear])
def test_one_by_one_takes_other_styles(right):
    assert fusion.check_one_by_one(right)


def transposed_where_it_fits(x, weight, bias):
    square = weight.shape[0] == weight.shape[1]
    return by_matmul(x, weight.T if square else weight, bias)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda x, w, b: by_matmul(x, w, 0 * b), "bias is missing"),
        (transposed_where_it_fits, "transposed"),
        (lambda x, w, b: by_matmul(x, w, b).relu(), "ReLU"),
        (lambda x, w, b: F.linear(x.permute(0, 2, 3, 1), w, b), "channels came last"),
        (lambda x, w, b: by_matmul(x, w, b).softmax(2), "other places"),
        (lambda x, w, b: by_matmul(x, w, b) * 2, "weight @ vector"),
        (lambda x, w, b: F.conv2d(x, w[..., None, None], b), "calls a convolution"),
        (lambda x, w, b: x, "shape"),
    ],
)
def test_one_by_one_diagnoses(wrong, word):
    if word == "shape":
        wrong = lambda x, w, b: x[:, :1]  # noqa: E731
    verdict = fusion.check_one_by_one(wrong)
    assert not verdict
    assert word in verdict.message


def by_flattening(maps):
    return torch.hstack([m.flatten(2).mean(-1) for m in maps])


def by_pooling(maps):
    return torch.cat([nn.AdaptiveAvgPool2d(1)(m)[:, :, 0, 0] for m in maps], -1)


@pytest.mark.parametrize("right", [by_flattening, by_pooling])
def test_fuse_takes_other_styles(right):
    assert fusion.check_fuse(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda maps: sum(m.mean((2, 3)) for m in maps), "added up"),
        (lambda maps: torch.cat([m.mean((2, 3)) for m in maps], 0), "new faces"),
        (lambda maps: torch.cat([m.flatten(1) for m in maps], 1), "pool first"),
        (lambda maps: torch.cat([m.mean(1).flatten(1) for m in maps], 1), "other way"),
        (lambda maps: torch.cat([m.amax((2, 3)) for m in maps], 1), "maximum"),
        (lambda maps: torch.cat([m.sum((2, 3)) for m in maps], 1), "sum over places"),
        (lambda maps: by_flattening(maps[::-1]), "reverse order"),
        (lambda maps: by_flattening(maps) + 1, "off by 1"),
        (
            lambda maps: by_flattening([F.interpolate(m, maps[0].shape[2:]) for m in maps]),
            "at its own size",
        ),
        (lambda maps: by_flattening(maps[:2]), "each map"),
        (lambda maps: [m.mean((2, 3)) for m in maps], "tensor"),
    ],
)
def test_fuse_diagnoses(wrong, word):
    verdict = fusion.check_fuse(wrong)
    assert not verdict
    assert word in verdict.message


def by_building(c2, outputs):
    return sum(
        nn.Conv2d(4 + c2, c, 3, bias=False).weight.numel() - nn.Conv2d(4, c, 3).weight.numel()
        for c in outputs
    )


@pytest.mark.parametrize("right", [by_building, lambda c2, out: 3**2 * c2 * sum(out)])
def test_extra_weights_take_other_styles(right):
    assert fusion.check_extra_weights(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda c2, out: c2 * sum(out), "1x1"),
        (lambda c2, out: 27 * c2 * sum(out), "Not every convolution"),
        (lambda c2, out: 27 * c2, "too few"),
        (lambda c2, out: sum(9 * (c2 + c) * c for c in out), "only what is added"),
        (lambda c2, out: sum(9 * c2 * c + c for c in out), "Biases"),
        (lambda c2, out: 1, "on paper"),
    ],
)
def test_extra_weights_diagnose(wrong, word):
    verdict = fusion.check_extra_weights(wrong)
    assert not verdict
    assert word in verdict.message
