"""Lesson 12's checks: right attempts pass in any style, each likely mistake is named."""

import math
import statistics as standard

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from fercourse.evaluation import metrics
from fercourse.exercises import statistics as lesson


def verdict(name, attempt):
    return getattr(lesson, f"check_{name}")(attempt)


def exact_p(a, b):
    n = a + b
    if not n:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(a, b) + 1)) / 2**n
    return min(1.0, 2 * tail)


def loop_mcnemar(labels, first, second):
    a = b = 0
    for truth, one, two in zip(labels, first, second, strict=True):
        a += int(one == truth != two)
        b += int(two == truth != one)
    return a, b, exact_p(a, b)


def table_mcnemar(labels, first, second):
    table = np.zeros((2, 2), int)
    np.add.at(table, ((first == labels).astype(int), (second == labels).astype(int)), 1)
    a, b = table[1, 0], table[0, 1]
    return [a, b, binomtest(a, a + b, 0.5).pvalue if a + b else 1]


def nan_mean(confusion):
    with np.errstate(invalid="ignore"):
        return np.nanmean(np.diag(confusion) / confusion.sum(1))


def count_up(difference, a, b):
    n = max(1, int(4 * (a * a + b * b) / difference**2) - 3)
    while 2 * math.sqrt((a * a + b * b) / n) > abs(difference):
        n += 1
    return n


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("acc_and_sta", lambda v: (standard.fmean(v), standard.pstdev(v))),
        ("acc_and_sta", lambda v: [np.mean(v), np.std(v)]),
        ("acc_and_sta", lambda v: np.array([np.mean(v), np.std(v)])),
        ("acc_and_sta", lambda v: torch.tensor([np.mean(v), np.std(v)])),
        ("acc_and_sta", lambda v: (torch.tensor(v).double().mean(), np.std(v))),
        ("macro_recall", metrics.macro_recall),
        ("macro_recall", nan_mean),
        ("mcnemar", loop_mcnemar),
        ("mcnemar", table_mcnemar),
        ("mcnemar", lambda *answers: np.array(loop_mcnemar(*answers))),
        ("runs_needed", count_up),
        ("runs_needed", lambda d, a, b: math.ceil(math.hypot(a, b) ** 2 / (d / 2) ** 2)),
    ],
)
def test_other_styles_pass(name, attempt):
    assert verdict(name, attempt), verdict(name, attempt)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda v: (np.mean(v), np.std(v, ddof=1)), "N - 1"),
        (lambda v: (np.mean(v), np.var(v)), "variance"),
        (lambda v: (np.mean(v), np.abs(v - np.mean(v)).mean()), "absolute"),
        (lambda v: (np.mean(v), np.std(v) * len(v) ** 0.5), "summed"),
        (lambda v: (np.mean(v), np.std(v) / len(v) ** 0.5), "standard error"),
        (lambda v: (np.mean(v), max(v) - min(v)), "range"),
        (lambda v: (np.std(v), np.mean(v)), "order"),
        (lambda v: (np.median(v), np.std(v)), "plain mean"),
        (lambda v: (np.mean(v), 3 * np.std(v) + 1), "should be"),
        (lambda v: np.mean(v), "two numbers"),
        (lambda v: (np.mean(v), np.std(v), len(v)), "two numbers"),
        (lambda v: (np.mean(v), np.std(v) if len(v) > 1 else 1.0), "One run"),
    ],
)
def test_acc_and_sta_mistakes(attempt, word):
    said = verdict("acc_and_sta", attempt)
    assert not said
    assert word in said.message


def nan_recall(c):
    with np.errstate(invalid="ignore"):
        return (np.diag(c) / c.sum(1)).mean()


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda c: (np.diag(c) / c.sum(0)).mean(), "precision"),
        (lambda c: (2 * np.diag(c) / (c.sum(0) + c.sum(1))).mean(), "macro F1"),
        (lambda c: np.trace(c) / c.sum(), "accuracy"),
        (nan_recall, "nan"),
        (lambda c: (np.diag(c) / np.maximum(c.sum(1), 1)).mean(), "nobody failed"),
        (lambda c: np.nansum(np.diag(c) / np.maximum(c.sum(1), 1)), "summed"),
        (lambda c: np.diag(c).mean(), "own number"),
        (lambda c: 100 * metrics.macro_recall(c), "per cent"),
        (lambda c: metrics.macro_recall(c) + 0.1, "should be"),
        (lambda c: np.diag(c) / np.maximum(c.sum(1), 1), "One number"),
    ],
)
def test_macro_recall_mistakes(attempt, word):
    said = verdict("macro_recall", attempt)
    assert not said
    assert word in said.message


def with_p(make):
    def attempt(labels, first, second):
        a, b, _ = loop_mcnemar(labels, first, second)
        return a, b, make(a, b, len(labels))

    return attempt


def differing(labels, first, second):
    a = int(((first != second) & (second != labels)).sum())
    b = int(((first != second) & (first != labels)).sum())
    return a, b, exact_p(a, b)


def all_right(labels, first, second):
    a, b = int((first == labels).sum()), int((second == labels).sum())
    return a, b, exact_p(a, b)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda y, a, b: loop_mcnemar(y, b, a), "exchanged"),
        (all_right, "all the right answers"),
        (differing, "both are wrong"),
        (with_p(lambda a, b, n: exact_p(a, b) / 2), "one-sided"),
        (with_p(lambda a, b, n: binomtest(a, n).pvalue), "all N"),
        (with_p(lambda a, b, n: math.erfc(abs(a - b) / math.sqrt(2 * max(1, a + b)))), "chi"),
        (with_p(lambda a, b, n: 0.5), "p should be"),
        (lambda y, a, b: (1, 2, 0.5), "Only the first is right on"),
        (lambda y, a, b: 0.5, "three numbers"),
        (with_p(lambda a, b, n: exact_p(a, b) if a + b else 0.0), "same answers"),
    ],
)
def test_mcnemar_mistakes(attempt, word):
    said = verdict("mcnemar", attempt)
    assert not said
    assert word in said.message


def exact(d, a, b):
    return 4 * (a * a + b * b) / d**2


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda d, a, b: math.ceil(exact(d, a, b)) + 7, "should be"),
        (lambda d, a, b: exact(d, a, b), "whole"),
        (lambda d, a, b: math.floor(exact(d, a, b)), "down"),
        (lambda d, a, b: math.ceil(4 * (a * a + b * b) / d / abs(d)), "negative"),
        (lambda d, a, b: math.ceil(exact(d, a, b) / 4), "*one*"),
        (lambda d, a, b: math.ceil(exact(d, a, b) / 2), "factor 2"),
        (lambda d, a, b: math.ceil(exact(d, a, b) * 1.96**2 / 4), "1.96"),
        (lambda d, a, b: math.ceil(exact(d, a, b) * 2), "Twice"),
        (lambda d, a, b: math.ceil(4 * (a + b) ** 2 / d**2), "added"),
        (lambda d, a, b: math.ceil(exact(d, a, 0)), "first variant"),
        (lambda d, a, b: math.ceil(exact(d, 0, b)), "second variant"),
        (lambda d, a, b: math.ceil(math.sqrt(exact(d, a, b))), "root"),
        (lambda d, a, b: None, "`return` missing"),
    ],
)
def test_runs_needed_mistakes(attempt, word):
    said = verdict("runs_needed", attempt)
    assert not said
    assert word in said.message
