"""What Lion and Muon have in common: a momentum a parameter, and a step made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Parameterwise(Optimizer):
    """An optimizer whose step moves one parameter after another; a subclass writes :meth:`move`."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; what the closure gives, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                self.move(p, p.grad, state["momentum"], group)
        return loss

    def move(self, p: Tensor, grad: Tensor, momentum: Tensor, group: dict[str, Any]) -> None:
        """Move a parameter, whose weight decay is done, and its momentum, in place."""
        raise NotImplementedError(f"{type(self).__name__} has no move.")
