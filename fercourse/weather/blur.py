"""A lens out of focus, and a head that moved: the mean over a disc, and over a line."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def defocus(x: Tensor, radius: float, generator: torch.Generator | None = None) -> Tensor:
    """Every point becomes a disc, as behind a lens that is out of focus.

    Args:
        x: float (N, 1, H, W).
        radius: Of the disc, share of the face's side.
        generator: Not used: nothing is left to chance.
    """
    pixels = radius * x.shape[-1]
    rows, columns = _around(math.ceil(pixels))
    disc = (pixels + 0.5 - (rows**2 + columns**2).sqrt()).clamp(0, 1)  # a pixel's soft edge
    return _filter(x, disc.expand(len(x), -1, -1))


def motion(x: Tensor, length: float, generator: torch.Generator | None = None) -> Tensor:
    """Every point becomes a line, as when a head moves while the shutter is open.

    Args:
        x: float (N, 1, H, W).
        length: Of the line, share of the face's side.
        generator: On the CPU; draws each face's direction.
    """
    half = length * x.shape[-1] / 2
    turn = math.pi * torch.rand(len(x), 1, 1, generator=generator)
    rows, columns = _around(math.ceil(half))
    along = columns * turn.cos() + rows * turn.sin()  # (N, k, k)
    across = rows * turn.cos() - columns * turn.sin()
    line = (half + 0.5 - along.abs()).clamp(0, 1) * (1 - across.abs()).clamp_min(0)
    return _filter(x, line)


def _around(reach: int) -> tuple[Tensor, Tensor]:
    """How many pixels the places of a kernel lie below and right of its middle."""
    steps = torch.arange(-reach, reach + 1.0)
    return steps[:, None], steps[None, :]


def _filter(x: Tensor, kernels: Tensor) -> Tensor:
    """Each face (N, 1, H, W) by a kernel (N, k, k) of its own, whose sum is made 1."""
    n, _, height, width = x.shape
    kernels = kernels / kernels.sum((1, 2), keepdim=True)
    reach = kernels.shape[-1] // 2
    padded = F.pad(x, (reach,) * 4, mode="replicate").view(1, n, height + 2 * reach, -1)
    return F.conv2d(padded, kernels[:, None].to(x), groups=n).view(n, 1, height, width)
