"""The triplet loss: a face lies nearer to faces of its own expression than to those of another."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

MARGIN = 0.2
"""By how much nearer, on the unit sphere; as in FaceNet, where the loss comes from (F. Schroff et
al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015)."""


def triplet_loss(embedding: Tensor, labels: Tensor, margin: float = MARGIN) -> Tensor:
    """``max(0, margin + d(anchor, farthest of its own) - d(anchor, nearest other))``, the mean.

    Each face of the batch is an anchor, with the hardest partners the batch has (A. Hermans et al.,
    "In Defense of the Triplet Loss for Person Re-Identification", 2017). d is the Euclidean
    distance of embeddings scaled to length 1. Anchors without a partner of either kind are left
    out; a batch without any costs 0.

    Args:
        embedding: (N, D).
        labels: int64 (N,).
        margin: In [0, 2].

    Returns:
        A float32 scalar.
    """
    unit = F.normalize(embedding.float(), dim=1)
    # The root has no gradient at 0, where a face meets itself.
    distance = (2 - 2 * unit @ unit.T).clamp_min(1e-6).sqrt()  # (N, N)
    same = labels[:, None] == labels[None, :]
    others = ~same
    own = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    farthest = distance.masked_fill(~own, 0).amax(1)  # (N,)
    nearest = distance.masked_fill(~others, 2).amin(1)
    anchors = own.any(1) & others.any(1)
    cost = (margin + farthest - nearest).relu() * anchors
    return cost.sum() / anchors.sum().clamp_min(1)
