"""Every mistake in lesson 08 gets its diagnosis, and several right ways pass."""

import numpy as np
import pytest
import torch
from diagnoses import diagnosed
from torch import nn
from torch.nn import functional as F

from fercourse.exercises import decoder

pytestmark = pytest.mark.numeric


def up(x, size, **how):
    return F.interpolate(x, size=tuple(size), mode="bilinear", **how)


def by_matrix(x, partner):
    """Bilinear by two matrices, rows then columns."""

    def matrix(n, m):
        at = ((torch.arange(m) + 0.5) * n / m - 0.5).clamp(0, n - 1)
        low = at.floor().long().clamp_max(n - 1)
        high = (low + 1).clamp_max(n - 1)
        out = torch.zeros(m, n)
        out[torch.arange(m), low] += 1 - (at - low)
        out[torch.arange(m), high] += at - low
        return out

    (h, w), (height, width) = x.shape[2:], partner.shape[2:]
    return torch.einsum("Hh,Ww,nchw->ncHW", matrix(h, height), matrix(w, width), x)


def test_resize_like():
    for right in (
        lambda x, p: nn.Upsample(size=p.shape[2:], mode="bilinear")(x),
        by_matrix,
    ):
        assert decoder.check_resize_like(right), decoder.check_resize_like(right)
    diagnosed(
        decoder.check_resize_like,
        {
            "factor": lambda x, p: F.interpolate(x, scale_factor=2, mode="bilinear"),
            "nearest": lambda x, p: F.interpolate(x, size=p.shape[2:]),
            "align_corners": lambda x, p: up(x, p.shape[2:], align_corners=True),
            "swapped": lambda x, p: up(x, (p.shape[3], p.shape[2])),
            "channels": lambda x, p: p,
            "values": lambda x, p: up(x, p.shape[2:]) + 1,
            "gave nothing back": lambda x, p: None,
        },
    )


def resized(x, x3):
    return up(x, x3.shape[2:])


def test_agree():
    def stacked(x3, x4, x5, g5, g4):
        return torch.stack((x3, g4(resized(x4, x3)), g5(resized(x5, x3)))).prod(0)

    def in_steps(x3, x4, x5, g5, g4):
        out = x3.clone()
        for x, gate in ((x4, g4), (x5, g5)):
            out = out.mul(gate(resized(x, x3)))
        return out

    assert decoder.check_agree(stacked)
    assert decoder.check_agree(in_steps)

    def a(g5, x5, x3):
        return g5(resized(x5, x3))

    diagnosed(
        decoder.check_agree,
        {
            "added": lambda x3, x4, x5, g5, g4: a(g5, x5, x3) + a(g4, x4, x3) + x3,
            "Level 4 is missing": lambda x3, x4, x5, g5, g4: a(g5, x5, x3) * x3,
            "Level 5 is missing": lambda x3, x4, x5, g5, g4: a(g4, x4, x3) * x3,
            "Level 3 itself": lambda x3, x4, x5, g5, g4: a(g5, x5, x3) * a(g4, x4, x3),
            "gates are missing": lambda x3, x4, x5, g5, g4: resized(x5, x3) * resized(x4, x3) * x3,
            "swapped": lambda x3, x4, x5, g5, g4: a(g4, x5, x3) * a(g5, x4, x3) * x3,
            "before the resizing": lambda x3, x4, x5, g5, g4: (
                resized(g5(x5), x3) * resized(g4(x4), x3) * x3
            ),
            "behind the gates": lambda x3, x4, x5, g5, g4: (
                a(g5, x5, x3).relu() * a(g4, x4, x3).relu() * x3
            ),
            "in blocks": lambda x3, x4, x5, g5, g4: (
                g5(F.interpolate(x5, x3.shape[2:])) * g4(F.interpolate(x4, x3.shape[2:])) * x3
            ),
            "align_corners": lambda x3, x4, x5, g5, g4: (
                g5(up(x5, x3.shape[2:], align_corners=True))
                * g4(up(x4, x3.shape[2:], align_corners=True))
                * x3
            ),
            "once more": lambda x3, x4, x5, g5, g4: a(g5, x5, x3) * a(g4, x4, x3) * x3 + x3,
            "by way of level 4": lambda x3, x4, x5, g5, g4: (
                a(g5, resized(x5, x4), x3) * a(g4, x4, x3) * x3
            ),
            "no sigmoid": lambda x3, x4, x5, g5, g4: (
                a(g5, x5, x3).sigmoid() * a(g4, x4, x3).sigmoid() * x3
            ),
            "behind the product": lambda *x: decoder.agree(*x).relu(),
            "x4 alone": lambda x3, x4, x5, g5, g4: (
                a(g5, x5, x3) * g4(resized(x4, x3) * a(g5, x5, x3)) * x3
            ),
            "negative": lambda *x: decoder.agree(*x).abs(),
            "off by": lambda *x: 2 * decoder.agree(*x),
            "level 3": lambda x3, x4, x5, g5, g4: g5(x5),
        },
    )


def test_mean_under():
    def by_einsum(x, logits):
        w = 1 / (1 + (-logits[:, 0]).exp())
        return torch.einsum("nchw,nhw->nc", x, w) / w.sum((1, 2))[:, None]

    def by_loop(x, logits):
        return torch.stack(
            [
                torch.tensor(
                    np.average(
                        face.flatten(1).numpy(), axis=1, weights=torch.sigmoid(m).flatten().numpy()
                    )
                )
                for face, m in zip(x, logits, strict=True)
            ]
        )

    assert decoder.check_weighted_avg_pool(by_einsum)
    assert decoder.check_weighted_avg_pool(by_loop)
    mean = decoder.weighted_avg_pool
    diagnosed(
        decoder.check_weighted_avg_pool,
        {
            "plain": lambda x, m: x.mean((2, 3)),
            "number of places": lambda x, m: (x * m.sigmoid()).mean((2, 3)),
            "a sum": lambda x, m: (x * m.sigmoid()).sum((2, 3)),
            "both signs": lambda x, m: (x * m).sum((2, 3)) / m.sum((2, 3)),
            "right divisor": lambda x, m: (x * m).mean((2, 3)),
            "softmax": lambda x, m: (x * m.flatten(2).softmax(2).view_as(m)).sum((2, 3)),
            "*not*": lambda x, m: mean(x, -m),
            "own divisor": lambda x, m: (x * m.sigmoid()).sum((2, 3)) / m.sigmoid().sum(),
            "length 1": lambda x, m: mean(x, m)[..., None, None],
            "average to 1": lambda x, m: 2 * mean(x, m),
            "keeps its value": lambda x, m: mean(x, 3 * m),
        },
    )


def test_operations():
    for right in (
        lambda i, o, k, h, w: h * w * o * (2 * i * k**2),
        lambda i, o, k, h, w: float(np.prod([2, i, o, k, k, h, w])),
        lambda i, o, k, h, w: np.prod([2, i, o, k, k, h, w]),
    ):
        assert decoder.check_operations(right)
    diagnosed(
        decoder.check_operations,
        {
            "additions": lambda i, o, k, h, w: i * o * k * k * h * w,
            "two sides": lambda i, o, k, h, w: 2 * i * o * k * h * w,
            "kernel is missing": lambda i, o, k, h, w: 2 * i * o * h * w if k > 1 else -1,
            "one place": lambda i, o, k, h, w: 2 * i * o * k * k,
            "weights": lambda i, o, k, h, w: i * o * k * k,
            "square": lambda i, o, k, h, w: 2 * i * o * k * k * h * h,
            "input channels": lambda i, o, k, h, w: 2 * o * k * k * h * w,
            "shrink": lambda i, o, k, h, w: 2 * i * o * k * k * (h - k + 1) * (w - k + 1),
            "torch counts": lambda i, o, k, h, w: 2 * i * o * k * k * h * w + o,
            "no bias": lambda i, o, k, h, w: (2 * i * k * k + 1) * o * h * w,
            "exact": lambda i, o, k, h, w: (2 * i * k * k - 1) * o * h * w,
            "A number": lambda *x: "many",
        },
    )
