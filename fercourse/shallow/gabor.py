"""Gabor energy: waves of four lengths and eight directions, as fixed convolutions [7]."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.datasets.faces import Faces
from fercourse.preprocess import normalise
from fercourse.shallow.features import Features

WAVELENGTHS = (4.0, 5.7, 8.0, 11.3)
"""Pixels of a 48 pixel face, half an octave apart."""

DIRECTIONS = 8

STRIDE = 2
"""Energy is smooth: every second pixel of every second row is enough, in a quarter of the time."""

PLACES = 6
"""Energies are averaged on a grid of so many places a side."""

AT_ONCE = 256


class Gabor(Features):
    """Energy of 32 waves on a grid of 6 x 6 places: 1,152 numbers."""

    @torch.inference_mode()
    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, 32 x 36)."""
        parts = [
            F.adaptive_avg_pool2d(energy(part), PLACES).flatten(1)
            for part in faces.images.split(AT_ONCE)
        ]
        return torch.cat(parts).numpy()


def energy(images: Tensor) -> Tensor:
    """How strongly each wave is there: uint8 (N, H, W) -> float32 (N, 32, H / 2, W / 2)."""
    x = normalise(images)  # (N, 1, H, W)
    found = []
    for length in WAVELENGTHS:
        even, odd = wave(length * images.shape[1] / 48)  # (8, 1, k, k) each
        both = [F.conv2d(x, k, stride=STRIDE, padding=k.shape[2] // 2) for k in (even, odd)]
        # A cosine and a sine wave together do not mind where exactly the edge lies.
        found.append(torch.hypot(*both))
    return torch.cat(found, 1)


def wave(length: float) -> tuple[Tensor, Tensor]:
    """A wave under a Gaussian in eight directions, as cosine and sine: (8, 1, k, k) each.

    Args:
        length: Of the wave, pixels; the Gaussian's deviation is 0.56 of it (an octave wide).
    """
    sigma = 0.56 * length
    reach = math.ceil(2.5 * sigma)
    at = torch.arange(-reach, reach + 1, dtype=torch.float32)
    y, x = torch.meshgrid(at, at, indexing="ij")
    angle = math.pi * torch.arange(DIRECTIONS)[:, None, None] / DIRECTIONS
    along = x * angle.cos() + y * angle.sin()  # (8, k, k)
    bell = (-(x**2 + y**2) / (2 * sigma**2)).exp()
    bell = bell / bell.sum()
    even = bell * (2 * math.pi * along / length).cos()
    even = even - bell * even.sum((1, 2), keepdim=True)  # a plain grey face gives nothing
    odd = bell * (2 * math.pi * along / length).sin()
    return even[:, None], odd[:, None]
