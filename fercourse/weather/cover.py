"""Something before the face: a hand, a scarf, a cup."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cover(x: Tensor, area: float, generator: torch.Generator | None = None) -> Tensor:
    """A square of one grey hides a part of the face, wherever it falls.

    Args:
        x: float (N, 1, H, W).
        area: Of the square, share of the face.
        generator: On the CPU; draws place and grey of each square.
    """
    n, _, height, width = x.shape
    grey, top, left = torch.rand(3, n, 1, 1, 1, generator=generator).to(x)
    side = math.sqrt(area)
    rows = (torch.arange(height).to(x).view(1, 1, -1, 1) + 0.5) / height - top * (1 - side)
    columns = (torch.arange(width).to(x).view(1, 1, 1, -1) + 0.5) / width - left * (1 - side)
    inside = (rows > 0) & (rows < side) & (columns > 0) & (columns < side)
    return torch.where(inside, grey, x)
