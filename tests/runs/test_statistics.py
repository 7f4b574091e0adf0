"""Statistics against scipy's other routes and against arithmetic."""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import made_row
from scipy import stats

from fercourse.errors import FercourseError
from fercourse.runs.paper import paper_claims
from fercourse.runs.row import Row
from fercourse.runs.statistics import (
    blocked,
    difference_interval,
    mean_interval,
    paired,
    shared_level,
    spread_interval,
    variance_ratio,
    wilson,
)
from fercourse.runs.summaries import compare, pool_folds, summarise

accuracies = st.lists(st.integers(600, 800), min_size=2, max_size=8)


@given(accuracies)
def test_mean_interval_is_students(counts: list[int]) -> None:
    values = np.array(counts) / 1000
    low, high = mean_interval(values)
    if np.ptp(values) == 0:
        assert low == pytest.approx(high)
        return
    expected = stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=stats.sem(values))
    assert (low, high) == pytest.approx(expected)


def test_mean_interval_by_hand() -> None:
    low, high = mean_interval([1.0, 2.0, 3.0])  # s = 1, t(0.975, 2) = 4.3027
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert all(math.isnan(end) for end in mean_interval([0.7]))


@given(st.integers(1, 5000), st.data())
def test_wilson_by_its_formula(n: int, data) -> None:
    correct = data.draw(st.integers(0, n))
    z, p = 1.959963984540054, correct / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson(correct, n) == pytest.approx((middle - half, middle + half), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(accuracies, st.data())
def test_paired_against_scipy_and_enumeration(counts: list[int], data) -> None:
    n = len(counts)
    wanted = data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n))
    first = np.array(counts) / 1000
    second = (np.array(counts) + wanted) / 1000
    steps = np.array(wanted) / 1000
    result = paired(first, second)
    assert result.n == n
    assert result.mean == pytest.approx(steps.mean(), abs=1e-9)
    assert (result.low, result.high) == pytest.approx(mean_interval(steps), abs=1e-9)
    if len(set(wanted)) > 1:
        assert result.p_t == pytest.approx(stats.ttest_rel(second, first).pvalue, rel=1e-6)
    assert result.p_flip == flipped(wanted)
    assert result.p_flip >= result.p_least == 2 / 2**n


def flipped(steps: Sequence[int | Fraction]) -> float:
    """The exact p: the share of all 2^n choices of signs that lie at least as far from zero."""
    flips = [
        sum(s * d for s, d in zip(signs, steps, strict=True))
        for signs in itertools.product((1, -1), repeat=len(steps))
    ]
    return sum(abs(flip) >= abs(sum(steps)) for flip in flips) / len(flips)


def test_differences_that_cancel_show_nothing() -> None:
    steps = [-1, -8, 2, 1, 6]  # thousandths; the sum of the floats is not 0
    assert sum(step * 0.001 for step in steps) != 0
    assert paired([0.7] * 5, [0.7 + step * 0.001 for step in steps]).p_flip == 1
    # and in single precision, as validation accuracies are recorded
    rows = [made_row(1, seed=s, val_accuracy=0.75) for s in range(5)]
    rows += [
        made_row(
            6,
            seed=s,
            val_accuracy=float(np.float32(0.75 + step / 3588)),
            splits={"train": 28709, "val": 3588, "test": 3589},
        )
        for s, step in enumerate(steps)
    ]
    result = compare(rows, "model1", "model6", "val_accuracy")
    assert (result.mean, result.p_flip) == (0, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(90, 108), min_size=2, max_size=9), st.data())
def test_folds_of_several_sizes_tie_exactly(sizes: list[int], data) -> None:
    """Each pair has its own N, as the folds of CK+ have, and few right answers apart."""
    first = [Fraction(data.draw(st.integers(60, 70)), size) for size in sizes]
    steps = [Fraction(data.draw(st.integers(-2, 2)), size) for size in sizes]
    second = [a + step for a, step in zip(first, steps, strict=True)]
    assert paired(first, second).p_flip == flipped(steps)
    assert paired([*map(float, first)], [*map(float, second)]).p_flip == flipped(steps)


def test_a_simulated_p_is_no_smaller_than_its_draws_allow() -> None:
    result = paired(np.full(30, 0.7), np.linspace(0.71, 0.72, 30))
    assert result.p_flip == pytest.approx(result.p_least) == pytest.approx(2 / 20_001)


def test_three_seeds_cannot_convince() -> None:
    result = paired([0.70, 0.71, 0.72], [0.75, 0.76, 0.78])
    assert result.p_flip == result.p_least == 0.25
    assert "+5.33 points" in str(result)
    assert "n = 3" in str(result)


def test_ten_seeds_that_agree() -> None:
    first = np.linspace(0.70, 0.71, 10)
    result = paired(first, first + np.linspace(0.001, 0.003, 10))
    assert result.p_flip == pytest.approx(2 / 2**10)
    assert result.low > 0


def test_many_pairs_are_simulated_close_to_the_t_test() -> None:
    rng = np.random.default_rng(3)
    first = rng.normal(0.7, 0.01, 30)
    second = first + rng.normal(0.002, 0.006, 30)
    result = paired(first, second)
    assert result.p_flip == pytest.approx(result.p_t, abs=0.02)


def test_one_pair_has_no_interval() -> None:
    result = paired([0.70], [0.72])
    assert math.isnan(result.low)
    assert math.isnan(result.p_t)
    assert result.p_flip == 1
    assert str(result) == "+2.00 points (one seed: no interval)"


def test_compare_pairs_by_seed_not_by_order() -> None:
    rows = [made_row(1, seed=seed, accuracy=0.60 + 0.01 * seed) for seed in (0, 1, 2, 3)]
    rows += [made_row(6, seed=seed, accuracy=0.62 + 0.01 * seed) for seed in (3, 1, 2)]
    result = compare(rows, "model1", "model6")
    assert result.n == 3
    assert result.mean == pytest.approx(0.02, abs=3e-4)
    assert result.high - result.low < 0.002, "the seeds' own differences must cancel"
    assert compare(rows, "model1", "model6", "val_accuracy").mean == pytest.approx(0.02, abs=1e-6)


def test_compare_refuses_what_cannot_be_paired() -> None:
    with pytest.raises(FercourseError, match="no seed has both"):
        compare([made_row(1, seed=0), made_row(6, seed=1)], "model1", "model6")
    twice = [made_row(1), made_row(6), made_row(6, **{"loss.weight": 0.01})]
    with pytest.raises(FercourseError, match="two runs of seed 0"):
        compare(twice, "model1", "model6")
    with pytest.raises(FercourseError, match="not 2 and 1 runs"):
        paired([0.7, 0.7], [0.7])


def test_summary_by_hand() -> None:
    rows = [made_row(6, seed=s, accuracy=a) for s, a in enumerate((0.70, 0.71, 0.73))]
    values = [row.test_accuracy for row in rows]
    (line,) = summarise(rows).to_dict("records")
    assert (line["label"], line["dataset"], line["variant"]) == ("cpu", "fer2013", "model6")
    assert line["n"] == 3
    assert line["mean"] == pytest.approx(sum(values) / 3)
    assert line["sta"] == pytest.approx(
        np.sqrt(sum((v - sum(values) / 3) ** 2 for v in values) / 3)
    )
    assert (line["low"], line["high"]) == pytest.approx(mean_interval(values))
    assert line["binomial"] == pytest.approx(math.sqrt(line["mean"] * (1 - line["mean"]) / 3589))
    (clean,) = summarise(rows, metric="test_accuracy_clean").to_dict("records")
    assert clean["binomial"] == pytest.approx(math.sqrt(clean["mean"] * (1 - clean["mean"]) / 3278))


def test_the_papers_interval_follows_from_its_sta() -> None:
    frame = summarise([row for row in paper_claims() if row.plan == "table1"])
    line = frame[(frame.dataset == "fer2013") & (frame.variant == "model6")].iloc[0]
    assert line.n == 10
    half = stats.t.ppf(0.975, 9) * (0.0024 * math.sqrt(10 / 9)) / math.sqrt(10)
    assert (line.low, line.high) == pytest.approx((0.7408 - half, 0.7408 + half))
    assert math.isnan(line.binomial)
    with pytest.raises(FercourseError, match="fall into one group"):
        summarise(paper_claims(), group_by=("dataset",))


def test_folds_are_pooled_face_by_face() -> None:
    def fold(k: int, confusion: list[list[int]], **changes):
        return made_row(
            6,
            confusion=confusion,
            **{"data.name": "ckplus", "data.folds": 3, "data.fold": k} | changes,
        )

    folds = [fold(0, [[8, 2], [0, 10]]), fold(1, [[1, 0], [1, 0]]), fold(2, [[3, 0], [0, 1]])]
    other_seed = [
        made_row(
            6,
            seed=1,
            confusion=[[1, 0], [0, 1]],
            **{"data.name": "ckplus", "data.folds": 3, "data.fold": k},
        )
        for k in range(3)
    ]
    plain = made_row(6)
    pooled, other, same = pool_folds([*folds, *other_seed, plain])
    assert pooled.confusion == [[12, 2], [1, 11]]
    assert pooled.test_accuracy == pytest.approx(23 / 26)
    assert pooled.recall == pytest.approx([12 / 14, 11 / 12])
    assert other.test_accuracy == 1
    assert same == plain
    with pytest.raises(FercourseError, match=r"has folds \[0, 2\]"):
        pool_folds([folds[0], folds[2]])
    with pytest.raises(FercourseError, match=r"has folds \[0, 0, 1, 2\]"):
        pool_folds([folds[0], *folds])
    by_person = fold(0, [[1, 0], [0, 1]], **{"data.by": "random"})
    with pytest.raises(FercourseError, match=r"has folds \[0\]"):
        pool_folds([*folds, by_person])


def test_bad_counts_are_told() -> None:
    with pytest.raises(FercourseError, match="8 correct of 7"):
        wilson(8, 7)


def test_folds_widen_an_interval_as_nadeau_and_bengio_say() -> None:
    """sqrt(1 + n / 9) times as wide: 1.45 for one cross-validation of ten folds, 2.1 for three."""
    rng = np.random.default_rng(0)
    for n, wider in ((10, 1.45), (30, 2.08)):
        first = rng.integers(60, 70, n) / 100
        second = first + rng.integers(-2, 4, n) / 100
        plain, folds = paired(first, second), paired(first, second, overlap=1 / 9)
        assert folds.mean == plain.mean
        width = (folds.high - folds.low) / (plain.high - plain.low)
        assert width == pytest.approx(math.sqrt(1 + n / 9))
        assert width == pytest.approx(wider, abs=0.005)
        assert folds.p > plain.p_t, "the p that is reported is the corrected one"
        assert math.isnan(folds.p_flip), "signs of folds are not independent"


def test_a_corrected_p_by_hand() -> None:
    """Differences 1, 2, 3 %: mean 2, s = 1; t = 2 / sqrt(1 / 3 + 1 / 2), two degrees of freedom."""
    result = paired([0.5, 0.5, 0.5], [0.51, 0.52, 0.53], overlap=1 / 2)
    t = 2 / math.sqrt(1 / 3 + 1 / 2)
    assert result.p == pytest.approx(1 - t / math.sqrt(2 + t * t))  # Student's, closed form
    assert f"p = {result.p:.2g}" in str(result)


def test_blocked_by_hand() -> None:
    """Sums of squares: 13 between settings, 1.5 between seeds, 3 left; F(2, 2) = 6.5 / 1.5."""
    result = blocked([[1, 2, 6], [3, 4, 5]])
    assert result.p == pytest.approx(1 / (1 + 6.5 / 1.5))  # of F(2, 2), closed form
    assert result.share == pytest.approx(13 / 16)
    assert result.gap == pytest.approx(3.5)
    assert (result.seeds, result.settings) == (2, 3)


@settings(max_examples=30, deadline=None)
@given(accuracies, st.data())
def test_two_blocked_settings_are_the_paired_t_test(counts: list[int], data) -> None:
    n = len(counts)
    steps = data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n))
    first, second = np.array(counts) / 1000, (np.array(counts) + steps) / 1000
    if len(set(steps)) > 1:
        p = blocked(np.stack([first, second], axis=1)).p
        assert p == pytest.approx(paired(first, second).p_t, rel=1e-6, abs=1e-9)


def test_blocking_takes_out_what_a_seed_does_to_all_settings() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0.01 * np.arange(4), 0.01, (5, 4))
    seeds = rng.normal(0, 0.2, (5, 1))
    assert blocked(values + seeds).p == pytest.approx(blocked(values).p)
    assert stats.f_oneway(*(values + seeds).T).pvalue > 0.5


def test_settings_without_a_difference_and_refusals() -> None:
    same = blocked([[0.5, 0.5], [0.6, 0.6]])
    assert (same.p, same.share, same.gap) == (1, 0, 0)
    with pytest.raises(FercourseError, match="two seeds and two settings"):
        blocked([[0.5, 0.6]])


def test_the_papers_spreads() -> None:
    """On CK+ Sta falls from 0.31 to 0.11, on FER2013 from 0.38 to 0.24, over ten runs each."""
    ratio, p = variance_ratio(0.31, 0.11, 10)
    assert (ratio, p) == (pytest.approx(7.94, abs=0.005), pytest.approx(0.005, abs=0.0005))
    assert variance_ratio(0.24, 0.38, 10) == (
        pytest.approx(2.51, abs=0.005),
        pytest.approx(0.187, abs=0.001),
    )
    assert variance_ratio(0.2, 0.2, 5) == (1, 1)
    with pytest.raises(FercourseError, match="two runs or more"):
        variance_ratio(0.2, 0.1, 1)


def test_interval_of_a_spread_by_the_table() -> None:
    """chi-squared with 9 degrees of freedom: 2.700 and 19.023 leave 2.5 % below and above."""
    low, high = spread_interval(0.24, 10)
    assert (low, high) == pytest.approx(
        (0.24 * math.sqrt(10 / 19.023), 0.24 * math.sqrt(10 / 2.700)), rel=1e-3
    )
    with pytest.raises(FercourseError, match="two runs at least"):
        spread_interval(0.24, 1)


def test_newcombes_own_example() -> None:
    """56 of 70 against 48 of 80 (Newcombe 1998, Table II, a): 0.0524 to 0.3339."""
    low, high = difference_interval(48, 80, 56, 70)
    assert (low, high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_the_level_is_shared() -> None:
    assert shared_level(4) == 0.0125
    assert shared_level(0) == shared_level(1) == 0.05


def test_folds_are_compared_with_the_correction() -> None:
    def fold(model: int, k: int, right: int) -> Row:
        place = {"data.name": "ckplus", "data.fold": k, "data.folds": 10}
        return made_row(model, accuracy=right / 100, **place)

    rows = [fold(1, k, 80 + k % 3) for k in range(10)] + [fold(6, k, 82 + k % 4) for k in range(10)]
    assert compare(rows, "model1", "model6").overlap == pytest.approx(1 / 9)
