"""What a run is judged by: accuracy, recall per class, and eq. 8 and 9 over several runs.

Every accuracy is a fraction in [0, 1]; figures and tables alone print per cent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from fercourse.errors import FercourseError


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, num_classes: int = 7) -> np.ndarray:
    """Count how often class j was answered for class i.

    Args:
        labels: (N,) true classes in 0..num_classes-1; an array, a list or a CPU tensor.
        predictions: (N,) answered classes, likewise.
        num_classes: K, also where some class never occurs.

    Returns:
        int64 (K, K): row = true class, column = answer, as in Fig. 7 and 8.

    Raises:
        FercourseError: The lengths differ, or a class is outside 0..K-1.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise FercourseError(
            f"labels {labels.shape} and predictions {predictions.shape} must be two lists of the "
            "same length."
        )
    if not len(labels):
        return np.zeros((num_classes, num_classes), dtype=np.int64)
    for name, values in (("labels", labels), ("predictions", predictions)):
        if values.min() < 0 or values.max() >= num_classes:
            raise FercourseError(
                f"{name} run from {values.min()} to {values.max()}, outside the {num_classes} "
                f"classes 0..{num_classes - 1}; set num_classes, or check the label order."
            )
    from sklearn import metrics  # which imports pandas and scipy: as long as torch takes

    counts = metrics.confusion_matrix(labels, predictions, labels=np.arange(num_classes))
    return counts.astype(np.int64)


def accuracy(confusion: ArrayLike) -> float:
    """Share of right answers, in [0, 1]: the trace of a (K, K) confusion matrix over its sum.

    Raises:
        FercourseError: The matrix counts no image at all.
    """
    confusion = _counts(confusion)
    return float(np.trace(confusion) / confusion.sum())


def recall_per_class(confusion: ArrayLike) -> np.ndarray:
    """Share of each class that was recognised, float64 (K,); nan for a class with no image.

    The paper's confusion matrices call it the accuracy of a class (section 3.5).
    """
    confusion = _counts(confusion)
    present = confusion.sum(axis=1)
    return np.divide(
        np.diag(confusion), present, out=np.full(len(present), np.nan), where=present > 0
    )


def macro_recall(confusion: ArrayLike) -> float:
    """Mean recall over the classes that occur: what accuracy would be were all equally frequent."""
    return float(np.nanmean(recall_per_class(confusion)))


def mean_accuracy(accuracies: Sequence[float | Fraction]) -> float:
    """Eq. 8: Acc, the mean over N runs, in the unit given.

    Raises:
        FercourseError: There is no run.
    """
    return float(np.mean(_runs(accuracies)))


def stability(accuracies: Sequence[float]) -> float:
    """Eq. 9: Sta, the spread of N runs, in the unit given; smaller is steadier.

    The paper divides by N. This is the population form: over few runs it underestimates the
    spread of all possible runs (by 5 % for N = 10, 29 % for N = 2; one run gives 0), which is why
    :mod:`fercourse.runs.statistics` divides by N - 1 for its intervals.
    """
    return float(np.std(_runs(accuracies), ddof=0))


def binomial_error(accuracy: float, n: int) -> float:
    """Standard error of an accuracy measured on n images, sqrt(a (1 - a) / n), as a fraction.

    What drawing another test set of n images would do, even to one fixed network: 0.0073 for
    accuracy 0.74 on FER2013's 3,589. It bounds what Sta, over runs on one test set, can show.

    Raises:
        FercourseError: The accuracy is not in [0, 1] (per cent given?), or n < 1.
    """
    if not 0 <= accuracy <= 1 or n < 1:
        raise FercourseError(
            f"accuracy must be a fraction in [0, 1] and n at least 1, not {accuracy} and {n}."
        )
    return math.sqrt(accuracy * (1 - accuracy) / n)


def _counts(confusion: ArrayLike) -> np.ndarray:
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise FercourseError(f"a confusion matrix is (K, K), not {confusion.shape}.")
    if not confusion.sum():
        raise FercourseError("the confusion matrix counts no image: nothing was evaluated.")
    return confusion


def _runs(accuracies: Sequence[float | Fraction]) -> np.ndarray:
    values = np.asarray(accuracies, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise FercourseError("Acc and Sta need the accuracies of at least one run.")
    return values
