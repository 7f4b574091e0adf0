"""Lion: steps of one length for every weight, of which only the signs are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer


class Lion(Optimizer):
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

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; what the closure gives, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            lr, (now, later) = group["lr"], group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                momentum = state["momentum"]
                p.mul_(1 - lr * group["weight_decay"])
                p.add_(torch.lerp(p.grad, momentum, now).sign_(), alpha=-lr)
                momentum.lerp_(p.grad, 1 - later)
        return loss
