"""Every mistake gets its diagnosis, and several right ways pass."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import fercourse.modules as modules
from fercourse.exercises import gcca

pytestmark = pytest.mark.numeric

# --- stochastic pooling


def expectation(x: Tensor) -> Tensor:
    return (x**2).sum((2, 3)) / (x.sum((2, 3)) + (x.sum((2, 3)) == 0))


def draw(x: Tensor, weights: Tensor, same_for_channels=False, same_for_images=False) -> Tensor:
    """A value of each channel, drawn by weights (N, C, HW)."""
    n, c = x.shape[:2]
    weights = weights + (weights.sum(2, keepdim=True) == 0)
    at = torch.multinomial(weights.flatten(0, 1), 1).view(n, c, 1)
    if same_for_channels:
        at = at[:, :1].expand(-1, c, -1)
    if same_for_images:
        at = at[:1].expand(n, -1, -1)
    return x.flatten(2).gather(2, at)[..., 0]


def as_told(**how):
    return lambda x, t: draw(x, x.flatten(2), **how) if t else expectation(x)


def by_cumulative_sum(x, training):
    a = x.flatten(2)
    if not training:
        p = torch.nan_to_num(a / a.sum(2, keepdim=True))
        return (p * a).sum(2)
    c = a.cumsum(2)
    at = (c <= torch.rand_like(c[..., :1]) * c[..., -1:]).sum(2, keepdim=True)
    return a.gather(2, at.clamp_max(a.shape[2] - 1))[..., 0]


@pytest.mark.parametrize("right", [modules.stochastic_pool, as_told(), by_cumulative_sum])
def test_stochastic_pool_takes_other_styles(right):
    assert gcca.check_stochastic_pool(right)


def train_with(training):
    return lambda x, t: training(x) if t else expectation(x)


def evaluate_with(evaluation):
    return lambda x, t: draw(x, x.flatten(2)) if t else evaluation(x)


def unguarded(x):
    """As torch.multinomial is called at first: it refuses a row of zeros."""
    at = torch.multinomial(x.flatten(2).flatten(0, 1), 1).view(*x.shape[:2], 1)
    return x.flatten(2).gather(2, at)[..., 0]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (evaluate_with(lambda x: draw(x, x.flatten(2))), "still random"),
        (evaluate_with(lambda x: x.amax((2, 3))), "maximum"),
        (evaluate_with(lambda x: x.mean((2, 3))), "plain average"),
        (
            evaluate_with(lambda x: (x.flatten(2).softmax(2) * x.flatten(2)).sum(2)),
            "softmax",
        ),
        (evaluate_with(lambda x: (x**2).sum((2, 3))), "division"),
        (evaluate_with(lambda x: (x**2).mean((2, 3))), "number of places"),
        (evaluate_with(lambda x: expectation(x).sqrt()), "no root"),
        (evaluate_with(lambda x: 2 * expectation(x)), "off by"),
        (evaluate_with(lambda x: expectation(x)[..., None, None]), "One number"),
        (evaluate_with(lambda x: (x**2).sum((2, 3)) / x.sum((2, 3))), "nan"),
        (evaluate_with(lambda x: expectation(x) + (x.sum((2, 3)) == 0)), "should give 0"),
        (train_with(lambda x: draw(x, torch.ones_like(x.flatten(2)))), "same chance"),
        (train_with(lambda x: draw(x, x.flatten(2).softmax(2))), "softmax"),
        (train_with(lambda x: draw(x, x.flatten(2) ** 2)), "square"),
        (train_with(lambda x: draw(x, x.flatten(2) ** 0.5)), "In proportion"),
        (train_with(lambda x: draw(x, x.flatten(2) + 0.5)), "probability 0"),
        (train_with(lambda x: x.amax((2, 3))), "draws nothing"),
        (train_with(expectation), "stands nowhere"),
        (train_with(lambda x: torch.rand(x.shape[:2]) * x.amax((2, 3))), "stands nowhere"),
        (as_told(same_for_channels=True), "All channels"),
        (as_told(same_for_images=True), "All images"),
        (as_told(same_for_images=True, same_for_channels=True), "whole batch"),
        (lambda x, t: expectation(x).numpy(), "tensor"),
        (train_with(unguarded), "zero everywhere stops it in training"),
        (train_with(lambda x: draw(x, x.flatten(2)).flatten()), "In training too"),
        (train_with(lambda x: draw(x, x.flatten(2)).view(-1, 1)), "In training too"),
        (train_with(lambda x: draw(torch.ones_like(x).cumsum(3), x.flatten(2))), "stands nowhere"),
        (train_with(lambda x: draw(x, x.flatten(2)[:1].expand(len(x), -1, -1))), "own activations"),
        (train_with(lambda x: draw(x, x.flatten(2).flip(1))), "own activations"),
        (train_with(lambda x: draw(x, x.flatten(2)).detach()), "no gradient"),
    ],
)
def test_stochastic_pool_diagnoses(wrong, word):
    verdict = gcca.check_stochastic_pool(wrong)
    assert not verdict
    assert word in verdict.message


# --- the descriptors' order


def by_loop(average, maximum, drawn):
    columns = []
    for k in range(average.shape[1]):
        columns += [average[:, k], maximum[:, k], drawn[:, k]]
    return torch.stack(columns, 1)[:, :, None, None]


def by_transpose(a, m, d):
    three = torch.cat((a, m, d), 1).view(len(a), 3, -1)
    return three.transpose(1, 2).reshape(len(a), -1, 1, 1)


@pytest.mark.parametrize("right", [by_loop, by_transpose])
def test_side_by_side_takes_other_styles(right):
    assert gcca.check_side_by_side(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda *d: torch.cat(d, 1)[..., None, None], "not interleaved"),
        (lambda a, m, d: by_loop(m, a, d), "not in the order"),
        (lambda *d: by_loop(*d)[..., 0, 0], "two axes"),
        (lambda *d: torch.stack(d, 2), "one axis"),
        (lambda *d: torch.cat(d, 1).view(*d[0].shape, 3), "is needed"),
        (lambda *d: torch.cat(d, 1).roll(1, 1)[..., None, None], "on paper"),
        (lambda *d: torch.stack(d, 0).reshape(len(d[0]), -1, 1, 1), "another image"),
        (lambda *d: sum(d), "shape"),
    ],
)
def test_side_by_side_diagnoses(wrong, word):
    verdict = gcca.check_side_by_side(wrong)
    assert not verdict
    assert word in verdict.message


# --- three layers


def three_layers(c, r, groups=None, bias=True, least=4, kernel=1, spare=0, padding=0):
    s = max(least, c // r) + spare
    return (
        nn.Conv2d(3 * c, c, kernel, padding=padding, groups=groups or c, bias=bias),
        nn.Conv2d(c, s, 1),
        nn.Conv2d(s, c, 1),
    )


def the_modules_own(gcca):
    return gcca.group, gcca.squeeze, gcca.excite


@pytest.mark.parametrize(
    "right",
    [
        lambda channels, reduction=16: list(three_layers(channels, reduction)),
        lambda channels, reduction=16: the_modules_own(modules.GCCA(channels, reduction)),
    ],
)
def test_layers_take_other_styles(right):
    assert gcca.check_layers(right)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda c, r: three_layers(c, r, groups=1), "without groups"),
        (lambda c, r: three_layers(c, r, groups=2), "Groups are wrong"),
        (lambda c, r: three_layers(c, r, groups=3), "Groups are wrong"),
        (lambda c, r: three_layers(c, r, bias=False), "bias"),
        (lambda c, r: three_layers(c, r, least=1), "below 4"),
        (lambda c, r: three_layers(c, r, kernel=3), "1x1"),
        (lambda c, r: three_layers(c, r, spare=1), "should keep"),
        (lambda c, r: three_layers(c, r)[:2], "Three layers"),
        (lambda c, r: nn.ModuleList(three_layers(c, r)), "in a tuple"),
        (lambda c, r: three_layers(c, r, padding=1), "With padding"),
        (lambda c, r: three_layers(c, r)[::-1], "should fuse"),
        (lambda c, r: [nn.Linear(3 * c, c)] * 3, "nn.Conv2d"),
        (
            lambda c, r: (nn.Conv2d(c, c, 1, groups=c), *three_layers(c, r)[1:]),
            "should fuse",
        ),
        (
            lambda c, r: (three_layers(c, r)[0], nn.Conv2d(c, 4, 1), nn.Conv2d(5, c, 1)),
            "takes 5",
        ),
        (
            lambda c, r: (
                three_layers(c, r)[0],
                nn.Conv2d(c, c, 1, groups=c),
                three_layers(c, r)[2],
            ),
            "compare channels",
        ),
        (
            lambda c, r: (three_layers(c, r)[0], nn.Conv2d(c, 32, 1), nn.Conv2d(32, 3 * c, 1)),
            "give them all",
        ),
    ],
)
def test_layers_diagnose(wrong, word):
    verdict = gcca.check_layers(wrong)
    assert not verdict
    assert word in verdict.message


# --- all of GCCA


def step_by_step(
    x,
    group,
    squeeze,
    excite,
    residual=True,
    gate=torch.sigmoid,
    relu=(F.relu, F.relu),
    axes=(2, 3),
    order=(0, 1, 2),
    cat=False,
    third=None,
):
    three = [x.mean(axes), x.amax(axes), expectation(x)]
    if third is not None:
        three[2] = three[third]
    three = [three[k] for k in order]
    d = torch.cat(three, 1) if cat else torch.stack(three, -1).flatten(1)
    weights = gate(excite(relu[1](squeeze(relu[0](group(d[..., None, None]))))))
    return weights * x + x if residual else weights * x


def in_the_package(x, group, squeeze, excite, training=False):
    module = modules.GCCA(x.shape[1]).train(training)
    module.group, module.squeeze, module.excite = group, squeeze, excite
    return module(x)


def by_loop_over_channels(x, group, squeeze, excite):
    d = torch.stack(
        [F.adaptive_avg_pool2d(x, 1).flatten(1), x.flatten(2).max(2)[0], expectation(x)], 2
    )
    fused = torch.stack(
        [d[:, k] @ group.weight[k].flatten() + group.bias[k] for k in range(x.shape[1])], 1
    )
    squeezed = F.linear(fused.clamp_min(0), squeeze.weight.flatten(1), squeeze.bias)
    m = F.linear(squeezed.clamp_min(0), excite.weight.flatten(1), excite.bias)
    return x * (1 + 1 / (1 + (-m).exp()))[..., None, None]


@pytest.mark.parametrize("right", [step_by_step, in_the_package, by_loop_over_channels])
def test_recalibrate_takes_other_styles(right):
    assert gcca.check_recalibrate(right)


def same(x):
    return x


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"residual": False}, "residual is missing"),
        ({"gate": same}, "sigmoid is missing"),
        ({"gate": same, "residual": False}, "so is the residual"),
        ({"gate": lambda w: w.softmax(1)}, "compete"),
        ({"relu": (same, F.relu)}, "behind G"),
        ({"relu": (F.relu, same)}, "behind W_1"),
        ({"relu": (same, same)}, "Neither ReLU"),
        ({"cat": True}, "not interleaved"),
        ({"order": (2, 1, 0)}, "another order"),
        ({"order": (1, 0, 2)}, "Maximum and average have changed places"),
        ({"order": (0, 2, 1)}, "Maximum and draw have changed places"),
        ({"third": 0}, "pooling is missing"),
        ({"third": 1}, "sum(a^2)"),
        ({"axes": (1, 2)}, "wrong axis"),
        ({"axes": (1, 3)}, "wrong axis"),
        ({"gate": lambda w: w.relu().sigmoid()}, "fall below 0.5"),
        ({"gate": lambda w: w.sigmoid() + 3}, "between 1 and 2"),
        ({"gate": lambda w: (2 * w).sigmoid()}, "M is off by"),
    ],
)
def test_recalibrate_diagnoses(changes, word):
    verdict = gcca.check_recalibrate(lambda *given: step_by_step(*given, **changes))
    assert not verdict
    assert word in verdict.message


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda x, *p: in_the_package(x, *p) / x, "number"),
        (lambda x, *p: step_by_step(x, *p)[..., :1, :1], "weights M alone"),
        (lambda x, *p: x[:, :1], "as large as F"),
        (lambda x, *p: x, "nothing was weighted"),
        (lambda x, *p: in_the_package(x, *p, training=True), "two answers"),
        (lambda x, *p: (step_by_step(x, *p) / x.clamp_min(1e-9)) ** 2 * x, "twice"),
    ],
)
def test_recalibrate_diagnoses_more(wrong, word):
    verdict = gcca.check_recalibrate(wrong)
    assert not verdict
    assert word in verdict.message


def test_recalibrate_diagnoses_weights_that_are_added():
    def wrong(x, *p):
        ones = torch.ones_like(x)
        module = modules.GCCA(x.shape[1]).eval()
        module.group, module.squeeze, module.excite = p
        return module.attention(x) * ones + x

    assert "multiplies" in gcca.check_recalibrate(wrong).message


def test_recalibrate_diagnoses_a_batch_pooled_together():
    def wrong(x, *p):
        together = x.transpose(0, 1).reshape(1, x.shape[1], -1, 1)
        ratio = step_by_step(together, *p) / together.clamp_min(1e-9)
        return ratio.amax((2, 3))[..., None, None] * x

    assert "batch" in gcca.check_recalibrate(wrong).message
