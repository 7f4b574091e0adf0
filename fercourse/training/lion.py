"""Lion: steps of one length for every weight, of which only the signs are computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from fercourse.training.parameterwise import Parameterwise


class Lion(Parameterwise):
    """Chen et al., *Symbolic Discovery of Optimization Algorithms* (2023), algorithm 2.

    Steps are longer than AdamW's, whose are shorter where gradients disagree: the paper advises a
    rate three to ten times smaller, and as much more weight decay.

    Args:
        params: Parameters, or groups of them.
        lr: Length of a step in every coordinate.
        weight_decay: Decoupled, as AdamW's: a step shrinks weights by ``lr * weight_decay``.
        betas: Share of the momentum in a step, and what of it stays for the next.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.99),
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "betas": betas})

    def move(self, p: Tensor, grad: Tensor, momentum: Tensor, group: dict[str, Any]) -> None:
        """The sign of a blend of momentum and gradient, ``lr`` long."""
        now, later = group["betas"]
        p.add_(torch.lerp(grad, momentum, now).sign_(), alpha=-group["lr"])
        momentum.lerp_(grad, 1 - later)
