"""Light: Lambert's cosine law on the relief, an ambient share, and a highlight."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas
from fercourse.datasets.synthetic.random import uniform


@dataclass(frozen=True)
class Lamp:
    """The light of N photographs.

    Attributes:
        towards: Unit vectors (N, 3), right, down and towards the viewer.
        ambient: Share of light from everywhere, (N, 1, 1).
        gloss: Strength of highlights, (N, 1, 1).
    """

    towards: Tensor
    ambient: Tensor
    gloss: Tensor


def lamp(index: Tensor, seed: int, difficulty: float) -> Lamp:
    """Draw the light of N photographs."""
    u = uniform(seed, "lamp", index, 5)
    across = 2.2 * difficulty * (2 * u[:, 0] - 1) + 0.25 * (u[:, 4] - 0.5)
    above = -0.45 + 1.4 * difficulty * (u[:, 1] - 0.5)
    towards = torch.stack([across, above, torch.full_like(above, 0.85)], -1)
    return Lamp(
        towards=towards / towards.norm(dim=-1, keepdim=True),
        ambient=(0.36 + 0.5 * difficulty * (u[:, 2] - 0.5))[:, None, None],
        gloss=(0.10 + 0.15 * u[:, 3])[:, None, None],
    )


def light(canvas: Canvas, height: Tensor, lamp: Lamp) -> tuple[Tensor, Tensor]:
    """What the relief (N, H, W) scatters and what it mirrors, each (N, H, W).

    The highlight is Blinn's: it is brightest where the normal halves the angle between the lamp
    and the viewer.
    """
    pad, step = torch.nn.functional.pad, 2 / canvas.density
    dx = pad(height[:, :, 2:] - height[:, :, :-2], (1, 1)) / step
    dy = pad(height[:, 2:] - height[:, :-2], (0, 0, 1, 1)) / step
    nz = (1 + dx**2 + dy**2).rsqrt()  # the normal is (-dx, -dy, 1) nz
    lx, ly, lz = lamp.towards[:, :, None, None].unbind(1)
    facing = (nz * (lz - dx * lx - dy * ly)).clamp_(min=0)
    scattered = facing.mul_(1.25 * (1 - lamp.ambient)).add_(lamp.ambient * (0.6 + 0.4 * nz))
    half = lamp.towards + lamp.towards.new_tensor([0.0, 0.0, 1.0])
    hx, hy, hz = (half / half.norm(dim=-1, keepdim=True))[:, :, None, None].unbind(1)
    mirrored = (nz * (hz - dx * hx - dy * hy)).clamp_(min=0).square().square().square() ** 3
    return scattered, mirrored * lamp.gloss
