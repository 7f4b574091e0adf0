"""How far numbers can be trusted: intervals and tests for few runs, ties, folds and many tries.

Accuracies are fractions in [0, 1]; a difference of 0.01 is one point. What belongs to rows of the
ledger is in :mod:`fercourse.runs.summaries`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError

EXACT = 14
"""Pairs up to which the sign-flip test goes through all 2^n cases; above, it draws."""

DRAWS = 20_000

LARGEST = 1_000_000
"""Images up to which an accuracy given as a float is taken back to the k / N it came from."""


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean of N independent runs; (nan, nan) for one run.

    Here the spread divides by N - 1, unlike Sta: the interval is about all possible runs.
    """
    x = np.asarray(values, dtype=np.float64)
    return t_interval(float(x.mean()), float(x.std(ddof=0)), len(x), confidence)


def t_interval(
    mean: float, sta: float, n: int, confidence: float = 0.95, overlap: float = 0.0
) -> tuple[float, float]:
    """Student's t interval of a mean of n runs, of which mean and Sta (eq. 9) are known.

    ``mean +- t s sqrt(1 / n + overlap)`` with ``s = Sta sqrt(n / (n - 1))``.

    Args:
        mean: Of the runs.
        sta: Their spread, which divides by n.
        n: Runs; of one the interval is (nan, nan).
        confidence: In (0, 1).
        overlap: See :func:`paired`.
    """
    from scipy.stats import t

    if n < 2:
        return math.nan, math.nan
    spread = sta * math.sqrt(n / (n - 1))
    half = t.ppf((1 + confidence) / 2, n - 1) * spread * math.sqrt(1 / n + overlap)
    return float(mean - half), float(mean + half)


def spread_interval(sta: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the spread of all possible runs, from the Sta (eq. 9) of n of them.

    If accuracies are normally distributed, ``n Sta^2 / sigma^2`` is chi-squared with n - 1 degrees
    of freedom.

    Raises:
        FercourseError: There are fewer than two runs.
    """
    from scipy.stats import chi2

    if n < 2:
        raise FercourseError("a spread needs two runs at least.")
    tail = (1 - confidence) / 2
    low, high = (sta * math.sqrt(n / chi2.ppf(q, n - 1)) for q in (1 - tail, tail))
    return float(low), float(high)


def variance_ratio(first: float, second: float, n: int) -> tuple[float, float]:
    """How much larger one variance of n runs is than another, and the two-sided p of the F test.

    Args:
        first: Sta of n runs (eq. 9).
        second: Sta of n other runs.
        n: At least two.

    Returns:
        The larger variance over the smaller, 1 or more; and how likely so unequal ones are where
        both are runs of one spread. It assumes normally distributed accuracies.

    Raises:
        FercourseError: There are fewer than two runs, or a Sta is not positive.
    """
    from scipy.stats import f

    if n < 2 or first <= 0 or second <= 0:
        raise FercourseError(
            f"two spreads of two runs or more are compared, not {first} and {second} of {n}."
        )
    ratio = (max(first, second) / min(first, second)) ** 2
    return ratio, float(min(1.0, 2 * f.sf(ratio, n - 1, n - 1)))


@dataclass(frozen=True)
class Blocked:
    """Do several settings differ, when each was run with the same seeds?

    Attributes:
        seeds: Runs of each setting.
        settings: How many.
        p: Of the analysis of variance with the seeds as blocks: what a seed does to all settings
            alike is taken out before the settings are compared.
        share: Of what the seeds leave unexplained, the share that the settings explain
            (partial eta squared), in [0, 1].
        gap: Mean of the best setting minus mean of the worst. Even equal settings have one.
    """

    seeds: int
    settings: int
    p: float
    share: float
    gap: float


def blocked(values: ArrayLike) -> Blocked:
    """Analysis of variance of a randomised complete block design.

    Args:
        values: (seeds, settings): row s holds the runs of seed s.

    Raises:
        FercourseError: Fewer than two seeds or settings.
    """
    from scipy.stats import f

    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < 2:
        raise FercourseError(f"two seeds and two settings are needed at least, not {x.shape}.")
    seeds, settings = x.shape
    means = x.mean(axis=0)  # (settings,)
    residual = x - means - x.mean(axis=1, keepdims=True) + x.mean()
    between = seeds * float(((means - x.mean()) ** 2).sum())
    within = float((residual**2).sum())
    free = (settings - 1) * (seeds - 1)
    ratio = between / (settings - 1) / (within / free) if within else math.inf
    p = float(f.sf(ratio, settings - 1, free)) if between else 1.0
    share = between / (between + within) if between else 0.0
    return Blocked(seeds, settings, p, share, float(np.ptp(means)))


def shared_level(comparisons: int, level: float = 0.05) -> float:
    """The level each of several comparisons is held to (Bonferroni).

    So that luck alone passes one or more of them no oftener than one time in twenty.
    """
    return level / max(1, comparisons)


def wilson(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of one accuracy, correct / n; stays inside [0, 1].

    Raises:
        FercourseError: Not 0 <= correct <= n, or n < 1.
    """
    from scipy.stats import binomtest

    if n < 1 or not 0 <= correct <= n:
        raise FercourseError(f"{correct} correct of {n} images is no count.")
    interval = binomtest(int(correct), int(n)).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def difference_interval(
    first: int, n: int, second: int, m: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Newcombe's score interval of the difference of two accuracies, second / m minus first / n.

    For faces that are not paired; from Wilson's intervals (Newcombe 1998, method 10).

    Raises:
        FercourseError: A count is impossible; see :func:`wilson`.
    """
    (low_a, high_a), (low_b, high_b) = (
        wilson(first, n, confidence),
        wilson(second, m, confidence),
    )
    a, b = first / n, second / m
    return (
        b - a - math.hypot(b - low_b, high_a - a),
        b - a + math.hypot(high_b - b, a - low_a),
    )


@dataclass(frozen=True)
class Paired:
    """A paired comparison of two variants over the same n seeds.

    Attributes:
        n: Pairs.
        mean: Mean difference, second minus first.
        low: Lower end of its 95 % interval (Student's t); nan for n = 1.
        high: Upper end.
        p_t: Two-sided p of the paired t test; nan for n = 1.
        p_flip: Two-sided p of the exact sign-flip permutation test, which assumes no normal
            distribution; by simulation above :data:`EXACT` pairs. nan for folds, whose signs are
            not independent.
        p_least: The smallest p_flip that n pairs can give, 2 / 2^n: 0.25 for three seeds, so that
            a large p over few seeds says little. Simulated, no smaller than two in its draws.
        overlap: As given to :func:`paired`; 0 for independent runs.
    """

    n: int
    mean: float
    low: float
    high: float
    p_t: float
    p_flip: float
    p_least: float
    overlap: float = 0.0

    @property
    def p(self) -> float:
        """The p to report: of the sign flips, or, for folds, of the corrected t test."""
        return self.p_t if self.overlap else self.p_flip

    def __str__(self) -> str:
        """In points: "+0.42 points (95 % CI 0.10 to 0.74, n = 10, p = 0.016)"."""
        if self.n == 1:
            return f"{100 * self.mean:+.2f} points (one seed: no interval)"
        return (
            f"{100 * self.mean:+.2f} points (95 % CI {100 * self.low:.2f} to {100 * self.high:.2f}"
            f", n = {self.n}, p = {self.p:.2g})"
        )


def paired(
    first: Sequence[float | Fraction], second: Sequence[float | Fraction], overlap: float = 0.0
) -> Paired:
    """Compare two variants run with the same seeds: ``first[i]`` and ``second[i]`` share one.

    Pairing removes what the seeds have in common (batches and folds; of Table 1 the initial trunk
    too, from model 1 to 2 and among models 3 to 6). Two-sided tests.

    An accuracy is k right of N images. Sums of floats that should tie do not, so the sign flips
    are summed in whole numbers: of images, or of their smallest common part where N differs.

    Args:
        first: Fractions in [0, 1], or the floats nearest to k / N with N up to :data:`LARGEST`.
        second: Likewise, as many.
        overlap: For folds, test images over training images, 1 / 9 of ten folds. Two folds share
            most of their training images, so their differences are no independent runs: the
            variance of their mean is (1 / n + overlap) s^2 instead of s^2 / n (Nadeau and Bengio
            2003), and an interval 1.45 times as wide for n = 10 folds, 2.1 times for 30.

    Raises:
        FercourseError: The lengths differ or are 0.
    """
    from scipy.stats import permutation_test
    from scipy.stats import t as student

    if len(first) != len(second) or not len(first):
        raise FercourseError(
            f"a paired test needs two lists of one length, not {len(first)} and {len(second)} runs."
        )
    differences = [_counted(b) - _counted(a) for a, b in zip(first, second, strict=True)]
    parts = math.lcm(*(step.denominator for step in differences))
    parts = min(parts, 2**53)  # finer than that are floats which count nothing; int64 holds sums
    steps = np.array([round(step * parts) for step in differences], dtype=np.int64)
    values = np.array([float(step) for step in differences])
    n = len(steps)
    least = min(1.0, 2.0 ** (1 - n)) if n <= EXACT else 2 / (DRAWS + 1)
    mean, sta = float(sum(differences) / n), float(values.std())
    low, high = t_interval(mean, sta, n, overlap=overlap)
    p_t = p_flip = 1.0
    if n == 1:
        p_t = math.nan
    elif np.ptp(steps) == 0:
        p_t = 0.0 if steps.any() else 1.0
    else:
        error = values.std(ddof=1) * math.sqrt(1 / n + overlap)
        p_t = float(2 * student.sf(abs(mean) / error, n - 1))
    if overlap:
        return Paired(n, mean, low, high, p_t, math.nan, math.nan, overlap)
    if n > 1 and steps.any():
        p_flip = permutation_test(
            (steps,),
            lambda x, axis: x.sum(axis=axis),
            permutation_type="samples",
            n_resamples=2**EXACT if n <= EXACT else DRAWS,
            vectorized=True,
            rng=np.random.default_rng(0),
        ).pvalue
    return Paired(n, mean, low, high, p_t, float(p_flip), least)


def _counted(value: float | Fraction) -> Fraction:
    """The k / N that a float was rounded from."""
    exact = value if isinstance(value, Fraction) else Fraction(float(value))
    return exact.limit_denominator(LARGEST)
