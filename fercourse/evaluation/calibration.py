"""Probabilities that keep their word: a temperature, and what is left of the error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.datasets.faces import FaceDataset, HeldOutFaces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities
from fercourse.weights.trained import Trained, add_facts, load_weights


def cooled(p: Tensor, temperature: float) -> Tensor:
    """Softmax of the logits over a temperature (Guo et al., *On Calibration*, ICML 2017).

    Log-probabilities are logits but for a constant, which a softmax does not see.

    Args:
        p: float (N, K), of a softmax.
        temperature: Above 1 every answer grows more modest; the order of classes stays.
    """
    if temperature == 1:
        return p
    return (p.clamp_min(1e-12).log() / temperature).softmax(1)


def fit_temperature(p: Tensor, labels: Tensor) -> float:
    """The temperature in [0.05, 20] under which held-out labels are likeliest.

    Args:
        p: float (N, K), of faces that trained nothing and that nothing is reported on.
        labels: int64 (N,).
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: F.nll_loss(cooled(p.double(), float(np.exp(log_t))).log(), labels).item(),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return float(np.exp(found.x))


def calibration_error(p: Tensor, labels: Tensor, bins: int = 15) -> float:
    """Expected calibration error: by how much confidence and accuracy differ, bin by bin.

    Args:
        p: float (N, K).
        labels: int64 (N,).
        bins: Of equal width over [0, 1].
    """
    return sum(share * abs(sure - right) for share, sure, right in reliability(p, labels, bins))


def reliability(p: Tensor, labels: Tensor, bins: int = 15) -> list[tuple[float, float, float]]:
    """Share of the faces, mean confidence and accuracy of each bin that is not empty.

    Args:
        p: float (N, K).
        labels: int64 (N,).
        bins: Of equal width over [0, 1].
    """
    confidence, answer = p.double().max(1)
    right = (answer == labels).double()
    index = (confidence * bins).long().clamp_max(bins - 1)
    found = []
    for b in index.unique():
        inside = index == b
        values = (inside.double(), confidence[inside], right[inside])
        share, sure, hit = (float(v.mean()) for v in values)
        found.append((share, sure, hit))
    return found


def even(p: Tensor, shares: Tensor) -> Tensor:
    """Answers as if every expression were as frequent: Bayes' rule with another prior.

    A classifier learns how frequent its classes are in training. Where they are not (Saerens et
    al., *Adjusting the Outputs of a Classifier*, 2002), ``p_k / share_k``, scaled to sum 1.

    Args:
        p: float (N, K), calibrated.
        shares: float (K,), of the classes in the training split.
    """
    weighed = p / shares.to(p)
    return weighed / weighed.sum(1, keepdim=True)


def calibrate(
    path: str | Path, data: FaceDataset, device: str | torch.device | None = None
) -> Trained:
    """Fit a temperature on the validation split, and store it with the weights.

    Stored are ``temperature``, and ``shares`` of the classes in the training split.

    Args:
        path: Of weights; rewritten, whole or not at all.
        data: As the weights were trained on.
        device: None takes the best there is.

    Raises:
        FercourseError: No weights, or the split is held out for the test.
    """
    if isinstance(data.val, HeldOutFaces):
        raise FercourseError("A test split must not fit a temperature; use the validation split.")
    trained = load_weights(path)
    classes = trained.run.model.num_classes
    p = probabilities(trained.network, data.val.images, device=device)
    counts = data.train.counts(classes)
    facts = {
        "temperature": round(fit_temperature(p, data.val.labels), 4),
        "shares": [round(float(share), 5) for share in counts / counts.sum()],
    }
    add_facts(path, **facts)
    return replace(trained, about=trained.about | facts)
