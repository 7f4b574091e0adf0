"""Lesson 17's checks: right styles pass, and each known slip gets its diagnosis."""

import numpy as np
import pytest
import torch

from fercourse.exercises import photo
from fercourse.exercises.photo import (
    check_accuracy_gap,
    check_calibration_error,
    check_flip_average,
    check_prohibited,
)

pytestmark = pytest.mark.numeric


def flip_in_a_loop(classify, x):
    total = 0
    for view in (x, torch.flip(x, dims=[-1])):
        total = total + torch.softmax(classify(view), dim=-1)
    return total / 2


def flip_in_one_batch(classify, x):
    p = classify(torch.cat([x, x[..., torch.arange(x.shape[3] - 1, -1, -1)]])).softmax(1)
    return (p[: len(x)] + p[len(x) :]) / 2


@pytest.mark.parametrize("attempt", [flip_in_a_loop, flip_in_one_batch])
def test_other_flips_pass(attempt):
    assert check_flip_average(attempt), check_flip_average(attempt)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda f, x: f(x).softmax(1), "face alone"),
        (lambda f, x: f(x.flip(3)).softmax(1), "mirror image alone"),
        (lambda f, x: f(x).softmax(1) + f(x.flip(3)).softmax(1), "sum to 2"),
        (lambda f, x: (f(x).softmax(1) + f(x.flip(2)).softmax(1)) / 2, "upside down"),
        (lambda f, x: (f(x).softmax(1) + f(x.flip((2, 3))).softmax(1)) / 2, "180"),
        (lambda f, x: ((f(x) + f(x.flip(3))) / 2).softmax(1), "geometric"),
        (lambda f, x: (f(x) + f(x.flip(3))) / 2, "averaged logits"),
        (lambda f, x: f(x).softmax(0), "sums to"),
        (lambda f, x: torch.maximum(f(x).softmax(1), f(x.flip(3)).softmax(1)), "sums to"),
        (lambda f, x: f(x).softmax(1) * 0 + 1 / 4, "off by"),
        (lambda f, x: f(x).softmax(1).mean(0), "shape"),
        (lambda f, x: 0.5, "tensor"),
    ],
)
def test_wrong_flips_are_diagnosed(attempt, word):
    verdict = check_flip_average(attempt)
    assert not verdict
    assert word in verdict.message


def binned(p, labels, bins, weigh=True, distance=abs, confidence=None, close_top=True):
    c = p.amax(1) if confidence is None else confidence
    right = (p.argmax(1) == labels).float()
    total, held = 0.0, 0
    for b in range(bins):
        top = c <= 1 if close_top and b == bins - 1 else c < (b + 1) / bins
        inside = (c >= b / bins) & top
        if inside.any():
            held += 1
            d = distance(right[inside].mean().item() - c[inside].mean().item())
            total += d * (inside.float().mean().item() if weigh else 1)
    return total if weigh else total / held


def sums_of_bins(p, labels, bins=10):
    """n/N |a - c| is |sum of (right - confidence)| / N."""
    c, answer = p.max(1)
    difference = torch.zeros(bins).index_add_(
        0, (c * bins).long().clamp(max=bins - 1), (answer == labels).float() - c
    )
    return difference.abs().sum() / len(p)  # a tensor of one number


@pytest.mark.parametrize("attempt", [lambda p, y, bins=10: binned(p, y, bins), sums_of_bins])
def test_other_calibration_errors_pass(attempt):
    assert check_calibration_error(attempt), check_calibration_error(attempt)


def mean_of_every_bin(p, labels, bins=10):
    c, right = p.amax(1), (p.argmax(1) == labels).float()
    index = (c * bins).long().clamp(max=bins - 1)
    return sum(
        (index == b).float().mean() * (right[index == b].mean() - c[index == b].mean()).abs()
        for b in range(bins)
    )


def equally_filled(p, y, bins=10):
    c, answer = p.max(1)
    parts = c.argsort().chunk(bins)
    return sum(len(i) * abs((answer[i] == y[i]).float().mean() - c[i].mean()) for i in parts) / len(
        y
    )


def over_its_own_range(p, y, bins=10):
    c, right = p.amax(1).numpy(), (p.argmax(1) == y).numpy()
    which = np.clip(np.digitize(c, np.histogram(c, bins)[1]) - 1, 0, bins - 1)
    return sum(abs(right[which == b].sum() - c[which == b].sum()) for b in range(bins)) / len(y)


def against_the_middle(p, y, bins=10):
    c, right = p.amax(1), (p.argmax(1) == y).float()
    found = 0.0
    for b in range(bins):
        inside = (c >= b / bins) & (c < (b + 1) / bins)
        if inside.any():
            found += inside.float().mean() * (right[inside].mean() - (b + 0.5) / bins).abs()
    return found


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda p, y, bins=10: binned(p, y, bins, distance=float), "Signs cancel"),
        (lambda p, y, bins=10: binned(p, y, bins, distance=lambda d: -d), "Signs cancel"),
        (lambda p, y, bins=10: binned(p, y, bins, weigh=False), "weighs alike"),
        (lambda p, y, bins=10: 100 * binned(p, y, bins), "per cent"),
        (
            lambda p, y, bins=10: binned(p, y, bins, confidence=p.gather(1, y[:, None])[:, 0]),
            "probability of the label",
        ),
        (mean_of_every_bin, "nan"),
        (lambda p, y, bins=10: binned(p, y, bins, close_top=False), "upper edge"),
        (lambda p, y, bins=10: 0.0, "yours says"),
        (equally_filled, "equally wide"),
        (over_its_own_range, "span 0 to 1"),
        (against_the_middle, "middle of each bin"),
        (lambda p, y, bins=10: (p.amax(1) - (p.argmax(1) == y).float()).abs().mean(), "by face"),
        (lambda p, y, bins=10: None, "`return` missing"),
    ],
)
def test_wrong_calibration_errors_are_diagnosed(attempt, word):
    verdict = check_calibration_error(attempt)
    assert not verdict
    assert word in verdict.message, verdict.message


def parts(right, first):
    a, b = right[first].double().mean(), right[~first].double().mean()
    return a, b, a * (1 - a) / first.sum(), b * (1 - b) / (~first).sum()


def gap_pooled(right, first):
    a, b, _, _ = parts(right, first)
    p = right.double().mean()
    return a - b, (p * (1 - p) * (1 / first.sum() + 1 / (~first).sum())).sqrt()


def gap_unbiased(right, first):
    a, b = right[first].double(), right[~first].double()
    return [float(a.mean() - b.mean()), float((a.var() / len(a) + b.var() / len(b)) ** 0.5)]


def gap_as_array(right, first):
    return np.array(gap_unbiased(right, first))


@pytest.mark.parametrize("attempt", [gap_pooled, gap_unbiased, gap_as_array])
def test_other_gaps_pass(attempt):
    assert check_accuracy_gap(attempt), check_accuracy_gap(attempt)


def gap(error):
    def attempt(right, first):
        a, b, va, vb = parts(right, first)
        return a - b, error(right, a, b, va, vb)

    return attempt


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda r, f: (parts(r, f)[1] - parts(r, f)[0], 0.1), "other sign"),
        (lambda r, f: (abs(parts(r, f)[0] - parts(r, f)[1]), gap_unbiased(r, f)[1]), "negative"),
        (lambda r, f: (100 * (parts(r, f)[0] - parts(r, f)[1]), 0.1), "per cent"),
        (lambda r, f: (parts(r, f)[0] - r.double().mean(), 0.1), "everybody"),
        (lambda r, f: (((r & f).sum() - (r & ~f).sum()).abs() / len(r), 0.1), "own size"),
        (lambda r, f: (0.0, 0.1), "yours says"),
        (lambda r, f: 0.3, "two numbers"),
        (gap(lambda r, a, b, va, vb: va + vb), "variance"),
        (gap(lambda r, a, b, va, vb: va**0.5 + vb**0.5), "do not add"),
        (
            gap(
                lambda r, a, b, va, vb: (
                    (r.double().mean() * (1 - r.double().mean()) / len(r)) ** 0.5
                )
            ),
            "overall accuracy",
        ),
        (gap(lambda r, a, b, va, vb: abs(va - vb) ** 0.5), "Variances add"),
        (gap(lambda r, a, b, va, vb: (a * (1 - a) + b * (1 - b)) ** 0.5), "group's size"),
        (gap(lambda r, a, b, va, vb: ((a * (1 - a) + b * (1 - b)) / len(r)) ** 0.5), "over N"),
        (gap(lambda r, a, b, va, vb: 1.96 * (va + vb) ** 0.5), "95 %"),
        (gap(lambda r, a, b, va, vb: va**0.5), "first group's error"),
        (
            lambda r, f: (
                parts(r, f)[0] - parts(r, f)[1],
                r[f].double().std() + r[~f].double().std(),
            ),
            "single faces",
        ),
        (gap(lambda r, a, b, va, vb: vb**0.5), "second group's error"),
        (gap(lambda r, a, b, va, vb: 0.5), "yours says"),
    ],
)
def test_wrong_gaps_are_diagnosed(attempt, word):
    verdict = check_accuracy_gap(attempt)
    assert not verdict
    assert word in verdict.message, verdict.message


def test_prohibited_by_hand_in_another_order():
    answers = photo.prohibited()
    assert check_prohibited(lambda: dict(reversed(answers.items())))
    assert sum(answers.values()) == 3


@pytest.mark.parametrize(
    "word", ["call centre", "exam", "lorry", "camera app", "employer", "museum"]
)
def test_each_wrong_answer_gets_its_reason(word):
    answers = photo.prohibited()
    use = next(u for u in answers if word in u)
    verdict = check_prohibited(lambda: answers | {use: not answers[use]})
    assert not verdict
    assert word in verdict.message


def test_unanswered_and_odd_answers():
    answers = photo.prohibited()
    first = next(iter(answers))
    assert "no answer yet" in check_prohibited(lambda: answers | {first: None}).message
    assert "True or False" in check_prohibited(lambda: answers | {first: "yes"}).message
    assert "missing" in check_prohibited(lambda: {}).message
    assert "dictionary" in check_prohibited(lambda: [True]).message
