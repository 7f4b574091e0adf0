"""Lesson 18's checks: other styles pass, and each known slip gets its diagnosis."""

import torch
from diagnoses import diagnosed
from torch.nn import functional as F

from fercourse.exercises.bad_weather import (
    check_dark_channel,
    check_mean_ce,
    check_through_fog,
)


def test_fog_in_another_style():
    def lerp(face, thickness, density, air):
        return torch.lerp(torch.full_like(face, air), face, (-density * thickness).exp())

    assert check_through_fog(lerp)


def test_slips_in_the_fog():
    t = lambda d, b: torch.exp(-b * d)  # noqa: E731
    diagnosed(
        check_through_fog,
        {
            "exponent is negative": lambda j, d, b, a: j * (b * d).exp() + a * (1 - (b * d).exp()),
            "not a straight line": lambda j, d, b, a: j * (1 - b * d) + a * b * d,
            "exchanged": lambda j, d, b, a: j * (1 - t(d, b)) + a * t(d, b),
            "its share is 1 - t": lambda j, d, b, a: j * t(d, b) + a,
            "the fog's own light": lambda j, d, b, a: j * t(d, b),
            "not a number": lambda j, d, b, a: torch.lerp(
                torch.full_like(j, a), j, t(d.mean(), b).item()
            ),
            "twice as far": lambda j, d, b, a: j * t(d, 1) + a * (1 - t(d, 1)),
            "On paper": lambda j, d, b, a: 0 * j,
        },
    )


def test_slips_in_the_error():
    kinds = lambda e: list(e)  # noqa: E731
    diagnosed(
        check_mean_ce,
        {
            "the mildest one decides": lambda e, b: (
                sum(sum(x / y for x, y in zip(e[k], b[k], strict=True)) / 5 for k in e) / 2
            ),
            "the hardest corruption": lambda e, b: (
                sum(sum(e[k]) for k in e) / sum(sum(b[k]) for k in b)
            ),
            "Upside down": lambda e, b: sum(sum(b[k]) / sum(e[k]) for k in e) / 2,
            "accuracies": lambda e, b: sum((5 - sum(e[k])) / (5 - sum(b[k])) for k in kinds(e)) / 2,
            "not per cent": lambda e, b: 50 * sum(sum(e[k]) / sum(b[k]) for k in e),
            "their mean": lambda e, b: sum(sum(e[k]) / sum(b[k]) for k in e),
            "One number": lambda e, b: [sum(e[k]) / sum(b[k]) for k in e],
            "It should be": lambda e, b: 1.0,
        },
    )


def test_the_dark_channel_by_unfolding():
    def by_unfold(x, patch):
        reach = patch // 2
        padded = F.pad(x, (reach,) * 4, value=float("inf"))
        return F.unfold(padded, patch).amin(1).view(x.shape)

    assert check_dark_channel(by_unfold)


def test_slips_in_the_dark():
    half = lambda p: p // 2  # noqa: E731
    diagnosed(
        check_dark_channel,
        {
            "The greatest": lambda x, p: F.max_pool2d(x, p, 1, half(p)),
            "sign changed": lambda x, p: F.max_pool2d(-x, p, 1, half(p)),
            "The mean": lambda x, p: F.avg_pool2d(x, p, 1, half(p)),
            "Zeros beyond": lambda x, p: -F.max_pool2d(-F.pad(x, (half(p),) * 4), p, 1),
            "pad by half": lambda x, p: -F.max_pool2d(-x, p, 1),
            "the stride is 1": lambda x, p: -F.max_pool2d(-x, p),
            "always five": lambda x, p: -F.max_pool2d(-x, 5, 1, 2),
            "Some values differ": lambda x, p: x,
        },
    )
