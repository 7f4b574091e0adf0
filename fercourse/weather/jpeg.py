"""JPEG, as far as it loses anything: cosines of 8 x 8 pixels, rounded coarsely."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8

LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of the 64 cosines at quality 50, row by row (JPEG standard, annex K.1)."""


def jpeg(x: Tensor, quality: float, generator: torch.Generator | None = None) -> Tensor:
    """A grey JPEG of this quality, written and read again.

    Args:
        x: float (N, 1, H, W) in [0, 1].
        quality: 1 to 100, as libjpeg counts it.
        generator: Not used: nothing is left to chance.
    """
    height, width = x.shape[2:]
    whole = F.pad(x, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
    rows, columns = whole.shape[2] // BLOCK, whole.shape[3] // BLOCK
    blocks = whole.view(-1, rows, BLOCK, columns, BLOCK).transpose(2, 3)  # (N, R, C, 8, 8)
    cosines, steps = _cosines().to(x), _steps(quality).to(x)
    found = cosines @ (255 * blocks - 128).round() @ cosines.T
    kept = (found / steps).round() * steps  # what JPEG loses, it loses here
    read = ((cosines.T @ kept @ cosines + 128) / 255).clamp(0, 1)
    return read.transpose(2, 3).reshape(whole.shape)[:, :, :height, :width]


def _cosines() -> Tensor:
    """(8, 8): row u is the u-th cosine of eight pixels, of length 1."""
    u, pixel = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)[None, :]
    rows = torch.cos(math.pi / BLOCK * (pixel + 0.5) * u) * math.sqrt(2 / BLOCK)
    rows[0] /= math.sqrt(2)
    return rows


def _steps(quality: float) -> Tensor:
    """(8, 8): libjpeg's rule for other qualities than 50."""
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    table = torch.tensor(LUMINANCE, dtype=torch.float32).view(BLOCK, BLOCK)
    return (scale * table + 0.5).floor().clamp(1, 255)
