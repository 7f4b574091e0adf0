"""The joint loss (eq. 7): cross-entropy and the island loss."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import LossConfig
from fercourse.errors import FercourseError
from fercourse.losses.balanced import balanced_focal, class_weights
from fercourse.losses.island import IslandLoss, pair_bound
from fercourse.losses.triplet import triplet_loss


class LossTerms(NamedTuple):
    """What one batch cost, float32 scalars.

    Attributes:
        total: L, the term to differentiate.
        ce: L_S, cross-entropy.
        center: L_C, before its weight.
        island: L_I-COS less the bound it cannot go below: 0 where the unit centres cancel.
    """

    total: Tensor
    ce: Tensor
    center: Tensor
    island: Tensor


class JointLoss(nn.Module):
    """``L = L_S + lambda (L_C + lambda_1 L_I-COS)`` (eq. 5 and 7), or L_S alone.

    Always computed in float32: under bf16 the seven cosines would be good to two digits.

    Args:
        num_classes: K.
        dim: D, length of the embedding.
        config: Weights and the centres' rule.
        joint: False for models 1 to 5 of Table 1: the total is the cross-entropy alone. The
            centres still follow the embedding, so that both terms can be read off and compared.

    ``config.triplet_weight``, which the paper does not have, adds the triplet loss to either;
    ``config.class_weights`` and ``config.focal`` change the cross-entropy of both.
    """

    def __init__(
        self, num_classes: int, dim: int, config: LossConfig | None = None, joint: bool = True
    ) -> None:
        super().__init__()
        self.config = config = config or LossConfig()
        self.joint = joint and config.weight > 0
        self.island = IslandLoss(
            num_classes,
            dim,
            config.pair_weight if self.joint else 0.0,
            config.center_rate,
            config.centers if self.joint else "published",
        )
        if self.joint and config.centers == "learned":
            # lambda weighs what the network feels. Centres get their own gradient back, or a
            # small lambda would freeze them.
            self.island.centers.register_hook(lambda gradient: gradient / config.weight)
        # Not part of the state: it is counted anew from the faces a run goes on with.
        self.register_buffer("class_weights", None, persistent=False)

    def weigh(self, labels: Tensor) -> None:
        """Count the classes of the training split, for ``config.class_weights``.

        Args:
            labels: int64 (N,), of all training faces.
        """
        if self.config.class_weights:
            counts = torch.bincount(labels.cpu(), minlength=len(self.island.centers))
            self.class_weights = class_weights(counts, self.config.class_weights)

    def forward(self, logits: Tensor, embedding: Tensor, labels: Tensor) -> LossTerms:
        """Terms for logits (N, K) and embeddings (N, D); labels int64 (N,) or soft (N, K).

        In training mode, published centres move after the terms are taken.
        """
        with torch.autocast(logits.device.type, enabled=False):
            ce = self._cross_entropy(logits.float(), labels)
            center, pairs = self.island.terms(embedding, labels)
            total = ce
            if self.joint:
                total = ce + self.config.weight * (center + self.config.pair_weight * pairs)
            if self.config.triplet_weight:
                total = total + self.config.triplet_weight * triplet_loss(embedding, labels)
        return LossTerms(total, ce, center, pairs - pair_bound(logits.shape[1]))

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        smoothing = self.config.label_smoothing
        if self.config.class_weights and self.class_weights is None:
            raise FercourseError("class_weights needs the classes counted first: call weigh().")
        if self.class_weights is None and not self.config.focal:
            return F.cross_entropy(logits, labels, label_smoothing=smoothing)
        return balanced_focal(logits, labels, self.class_weights, self.config.focal, smoothing)
