"""From action units to pixels (first, plain version)."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.random import normal, uniform
from fercourse.datasets.synthetic.units import UNITS


def render(
    units: Tensor, identity: Tensor, index: Tensor, seed: int, size: int, difficulty: float
) -> tuple[Tensor, Tensor]:
    """Images uint8 (N, size, size) and masks int32 (N, size, size) of N faces."""
    n = len(units)
    a = {unit: units[:, k, None, None] for k, unit in enumerate(UNITS)}
    p = uniform(0, "identity", identity, 8)[:, :, None, None]
    q = 2 * uniform(seed, "nuisance", index, 8)[:, :, None, None] - 1
    y, x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    x, y = (1 + 0.15 * difficulty * q[:, 0]) * x, (1 + 0.15 * difficulty * q[:, 1]) * y
    x, y = x + 0.2 * difficulty * q[:, 2], y + 0.15 * difficulty * q[:, 3]
    tilt = 0.4 * difficulty * q[:, 4]
    x, y = x - tilt * y, y + tilt * x
    pixel = 2 / size

    def inside(distance: Tensor) -> Tensor:
        return (0.5 - distance / (2 * pixel)).clamp(0, 1)

    def blend(under: Tensor, over: Tensor | float, cover: Tensor) -> Tensor:
        return under + (over - under) * cover

    skin = 0.25 + 0.6 * p[:, 0]
    face = blend(
        0.2 + 0.6 * p[:, 1],
        skin * (1 - 0.3 * x * q[:, 5] - 0.3 * (x**2 + y**2)),
        inside(((x / 0.85) ** 2 + (y / 1.1) ** 2).sqrt() - 1),
    )
    side = x.abs()
    eye = 0.40 + 0.05 * p[:, 2]
    aperture = 0.09 * (1 + 0.8 * a[5] - 0.4 * a[7] - 0.4 * a[6] - 0.3 * a[9] - a[43]).clamp(
        min=0.05
    )
    dx = (side - eye) / 0.17
    lid = aperture * (1 - dx**2).clamp(min=0)
    opened = inside((y + 0.25).abs() - lid) * inside(side - eye - 0.17) * inside(eye - 0.17 - side)
    iris = inside(((side - eye) ** 2 + (y + 0.25) ** 2).sqrt() - 0.075)
    face = blend(face, 0.9 - 0.8 * iris, opened)
    inner = (0.62 - side).clamp(0, 0.5) / 0.5
    height = -0.5 - 0.16 * a[1] * inner - 0.16 * a[2] * (1 - inner) + 0.14 * a[4] * inner
    brow = inside((y - height - 0.08 * a[9]).abs() - 0.035) * inside((side - eye).abs() - 0.24)
    face = blend(face, skin * 0.35, brow)
    nose = inside((y - 0.22 + 0.06 * a[9]).abs() - 0.04) * inside((side - 0.08).abs() - 0.05)
    face = blend(face, skin * 0.5, nose)
    wide = 0.32 + 0.1 * a[12] + 0.12 * a[20] - 0.06 * a[23] - 0.05 * a[26]
    bend = 0.55 + (0.15 * a[15] - 0.18 * a[12]) * ((side / wide) ** 2 - 0.5)
    gap = 0.25 * a[26] + 0.06 * a[25] + 0.06 * a[16] + 0.35 * a[27]
    round_ = (1 - (side / wide) ** 2).clamp(min=0).sqrt()
    ends = inside(side - wide)
    lips = ends * inside(
        (y - bend - gap / 2).abs() - (0.05 - 0.03 * a[23] + gap / 2 + 0.03) * round_
    )
    hole = ends * inside((y - bend - gap / 2).abs() - (gap / 2 + 0.012) * round_)
    face = blend(blend(face, skin * 0.6, lips), 0.08, hole)
    face = face + 0.08 * difficulty * normal(seed, "noise", index, size * size).view(n, size, size)
    brows = ((y + 0.5).abs() < 0.25) & (side < 0.75)
    eyes, mouth = ((y + 0.25).abs() < 0.25) & (side < 0.7), ((y - 0.6).abs() < 0.4) & (side < 0.6)
    where = {1: brows, 2: brows, 4: brows, 5: eyes, 6: eyes, 7: eyes, 43: eyes, 9: brows | eyes}
    masks = torch.zeros(n, size, size, dtype=torch.int32)
    for k, unit in enumerate(UNITS):
        masks |= (where.get(unit, mouth) & (a[unit] > 0.1)).int() << k
    return (face * 255).clamp(0, 255).to(torch.uint8), masks
