"""Muon: the momentum of each matrix, made orthogonal before it becomes a step.

torch has an optimizer of this name, which takes matrices only; here a kernel is one too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from fercourse.device import native_bf16
from fercourse.training.parameterwise import Parameterwise

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration's quintic, which Jordan chose for speed: most singular
values end between 0.7 and 1.2."""


class Muon(Parameterwise):
    """Jordan et al., *Muon: An optimizer for hidden layers in neural networks* (2024).

    A gradient's few large singular values drown the rest. Made orthogonal, a step moves all
    directions of a layer alike. Parameters with fewer than two dimensions, biases and batch norm,
    take plain Nesterov steps.

    Args:
        params: Parameters, or groups of them; kernels (O, I, h, w) count as matrices (O, I h w).
        lr: A matrix's step has the Frobenius norm ``lr * sqrt(O)`` or so, whatever the gradient's.
        momentum: In [0, 1).
        weight_decay: Decoupled: a step shrinks weights by ``lr * weight_decay``.
        precise: Matrices become orthogonal in float32, else in bfloat16 where that is native: the
            iteration stops far from convergence, so a relative error of some per cent is no loss.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.02,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        precise: bool = False,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)
        self.precise = precise

    def move(self, p: Tensor, grad: Tensor, momentum: Tensor, group: dict[str, Any]) -> None:
        """Nesterov's step, of a matrix made orthogonal."""
        lr, kept = group["lr"], group["momentum"]
        momentum.mul_(kept).add_(grad)
        ahead = grad.add(momentum, alpha=kept)
        if p.ndim < 2:
            p.add_(ahead, alpha=-lr)
            return
        matrix = ahead.flatten(1)  # (O, I h w)
        if not self.precise and native_bf16(p.device):
            matrix = matrix.bfloat16()
        step = orthogonal(matrix).to(p.dtype)
        # As long as if every row of the step had length 1.
        scale = max(1.0, step.shape[0] / step.shape[1]) ** 0.5
        p.add_(step.view(p.shape), alpha=-lr * scale)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The orthogonal matrix next to (O, I), roughly: singular vectors stay, values come near 1.

    Five products with small matrices instead of a decomposition.
    """
    a, b, c = COEFFICIENTS
    x = matrix / matrix.norm().clamp_min(1e-7)  # singular values now at most 1
    wide = x.T if len(x) > x.shape[1] else x  # (m, n), m <= n: the products are (m, m)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.T if len(x) > x.shape[1] else wide
