"""Island loss (Cai et al. 2018): center loss, and centres pushed apart (eq. 5 and 6)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.losses.center import Centers


class IslandTerms(NamedTuple):
    """The two terms of eq. 5, float32 scalars.

    Attributes:
        center: L_C.
        pairs: L_I-COS, the sum over ordered pairs of ``cos + 1``; never below ``pair_bound``.
    """

    center: Tensor
    pairs: Tensor


def pair_sum(centers: Tensor) -> Tensor:
    """Eq. 6 over ordered pairs j != k: ``sum (c_j . c_k / (|c_j| |c_k|) + 1)``; a scalar.

    The diagonal is left out: a centre's cosine with itself is 1 and would add 2K for nothing.
    """
    unit = F.normalize(centers, dim=1)  # (K, D)
    k = len(centers)
    return (unit @ unit.T).sum() - unit.square().sum() + k * (k - 1)


def pair_bound(num_classes: int) -> int:
    """The least :func:`pair_sum` can be, K (K - 2): 35 for seven classes.

    The squared length of the sum of K unit vectors, K + sum of their K (K - 1) cosines, is not
    negative. So the cosines sum to -K at least. That is reached wherever the unit vectors sum to
    zero: by a simplex, but also by centres of which some coincide.
    """
    return num_classes * (num_classes - 2)


class IslandLoss(Centers):
    """``L_I = L_C + lambda_1 L_I-COS`` (eq. 5).

    Under the published update, L_I-COS moves the centres alone, each by the mean over the other
    classes, and the network feels it through L_C. Autograd on the plain sum would push a centre
    2 (K - 1) times as hard: it meets every pair twice and divides by nothing.

    Args:
        num_classes: K.
        dim: D, length of the embedding.
        pair_weight: lambda_1, 7 in the paper.
        rate: Step of the published update, alpha in (0, 1].
        centers: "published" or "learned".
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        pair_weight: float = 7.0,
        rate: float = 0.5,
        centers: Literal["published", "learned"] = "published",
    ) -> None:
        super().__init__(num_classes, dim, rate, centers)
        self.pair_weight = pair_weight

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """Eq. 5 for embeddings (N, D) with labels int64 (N,) or soft (N, K); float32 scalar."""
        center, pairs = self.terms(embedding, labels)
        return center + self.pair_weight * pairs

    def terms(self, embedding: Tensor, labels: Tensor) -> IslandTerms:
        """Both terms apart; in training mode published centres move after they are taken."""
        with torch.autocast(embedding.device.type, enabled=False):
            embedding, weights = embedding.float(), self.weights(labels)
            terms = IslandTerms(self.distance(embedding, weights), pair_sum(self.centers))
            if self.training and self.kind == "published":
                step = self.pull(embedding.detach(), weights) + self.pair_weight * self.push()
                self.centers.sub_(self.rate * step)
        return terms

    @torch.no_grad()
    def push(self) -> Tensor:
        """Cai et al.'s second term, the gradient of a centre's mean cosine to the others: (K, D).

        ``1/(K-1) sum_(k != j) c_k / (|c_k| |c_j|) - (c_k . c_j) / (|c_k| |c_j|^3) c_j``
        """
        norm = self.centers.norm(dim=1, keepdim=True).clamp_min(1e-12)  # (K, 1)
        unit = self.centers / norm  # (K, D)
        others = unit.sum(0) - unit  # (K, D), sum over k != j of c_k / |c_k|
        along = (others * unit).sum(1, keepdim=True) * unit  # (K, D), its part along c_j
        return (others - along) / norm / (len(unit) - 1)
