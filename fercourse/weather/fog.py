"""Fog: light is lost on its way, and the sky's comes in instead (Koschmieder, 1924)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

AIR = (0.75, 1.0)
"""Brightness of the fog itself, A, from a grey day to a bright one."""

GRID = 4
"""Points a side between which the fog's thickness is interpolated: few, so that it is smooth."""


def fog(x: Tensor, density: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Each face ``J`` behind fog: ``J t + A (1 - t)``, with transmission ``t = exp(-density d)``.

    The thickness ``d`` is a smooth random field of its own for each face, 1 on average; A is drawn
    from :data:`AIR`.

    Args:
        x: float (N, 1, H, W) in [0, 1].
        density: Of all faces, or (N,); 0 is clear air, at 1 a third of the light arrives.
        generator: Draws field and air, on its own device; None is torch's own on the CPU.

    Returns:
        float (N, 1, H, W) in [0, 1].
    """
    device = generator.device if generator is not None else "cpu"
    n = len(x)
    drawn = torch.rand(n, GRID * GRID + 1, generator=generator, device=device).to(x)
    air = (AIR[0] + (AIR[1] - AIR[0]) * drawn[:, -1]).view(n, 1, 1, 1)
    coarse = 0.5 + drawn[:, :-1].view(n, 1, GRID, GRID)  # d from 0.5 to 1.5
    thickness = F.interpolate(coarse, x.shape[2:], mode="bicubic", align_corners=True).clamp_min(0)
    density = torch.as_tensor(density, dtype=x.dtype, device=x.device).view(-1, 1, 1, 1)
    t = torch.exp(-density * thickness)  # (N, 1, H, W)
    return x * t + air * (1 - t)
