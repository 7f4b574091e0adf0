"""Embeddings and labels for the losses."""

import torch
from torch import Tensor

K, D = 7, 5
"""Classes, and length of an embedding."""


def made_batch(n: int = 12, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Embeddings (n, D) and labels (n,)."""
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, D, generator=g), torch.randint(0, K, (n,), generator=g)
