"""Lesson 19's checks: right styles pass, and each known slip gets its diagnosis."""

import pytest
import torch

from fercourse.exercises import reading
from fercourse.exercises.reading import (
    KINDS,
    check_attainable,
    check_in_images,
    check_name_the_slip,
    check_without_leaks,
)

ANSWERS = reading.name_the_slip()


def test_slips_in_another_order_pass():
    assert check_name_the_slip(lambda: dict(reversed(ANSWERS.items())))
    assert set(ANSWERS.values()) == set(KINDS)


@pytest.mark.parametrize("sentence", ANSWERS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_wrong_kind_is_told_where_to_look(sentence, kind):
    verdict = check_name_the_slip(lambda: ANSWERS | {sentence: kind})
    assert verdict.passed == (kind == ANSWERS[sentence])
    assert verdict or "not “" in verdict.message


def test_odd_answers():
    first = next(iter(ANSWERS))
    assert "no answer yet" in check_name_the_slip(lambda: ANSWERS | {first: None}).message
    assert "none of the four" in check_name_the_slip(lambda: ANSWERS | {first: "typo"}).message
    assert "missing" in check_name_the_slip(lambda: {}).message
    assert "dictionary" in check_name_the_slip(lambda: None).message


@pytest.mark.parametrize(
    "attempt",
    [
        lambda a, b, n: n * b / 100 - n * a / 100,
        lambda a, b, n: torch.tensor((b - a) * n * 0.01, dtype=torch.float64),
    ],
)
def test_other_counts_pass(attempt):
    assert check_in_images(attempt), check_in_images(attempt)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda a, b, n: (a - b) / 100 * n, "sign"),
        (lambda a, b, n: (b - a) * n, "per cent"),
        (lambda a, b, n: abs(b - a) / 100 * n, "negative"),
        (lambda a, b, n: (b - a) / a * n, "share of all"),
        (lambda a, b, n: round((b - a) / 100 * n), "round"),
        (lambda a, b, n: 0.5, "you say"),
        (lambda a, b, n: "many", "number"),
    ],
)
def test_wrong_counts_are_diagnosed(attempt, word):
    verdict = check_in_images(attempt)
    assert not verdict
    assert word in verdict.message, verdict.message


def by_trying_all(percent, n, digits=2):
    return any(round(100 * k / n, digits) == percent for k in range(n + 1))


def by_both_neighbours(percent, n, digits=2):
    low = int(percent * n / 100)
    return f"{percent:.{digits}f}" in [f"{k / n:.{digits}%}"[:-1] for k in (low, low + 1)]


@pytest.mark.parametrize("attempt", [by_trying_all, by_both_neighbours])
def test_other_ways_pass(attempt):
    assert check_attainable(attempt), check_attainable(attempt)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda p, n, d=2: abs(p / 100 * n - round(p / 100 * n)) < 1e-9, "rounded"),
        (lambda p, n, d=2: (p * n / 100).is_integer(), "rounded"),
        (lambda p, n, d=2: abs(100 * round(p * n / 100) / n - p) < 10**-d, "generous"),
        (lambda p, n, d=2: round(100 * int(p / 100 * n) / n, d) == p, "neighbours"),
        (lambda p, n, d=2: by_trying_all(p, n, 2), "digits"),
        (lambda p, n, d=2: True, "everything"),
        (lambda p, n, d=2: False, "nothing"),
        (lambda p, n, d=2: not by_trying_all(p, n, d), "you say otherwise"),
        (lambda p, n, d=2: "yes", "True or False"),
    ],
)
def test_wrong_ways_are_diagnosed(attempt, word):
    verdict = check_attainable(attempt)
    assert not verdict
    assert word in verdict.message, verdict.message


def test_the_papers_recalls_are_no_counts_of_the_official_splits():
    for percent, sizes in ((55.98, (594, 653)), (61.01, (528, 496))):
        assert not any(by_trying_all(percent, n) for n in sizes)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda a, n, k, r=1.0: (a - r * k / n) / (1 - k / n),
        lambda a, n, k, r=1.0: 1 - (n * (1 - a) - k * (1 - r)) / (n - k),
    ],
)
def test_other_bounds_pass(attempt):
    assert check_without_leaks(attempt), check_without_leaks(attempt)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda a, n, k, r=1.0: (a * n - r * k) / n, "divide"),
        (lambda a, n, k, r=1.0: a * n / (n - k), "stayed"),
        (lambda a, n, k, r=1.0: (a * n - k) / (n - k), "recognised"),
        (lambda a, n, k, r=1.0: 100 * (a * n - r * k) / (n - k), "per cent"),
        (lambda a, n, k, r=1.0: a * n - r * k, "number of images"),
        (lambda a, n, k, r=1.0: a, "you say"),
        (lambda a, n, k, r=1.0: None, "`return` missing"),
    ],
)
def test_wrong_bounds_are_diagnosed(attempt, word):
    verdict = check_without_leaks(attempt)
    assert not verdict
    assert word in verdict.message, verdict.message
