"""Two changes of the cross-entropy for rare classes: a weight a class, and the focal loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def class_weights(counts: Tensor, power: float) -> Tensor:
    """What a face of each class weighs: (share of the class) ** -power, scaled to a mean of 1.

    The mean is taken over the faces, not the classes, so that the loss keeps its size and the
    learning rate its meaning.

    Args:
        counts: Training images a class, (K,).
        power: 0 leaves every face its equal weight, 1 every class ("balanced"), 0.5 is between.

    Returns:
        float32 (K,); 0 for a class without an image.
    """
    shares = counts.float() / counts.sum()
    weights = torch.where(shares > 0, shares.clamp_min(1e-12) ** -power, 0.0)
    return weights / (weights * shares).sum()


def balanced_focal(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    focal: float = 0.0,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy with class weights and focal factors, the mean over the batch.

    A face's term is ``-sum_k t_k w_k (1 - p_k)^focal log p_k``: what the network is already sure
    of counts little (Lin et al., *Focal Loss for Dense Object Detection*, 2017, eq. 5). The mean
    is over faces, not over weights: a batch that happens to hold rare classes weighs more.

    Args:
        logits: float32 (N, K).
        labels: int64 (N,), or soft (N, K).
        weights: (K,), as :func:`class_weights` gives them; None: 1 each.
        focal: The exponent, gamma; 0 is the plain cross-entropy.
        label_smoothing: Share of the target spread over all classes.
    """
    classes = logits.shape[1]
    target = labels if labels.ndim == 2 else F.one_hot(labels, classes)
    target = target.float() * (1 - label_smoothing) + label_smoothing / classes  # (N, K)
    log_p = logits.log_softmax(1)
    terms = -target * log_p
    if focal:
        # 1 - p as the sum of the others' probabilities would be exact near 1; the clamp keeps
        # the power's gradient finite where p rounds to 1.
        terms = terms * (1 - log_p.exp()).clamp_min(1e-6) ** focal
    if weights is not None:
        terms = terms * weights
    return terms.sum(1).mean()
