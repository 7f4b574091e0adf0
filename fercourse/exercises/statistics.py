"""Lesson 12: Acc and Sta, recall over classes, McNemar's test, and how many runs are enough."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import binomtest

from fercourse.exercises.exercise import Wrong, check, exercise, several


@exercise(
    "Acc and Sta",
    difficulty=1,
    minutes=5,
    hints=[
        "Acc is a plain mean. Sta measures how far the runs lie from it.",
        "Square the deviations, average them over N, take the root.",
        "`std()` divides by N in NumPy and by N - 1 in torch and pandas. Which one is eq. 9?",
    ],
)
def acc_and_sta(accuracies: list[float]) -> tuple[float, float]:
    """Eq. 8 and 9 for N >= 1 runs: (Acc, Sta), in the unit given."""
    # your turn
    runs = np.asarray(accuracies, dtype=float)
    acc = runs.mean()
    return acc, np.sqrt(np.mean((runs - acc) ** 2))


@check(
    acc_and_sta,
    praise="Eq. 8 and 9 as printed, dividing by N; a single run has Sta 0, which says nothing.",
)
def check_acc_and_sta(attempt):
    """Compare with NumPy on per cents and fractions, and on a single run."""
    rng = np.random.default_rng(0)
    for runs in (70 + rng.normal(size=10), rng.uniform(0.6, 0.9, size=4)):
        acc, sta = _pair(attempt(runs.tolist()))
        right, spread, n = runs.mean(), runs.std(), len(runs)
        if _near(acc, spread) and _near(sta, right):
            raise Wrong("Both are right, in the wrong order: Acc first, then Sta.")
        if not _near(acc, right):
            raise Wrong(f"Acc should be {right:.4f}, not {acc:.4f}: eq. 8 is the plain mean.")
        if _near(sta, spread):
            continue
        if _near(sta, runs.std(ddof=1)):
            raise Wrong(
                "You divided by N - 1. That estimates the spread of all possible runs; eq. 9 as "
                "printed divides by N."
            )
        if _near(sta, spread**2) or _near(sta, runs.var(ddof=1)):
            raise Wrong(
                "That is the variance, in squared points: the root of eq. 9 is missing. (The "
                "paper's words, mean square error, suggest it; its formula does not.)"
            )
        if _near(sta, np.abs(runs - right).mean()):
            raise Wrong("That is the mean absolute deviation; eq. 9 squares, and takes the root.")
        if _near(sta, spread * math.sqrt(n)):
            raise Wrong("The deviations were summed, where eq. 9 divides the sum by N.")
        if _near(sta, spread / math.sqrt(n)) or _near(sta, runs.std(ddof=1) / math.sqrt(n)):
            raise Wrong(
                "That is the standard error of the mean: it falls as N grows. Sta is the spread "
                "of single runs."
            )
        if _near(sta, np.ptp(runs)):
            raise Wrong("That is the range, from the worst run to the best.")
        raise Wrong(f"For {n} runs Sta should be {spread:.4f}, not {sta:.4f}.")
    acc, sta = _pair(attempt([0.7]))
    if not (_near(acc, 0.7) and _near(sta, 0)):
        raise Wrong(f"One run at 0.7 has Acc 0.7 and Sta 0, not {acc:g} and {sta:g}.")


@exercise(
    "Macro recall",
    difficulty=2,
    minutes=8,
    hints=[
        "A row of the matrix is a true class. What is the sum of a row?",
        "Right answers of a class stand on the diagonal.",
        "A class without a single image has no recall: leave it out of the mean, before dividing.",
    ],
)
def macro_recall(confusion: np.ndarray) -> float:
    """Mean over classes of the share recognised; classes without an image are left out.

    confusion: counts (K, K), row = true class, column = answer
    """
    # your turn
    present = confusion.sum(axis=1)
    there = present > 0
    return float((np.diag(confusion)[there] / present[there]).mean())


@check(
    macro_recall,
    praise="Every class that occurs weighs the same, however few faces it has.",
)
def check_macro_recall(attempt):
    """Compare on unbalanced matrices, and on one with an absent class."""
    rng = np.random.default_rng(1)
    for k in (3, 7):
        counts = rng.integers(1, 30, size=(k, k)) * rng.integers(1, 20, size=(k, 1))
        _judge_recall(_number(attempt(counts.copy())), counts)
    absent = np.array([[8, 2, 1, 0], [3, 3, 0, 0], [1, 0, 9, 0], [0, 0, 0, 0]])
    out = _number(attempt(absent.copy()))
    if math.isnan(out):
        raise Wrong("nan came out: the last class has no face here. What is its 0 / 0 worth?")
    recall = np.array([8 / 11, 3 / 6, 9 / 10])
    if _near(out, recall.sum() / 4):
        raise Wrong(
            "A class with no face was counted as recall 0: nobody failed to recognise it. Leave "
            "it out."
        )
    if not _near(out, recall.mean()):
        raise Wrong(
            f"With a class that never occurs the mean should be {recall.mean():.4f}, not {out:.4f}."
        )


def _judge_recall(out: float, counts: np.ndarray) -> None:
    diagonal = np.diag(counts)
    recall = diagonal / counts.sum(1)
    if _near(out, recall.mean()):
        return
    if _near(out, (diagonal / counts.sum(0)).mean()):
        raise Wrong(
            "You divided by the column sums: of the faces *called* happy, how many are. That is "
            "precision; recall divides by the row, the faces that *are* happy."
        )
    if _near(out, diagonal.sum() / counts.sum()):
        raise Wrong(
            "That is accuracy: common classes weigh more. Divide class by class first, then "
            "take the mean."
        )
    precision = diagonal / counts.sum(0)
    if _near(out, (2 * precision * recall / (precision + recall)).mean()):
        raise Wrong("That is macro F1: it mixes precision in. Recall alone is asked for.")
    if _near(out, recall.sum()):
        raise Wrong("The recalls were summed; take their mean.")
    if _near(out, diagonal.mean()) or _near(out, (diagonal / counts.sum()).mean()):
        raise Wrong("Each class is to be divided by its own number of faces, the sum of its row.")
    if _near(out, 100 * recall.mean()):
        raise Wrong("Right, in per cent; give a fraction between 0 and 1.")
    raise Wrong(f"The mean recall should be {recall.mean():.4f}, not {out:.4f}.")


@exercise(
    "McNemar's test",
    difficulty=2,
    minutes=12,
    hints=[
        "Compare each network with the labels first: two lists of right and wrong.",
        "Faces that both get right, or both get wrong, say nothing about which is better.",
        "If neither were better, each face that one alone gets right would be a fair coin: "
        "`binomtest(k, n).pvalue`, two-sided as it comes. Without such faces p is 1.",
    ],
)
def mcnemar(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Two networks' answers to the same N faces: (only first right, only second right, p).

    p is the exact two-sided p of McNemar's test. All three arrays are int (N,).
    """
    from scipy.stats import binomtest

    # your turn
    right, also = first == labels, second == labels
    ours, theirs = int((right & ~also).sum()), int((also & ~right).sum())
    return ours, theirs, float(binomtest(ours, ours + theirs).pvalue) if ours + theirs else 1.0


@check(
    mcnemar,
    praise="Only faces on which exactly one network is right decide, each like a fair coin.",
)
def check_mcnemar(attempt):
    """Compare on made-up answers in which both are often wrong in different ways."""
    rng = np.random.default_rng(2)
    for n, k in ((60, 7), (200, 4)):
        labels = rng.integers(k, size=n)
        first = np.where(rng.random(n) < 0.7, labels, rng.integers(k, size=n))
        second = np.where(rng.random(n) < 0.5, labels, rng.integers(k, size=n))
        only_first = int(((first == labels) & (second != labels)).sum())
        only_second = int(((second == labels) & (first != labels)).sum())
        a, b, p = _triple(attempt(labels.copy(), first.copy(), second.copy()))
        if (a, b) == (only_second, only_first):
            raise Wrong("The two counts are exchanged: first comes where only the first is right.")
        if (a, b) == ((first == labels).sum(), (second == labels).sum()):
            raise Wrong(
                "Those are all the right answers of each. Faces that both get right cannot tell "
                "them apart: count where only one is right."
            )
        if a + b > only_first + only_second and a + b <= (first != second).sum() + only_second:
            raise Wrong(
                "You counted faces where the answers differ; where both are wrong in different "
                "ways, neither is better. Compare with the labels."
            )
        if (a, b) != (only_first, only_second):
            raise Wrong(
                f"Only the first is right on {only_first} of {n} faces, only the second on "
                f"{only_second}; you have {a} and {b}."
            )
        _judge_p(p, only_first, only_second, n)
    same = np.array([0, 1, 2])
    a, b, p = _triple(attempt(same, same.copy(), same.copy()))
    if (a, b) != (0, 0) or not _near(p, 1):
        raise Wrong("Two networks with the same answers: no face decides, so 0, 0 and p = 1.")


def _judge_p(p: float, a: int, b: int, n: int) -> None:
    right = binomtest(a, a + b).pvalue
    if _near(p, right):
        return
    if any(_near(p, binomtest(a, a + b, alternative=s).pvalue) for s in ("less", "greater")):
        raise Wrong(
            "Your p is one-sided. Before looking you could not know which is better: count both "
            "sides."
        )
    if any(_near(p, binomtest(k, n).pvalue) for k in (a, b, a + b)):
        raise Wrong(
            "You tested against all N faces; the coin is thrown only for the faces where exactly "
            "one is right."
        )
    chi = [(abs(a - b) - c) ** 2 / (a + b) for c in (0, 1)]
    if any(_near(p, math.erfc(math.sqrt(x / 2))) for x in chi):
        raise Wrong("That is the chi-squared approximation; the exact binomial test is asked for.")
    raise Wrong(f"With {a} against {b} faces p should be {right:.4g}, not {p:.4g}.")


@exercise(
    "How many runs?",
    difficulty=3,
    minutes=10,
    hints=[
        "The mean of N runs has variance s^2 / N.",
        "Variances of independent means add up; their difference's standard error is the root.",
        "Solve 2 sqrt((a^2 + b^2) / N) <= |difference| for N, and round up.",
    ],
)
def runs_needed(difference: float, first_sd: float, second_sd: float) -> int:
    """Least N, runs of each variant, at which their difference is two standard errors or more.

    difference: of the means, not 0; first_sd, second_sd: standard deviation of single runs
    """
    # your turn
    variance = first_sd**2 + second_sd**2  # of the difference of two single runs
    return int(np.ceil(4 * variance / difference**2))


@check(
    runs_needed,
    praise="Half the difference costs four times the runs: N goes with the square of sd over "
    "difference.",
)
def check_runs_needed(attempt):
    """Compare on differences of either sign and unequal spreads."""
    for d, a, b in ((0.05, 0.31, 0.4), (-0.011, 0.38, 0.21), (0.013, 0.3, 0.05)):
        out = attempt(d, a, b)
        value = _number(out)
        exact = 4 * (a**2 + b**2) / d**2
        right = math.ceil(exact)
        if not _near(value, round(value)) and _near(value, exact):
            raise Wrong("Right before rounding: runs come whole, and N has to be enough.")
        if value == right:
            continue
        slips = [
            (math.floor(exact), "Rounded down: one run too few. N has to be enough."),
            (-exact, "A negative number of runs: the sign of the difference should not matter."),
            (exact / 4, "At that N the difference is *one* standard error; two are asked for."),
            (
                exact / 2,
                "A factor 2 is missing: is it the variances' mean you took, or did you "
                "forget to square the two standard errors?",
            ),
            (exact * 1.96**2 / 4, "That is for 1.96 standard errors; two are asked for."),
            (exact * 2, "Twice too many: the two variances are added, once."),
            (
                4 * (a + b) ** 2 / d**2,
                "The standard deviations were added; variances are what "
                "adds up for independent runs.",
            ),
            (4 * a**2 / d**2, "Only the first variant's spread is in it; the second varies too."),
            (4 * b**2 / d**2, "Only the second variant's spread is in it; the first varies too."),
            (
                2 * math.sqrt(a**2 + b**2) / abs(d),
                "That is the root of N: the standard error falls with the square root of the runs.",
            ),
        ]
        for wrong, message in slips:
            if any(_near(value, f(wrong)) for f in (float, math.ceil, math.floor)):
                raise Wrong(message)
        raise Wrong(
            f"For a difference of {d:g} and spreads of {a:g} and {b:g}, N should be {right}, not "
            f"{value:g}."
        )


def _near(a: float, b: Any) -> bool:
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-9)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Wrong(f"One number is asked for, and {type(value).__name__} came back.") from None


def _pair(value: Any) -> tuple[float, float]:
    acc, sta = several(value, 2, "Return two numbers: Acc, and Sta.")
    return acc, sta


def _triple(value: Any) -> tuple[int, int, float]:
    a, b, p = several(value, 3, "Return three numbers: two counts, and p.")
    return int(a), int(b), p
