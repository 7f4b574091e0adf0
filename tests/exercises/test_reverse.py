"""Every mistake in lesson 09 gets its diagnosis, and several right ways pass."""

import pytest
import torch
from diagnoses import diagnosed
from torch import nn
from torch.nn import functional as F

from fercourse.exercises import reverse
from fercourse.modules import ReverseAttention

pytestmark = pytest.mark.numeric


def up(s, c, **how):
    return F.interpolate(s, size=c.shape[2:], mode="bilinear", **how)


def twice(s):
    return F.interpolate(s, scale_factor=2, mode="bilinear")


def sharp(c, s):
    return 1 - up(s, c).sigmoid()


def test_reversed_weights():
    for right in (
        lambda c, s: (-up(s, c)).sigmoid(),  # 1 - sigmoid(x) is sigmoid(-x)
        lambda c, s: torch.ones_like(c[:, :1]).sub(
            nn.Upsample(c.shape[2:], mode="bilinear")(s).sigmoid()
        ),
        lambda c, s: 1 / (1 + up(s, c).exp()),
    ):
        assert reverse.check_reversed_weights(right), reverse.check_reversed_weights(right)
    diagnosed(
        reverse.check_reversed_weights,
        {
            "not reversed": lambda c, s: up(s, c).sigmoid(),
            "sigmoid is missing: S is in logits": lambda c, s: 1 - up(s, c),
            "still to come": lambda c, s: up(s, c),
            "minus sign": lambda c, s: -up(s, c),
            "Two sigmoids": lambda c, s: 1 - up(s, c).sigmoid().sigmoid(),
            "The order": lambda c, s: (1 - up(s, c)).sigmoid(),
            "softmax": lambda c, s: 1 - up(s, c).flatten(1).softmax(1).view_as(c[:, :1]),
            "before the resizing": lambda c, s: 1 - up(s.sigmoid(), c),
            "factor of two": lambda c, s: 1 - twice(s).sigmoid(),
            "fixed factor": lambda c, s: 1 - twice(s).sigmoid() + 0 * c[:, :1],
            "deeper map": lambda c, s: 1 - s.sigmoid() if s.shape[2] != 3 else sharp(c, s),
            "one map a channel": lambda c, s: sharp(c, s).expand_as(c),
            "nearest": lambda c, s: 1 - F.interpolate(s, size=c.shape[2:]).sigmoid(),
            "corners": lambda c, s: 1 - up(s, c, align_corners=True).sigmoid(),
            "lie in (0, 1)": lambda c, s: 2 - up(s, c).sigmoid(),
            "not eq. 4": lambda c, s: 1 - (2 * up(s, c)).sigmoid(),
            "how you resize": lambda c, s: 1 - up(s, c, antialias=True).sigmoid(),
            "over areas": lambda c, s: 1 - F.adaptive_avg_pool2d(s, c.shape[2:]).sigmoid(),
            "A tensor": lambda c, s: 0.5,
        },
    )


def test_erase():
    for right in (
        torch.mul,
        lambda x, a: torch.einsum("nchw,nhw->nchw", x, a[:, 0]),
        lambda x, a: torch.stack([x[:, k] * a[:, 0] for k in range(x.shape[1])], 1),
    ):
        assert reverse.check_erase(right)

    def one_channel(x, a):
        x[:, :1] *= a
        return x

    diagnosed(
        reverse.check_erase,
        {
            "Only the first of": lambda x, a: x[:, :1] * a,
            "One channel is left": lambda x, a: (x * a).sum(1, keepdim=True),
            "Only the first channel was weighted": one_channel,
            "as in GCCA": lambda x, a: x * a + x,
            "reversed once more": lambda x, a: x * (1 - a),
            "second sigmoid": lambda x, a: x * a.sigmoid(),
            "You added": lambda x, a: x + a,
            "subtracted": lambda x, a: x - a,
            "Nothing is erased": lambda x, a: x,
            "pooling comes later": lambda x, a: (x * a).sum((2, 3)),
            "The places are gone": lambda x, a: (x * a).mean((2, 3)),
            "vanish": lambda x, a: x * a**2,
            "in place": torch.Tensor.mul_,
        },
    )


def test_stage():
    def with_the_package(features, deeper, head):
        module = ReverseAttention(features.shape[1])
        module.residual = head
        return module(features, deeper)

    def other_style(features, deeper, head):
        deeper = nn.Upsample(features.shape[2:], mode="bilinear")(deeper)
        a = torch.sigmoid(-deeper)
        return [r := torch.mul(features, a), a, torch.add(head(r), deeper)]

    assert reverse.check_stage(with_the_package)
    assert reverse.check_stage(other_style)

    def changed(refine=None, weigh=sharp, leave=torch.mul):
        def attempt(c, s, head):
            a = weigh(c, s)
            r = leave(c, a)
            u = up(s, c)
            return r, a, (refine or (lambda u, r, a, c, head: u + head(r)))(u, r, a, c, head)

        return attempt

    diagnosed(
        reverse.check_stage,
        {
            "not added back": changed(lambda u, r, a, c, head: head(r)),
            "are mixed": changed(lambda u, r, a, c, head: u.sigmoid() + head(r)),
            "expects logits": changed(lambda u, r, a, c, head: (u + head(r)).sigmoid()),
            "exceed 1": changed(lambda u, r, a, c, head: u.sigmoid() + head(r).sigmoid()),
            "reads C_i": changed(lambda u, r, a, c, head: u + head(c)),
            "reads what was erased": changed(lambda u, r, a, c, head: u + head(c * (1 - a))),
            "becomes of its answer": changed(lambda u, r, a, c, head: u + head(r).relu()),
            "is cut off": changed(weigh=lambda c, s: sharp(c, s.detach())),
            "`no_grad`": torch.no_grad()(changed()),
            "subtracted": changed(lambda u, r, a, c, head: u - head(r)),
            "added to A_i": changed(lambda u, r, a, c, head: a + head(r)),
            "multiplied in": changed(lambda u, r, a, c, head: u * head(r)),
            "finding is not in it": changed(lambda u, r, a, c, head: u),
            "with a head that says 0": changed(lambda u, r, a, c, head: u + 2 * head(r)),
            "mask is not reversed: your": changed(weigh=lambda c, s: up(s, c).sigmoid()),
            "not reversed there": changed(leave=lambda c, a: c * (1 - a)),
            "never multiplied": changed(leave=lambda c, a: c),
            "in every channel": changed(leave=lambda c, a: c * a**2),
            "Three tensors": lambda c, s, head: c,
            "R_i and A_i are swapped": lambda *x: [reverse.stage(*x)[k] for k in (1, 0, 2)],
            "A_i and S_i are swapped": lambda *x: [reverse.stage(*x)[k] for k in (0, 2, 1)],
            "This is S_i": lambda c, s, head: (*reverse.stage(c, s, head)[:2], c),
        },
    )


def walk(p_d, levels, stages, order=(5, 4, 3), onward=True, pool=torch.mean, out=None):
    s, found = p_d, {}
    for i in order:
        r, _, new = stages[i](levels[i], s)
        found[i] = pool(r.flatten(2), 2)
        s = new if onward else p_d
    return torch.cat([found[i] for i in (out or (5, 4, 3))], 1)


def test_cascade():
    def recursive(p_d, levels, stages, i=5):
        r, _, s = stages[i](levels[i], p_d)
        here = F.adaptive_avg_pool2d(r, 1).flatten(1)
        if i == 3:
            return here
        return torch.hstack((here, recursive(s, levels, stages, i - 1)))

    def by_name(p_d, levels, stages):
        return walk(
            p_d, levels, {i: lambda c, s, i=i: stages[i](features=c, deeper=s) for i in stages}
        )

    for right in (recursive, walk, by_name):
        assert reverse.check_cascade(right), reverse.check_cascade(right)
    diagnosed(
        reverse.check_cascade,
        {
            "starts from P_d": lambda *x: walk(*x, onward=False),
            "deep to shallow": lambda p, c, stages: walk(p, c, stages, order=c, out=c),
            "from block 3 to block 5": lambda *x: walk(*x, order=(3, 4, 5), out=(3, 4, 5)),
            "ran from 3 to 5": lambda *x: walk(*x, order=(3, 4, 5)),
            "order of concatenation": lambda *x: walk(*x, out=(3, 4, 5)),
            "nothing was erased": lambda p, c, stages: torch.cat(
                [c[i].mean((2, 3)) for i in (5, 4, 3)], 1
            ),
            "maximum": lambda *x: walk(*x, pool=torch.amax),
            "sum over places": lambda *x: walk(*x, pool=torch.sum),
            "Three numbers": lambda p, c, stages: torch.cat(
                [stages[i](c[i], p)[1].mean((2, 3)) for i in (5, 4, 3)], 1
            ),
            "length 1": lambda *x: walk(*x)[..., None, None],
            "block 4": lambda p, c, stages: torch.cat(
                (
                    stages[5](c[5], p)[0].mean((2, 3)),
                    stages[4](c[4], -p)[0].mean((2, 3)),
                    walk(p, c, stages)[:, -2:],
                ),
                1,
            ),
            "numbers a face": lambda p, c, stages: p,
        },
    )
