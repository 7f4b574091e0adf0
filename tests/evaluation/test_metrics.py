"""Metrics against counting by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fercourse.errors import FercourseError
from fercourse.evaluation import metrics

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(pairs)
def test_confusion_counts_each_pair(answers: list[tuple[int, int]]) -> None:
    labels, predictions = zip(*answers, strict=True)
    confusion = metrics.confusion_matrix(labels, predictions, num_classes=5)
    assert confusion.dtype == np.int64
    for true in range(5):
        for answer in range(5):
            assert confusion[true, answer] == answers.count((true, answer))


@given(pairs)
def test_accuracy_and_recall_by_counting(answers: list[tuple[int, int]]) -> None:
    confusion = metrics.confusion_matrix(*zip(*answers, strict=True), num_classes=5)
    right = sum(true == answer for true, answer in answers)
    assert metrics.accuracy(confusion) == pytest.approx(right / len(answers))
    recalls = []
    for k, recall in enumerate(metrics.recall_per_class(confusion)):
        of_class = [answer for true, answer in answers if true == k]
        if of_class:
            assert recall == pytest.approx(of_class.count(k) / len(of_class))
            recalls.append(recall)
        else:
            assert math.isnan(recall)
    assert metrics.macro_recall(confusion) == pytest.approx(sum(recalls) / len(recalls))


def test_rows_are_the_truth() -> None:
    confusion = metrics.confusion_matrix([0, 0, 0], [1, 1, 0], num_classes=3)
    np.testing.assert_array_equal(confusion, [[1, 2, 0], [0, 0, 0], [0, 0, 0]])


def test_tensors_are_welcome() -> None:
    confusion = metrics.confusion_matrix(torch.tensor([0, 1]), torch.tensor([0, 0]), num_classes=2)
    np.testing.assert_array_equal(confusion, [[1, 0], [1, 0]])


def test_equations_8_and_9_divide_by_n() -> None:
    runs = [73.0, 74.0, 76.0, 77.0]  # mean 75, squared deviations 4 1 1 4
    assert metrics.mean_accuracy(runs) == 75
    assert metrics.stability(runs) == pytest.approx(math.sqrt(10 / 4))
    assert metrics.stability([0.7]) == 0
    assert metrics.stability([r / 100 for r in runs]) == pytest.approx(math.sqrt(10 / 4) / 100)


def test_binomial_error_of_fer2013() -> None:
    assert metrics.binomial_error(0.74, 3589) == pytest.approx(math.sqrt(0.74 * 0.26 / 3589))
    draws = np.random.default_rng(0).binomial(3589, 0.74, size=20_000) / 3589
    assert metrics.binomial_error(0.74, 3589) == pytest.approx(draws.std(), rel=0.03)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: metrics.confusion_matrix([0, 1], [0]), "same length"),
        (lambda: metrics.confusion_matrix([0, 7], [0, 1]), "labels run from 0 to 7"),
        (lambda: metrics.confusion_matrix([0, 1], [0, -1]), "predictions run from -1"),
        (lambda: metrics.accuracy(np.zeros((7, 7))), "no image"),
        (lambda: metrics.accuracy([1, 2]), "(K, K)"),
        (lambda: metrics.mean_accuracy([]), "at least one run"),
        (lambda: metrics.stability([]), "at least one run"),
        (lambda: metrics.binomial_error(74.08, 3589), "fraction"),
        (lambda: metrics.binomial_error(0.7, 0), "n at least 1"),
    ],
)
def test_bad_input_is_told(call, told: str) -> None:
    with pytest.raises(FercourseError) as caught:
        call()
    assert told in str(caught.value)
