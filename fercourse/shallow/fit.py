"""Train a method on one split, choose how strongly it is held back on another, predict."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from fercourse.datasets.faces import Faces, HeldOutFaces
from fercourse.errors import FercourseError
from fercourse.labels import BASIC
from fercourse.shallow.features import Features
from fercourse.shallow.method import Method, known

STRENGTHS: dict[str, tuple[float, ...]] = {
    "linear": (1e-4, 1e-3, 1e-2, 1e-1),
    "mlp": (1e-3, 1e-1, 1.0, 10.0),
}
"""What validation accuracy chooses among: C of logistic regression (small holds back much), and the
weight decay alpha of the hidden layer (large holds back much)."""

HIDDEN = 128
"""Units of the hidden layer."""

ROUNDS = 300
"""Of optimisation, at most; a model that is stopped here is one more choice, not an error."""


@dataclass(frozen=True)
class Fitted:
    """A trained method.

    Attributes:
        method: Which.
        features: Fitted.
        classifier: Of scikit-learn: scaling, then the classifier.
        strength: The chosen one of :data:`STRENGTHS`.
        val_accuracy: Of the chosen one, in [0, 1].
        dimensions: D, numbers a face.
        parameters: Numbers that the classifier learned.
        seconds_features: For the features of both splits.
        seconds_fit: For all classifiers that were tried.
    """

    method: Method
    features: Features
    classifier: Pipeline
    strength: float
    val_accuracy: float
    dimensions: int
    parameters: int
    seconds_features: float
    seconds_fit: float

    def probabilities(self, faces: Faces) -> Tensor:
        """float32 (N, 7), as :func:`fercourse.evaluation.predict.probabilities` gives them."""
        found = self.classifier.predict_proba(self.features.transform(faces))
        p = torch.zeros(len(faces), len(BASIC))
        p[:, self.classifier.classes_] = torch.from_numpy(found).float()
        return p


def fit(method: str | Method, train: Faces, val: Faces, seed: int = 0) -> Fitted:
    """Train on one split, and choose among :data:`STRENGTHS` on another.

    Args:
        method: One of :data:`fercourse.shallow.METHODS`, or one of your own.
        train: What features and classifier learn from.
        val: What chooses.
        seed: Of what is left to chance; most methods leave nothing.

    Raises:
        FercourseError: A held-out split was passed, or the faces lack what the features need.
    """
    for faces, job in ((train, "train"), (val, "select")):
        if isinstance(faces, HeldOutFaces):
            raise FercourseError(
                f"A held-out test split must not {job}; it is for evaluation only."
            )
    method = known(method) if isinstance(method, str) else method
    started = time.perf_counter()
    features = method.make(seed).fit(train)
    x, x_val = features.transform(train), features.transform(val)
    described = time.perf_counter()
    best: tuple[float, float, Pipeline] | None = None
    for strength in STRENGTHS[method.classifier]:
        classifier = make_pipeline(StandardScaler(), _classifier(method, strength, seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(x, train.labels.numpy())
        right = float(np.mean(classifier.predict(x_val) == val.labels.numpy()))
        if best is None or right > best[0]:  # of equals the first
            best = right, strength, classifier
    assert best is not None
    right, strength, classifier = best
    return Fitted(
        method=method,
        features=features,
        classifier=classifier,
        strength=strength,
        val_accuracy=right,
        dimensions=x.shape[1],
        parameters=_parameters(classifier[-1]),
        seconds_features=described - started,
        seconds_fit=time.perf_counter() - described,
    )


def _classifier(method: Method, strength: float, seed: int) -> Any:
    if method.classifier == "mlp":
        return MLPClassifier((HIDDEN,), alpha=strength, max_iter=ROUNDS // 5, random_state=seed)
    return LogisticRegression(C=strength, max_iter=ROUNDS, tol=1e-3)


def _parameters(classifier: Any) -> int:
    if isinstance(classifier, MLPClassifier):
        return sum(v.size for v in (*classifier.coefs_, *classifier.intercepts_))
    return classifier.coef_.size + classifier.intercept_.size
