"""What a camera adds itself: too little light, and noise."""

from __future__ import annotations

import torch
from torch import Tensor


def low_light(x: Tensor, gamma: float, generator: torch.Generator | None = None) -> Tensor:
    """A dark room: a gamma above 1, then the light arrives in whole photons.

    White still sends 400 / gamma squared photons to a pixel, so that a darker room is a noisier
    one: their number is Poisson's, and its relative error is one over its root.

    Args:
        x: float (N, 1, H, W) in [0, 1].
        gamma: 1 leaves the light as it is; at 3 mid-grey becomes an eighth.
        generator: On the CPU; draws the photons.
    """
    photons = 400 / gamma**2
    dark = (x.clamp(0, 1) ** gamma).cpu()
    return (torch.poisson(photons * dark, generator) / photons).clamp_max(1).to(x)


def noise(x: Tensor, deviation: float, generator: torch.Generator | None = None) -> Tensor:
    """Gaussian noise of a sensor, of the same strength everywhere; clipped to [0, 1].

    Args:
        x: float (N, 1, H, W) in [0, 1].
        deviation: Standard deviation, share of the range from black to white.
        generator: On the CPU.
    """
    drawn = torch.randn(x.shape, generator=generator)
    return (x + deviation * drawn.to(x)).clamp(0, 1)
