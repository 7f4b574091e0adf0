"""Center loss (Wen et al. 2016): pull every embedding towards the centre of its class."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Centers(nn.Module):
    """One point of the embedding space for each class, and the two ways of moving them.

    "published" keeps the centres out of the optimizer: after each batch they step by ``rate``
    along the update that Wen et al. and Cai et al. print. "learned" makes them a parameter.

    Args:
        num_classes: K.
        dim: D, length of the embedding.
        rate: Step of the published update, alpha in (0, 1].
        kind: "published" or "learned".
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        rate: float = 0.5,
        kind: Literal["published", "learned"] = "published",
    ) -> None:
        super().__init__()
        self.rate, self.kind = rate, kind
        # Not zeros: eq. 6 divides by the centres' norms.
        start = torch.randn(num_classes, dim) / dim**0.5
        if kind == "learned":
            self.centers = nn.Parameter(start)
        else:
            self.register_buffer("centers", start)

    def weights(self, labels: Tensor) -> Tensor:
        """Class weights float32 (N, K): labels (N,) one-hot, soft labels (N, K) as they are."""
        if labels.ndim == 1:
            labels = F.one_hot(labels, len(self.centers))
        return labels.float()

    def distance(self, embedding: Tensor, weights: Tensor) -> Tensor:
        """L_C, half the mean squared distance to the own centre; a scalar."""
        squared = (embedding[:, None] - self.centers).square().sum(2)  # (N, K)
        return (weights * squared).sum() / (2 * len(embedding))

    @torch.no_grad()
    def pull(self, embedding: Tensor, weights: Tensor) -> Tensor:
        """The published step towards the batch, ``sum_i (c_j - x_i) / (1 + n_j)``: (K, D).

        The 1 keeps a class that the batch lacks where it is. Under several processes the sums
        run over all of them, so that every process moves its centres alike.
        """
        total, count = weights.T @ embedding, weights.sum(0)  # (K, D), (K,)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(total)
            torch.distributed.all_reduce(count)
        return (count[:, None] * self.centers - total) / (1 + count[:, None])


class CenterLoss(Centers):
    """``L_C = 1/(2N) sum_i |x_i - c_(y_i)|^2``, the first term of eq. 5.

    The mean, not the sum, over the batch: lambda then means the same at every batch size.
    In training mode with published centres, each call moves them after the loss is taken.
    """

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """Loss of embeddings (N, D) with labels int64 (N,) or soft (N, K); float32 scalar."""
        with torch.autocast(embedding.device.type, enabled=False):
            embedding, weights = embedding.float(), self.weights(labels)
            loss = self.distance(embedding, weights)
            if self.training and self.kind == "published":
                self.centers.sub_(self.rate * self.pull(embedding.detach(), weights))
        return loss
