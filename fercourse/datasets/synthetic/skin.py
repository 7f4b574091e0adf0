"""Skin: its tone, its shade in hollows, stubble and beard, and the ears and neck around it."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas, bumps, fold, paint, smooth
from fercourse.datasets.synthetic.geometry import Geometry
from fercourse.datasets.synthetic.identity import Traits
from fercourse.datasets.synthetic.random import uniform


def skin(canvas: Canvas, t: Traits, g: Geometry, edge: Tensor) -> Tensor:
    """Reflectance of the bare face (N, 2, H, W), hollows darkened as if less sky reached them."""
    a, mid = g.a, g.mid
    h, w = canvas.shape
    patches = uniform(0, "skin", t.number, 16 * 14).view(-1, 16, 14)
    tone = fold(smooth(patches, (h, 2 * w)))
    tone.sub_(0.5).mul_(0.16 * t.mottle).add_(1)
    hollow = 1 + 0.6 * t.old - 0.3 * t.child
    tone *= (
        bumps(
            canvas,
            [
                (-0.30 * hollow, g.eye_s - 0.12, 0.16, 0.24, -0.05, 0.15, 0.16),
                (-0.20 * hollow, g.eye_s, 0.22, 0.24, -0.02, 0.14, 0.12),
                (-0.10 * hollow, g.eye_s - 0.05, 0.15, 0.18, 0.12, 0.05, 0.07),
                (-0.10, 0.15, 0.05, 0.07, 0.15, 0.25, 0.25),  # side of the nose
                (-0.18, 0.0, 0.15, 0.15, g.nose_tip + 0.14, 0.04, 0.07),
                (0.14, 0.0, 0.07, 0.07, 0.25, 0.35, 0.25),
                (0.16, 0.0, 0.10, 0.10, g.nose_tip - 0.02, 0.10, 0.06),  # under the nose
                (-0.62, 0.085, 0.045, 0.055, g.ala_y + 0.08, 0.030, 0.025),  # nostril
                (-0.22, g.ala_s + 0.03, 0.03, 0.04, g.ala_y + 0.0, 0.09, 0.07),
                (-0.25, g.corner_s + 0.02, 0.045, 0.045, g.corner_y, 0.045, 0.05),
                (-0.16, 0.0, 0.22, 0.22, g.inner_lower + g.lip_lower + 0.06, 0.04, 0.06),
                (-0.10 * a[4], 0.085, 0.04, 0.05, -0.24, 0.13, 0.13),
                (-0.12 * a[9], 0.0, 0.16, 0.16, 0.0, 0.1, 0.1),
                (0.06 * t.child + 0.08, 0.55, 0.2, 0.2, 0.45, 0.2, 0.2),
                (-0.10 * mid[17], 0.0, 0.2, 0.2, g.chin - 0.33, 0.05, 0.05),
            ],
        )
        .add_(1)
        .clamp_(min=0.05)
    )
    tone *= 1 - 0.35 * ((edge - 0.72) / 0.28).clamp_(0, 1)  # turning away at the outline
    tone *= t.skin_tone
    _beard(canvas, t, g, edge, tone)
    return tone


def _beard(canvas: Canvas, t: Traits, g: Geometry, edge: Tensor, tone: Tensor) -> None:
    where, s, y = canvas.part((0.0, canvas.width), (0.3, canvas.bottom))
    n = len(t.number)
    grain = uniform(0, "beard", t.number, 2 * 36 * 30).view(2 * n, 36, 30)
    grain = smooth(grain, (len(y), len(s)), "bilinear").view(n, 2, len(y), len(s))
    below = g.inner_lower + g.lip_lower
    chin = ((y - below + 0.10 + 0.35 * (s / 0.55 - 0.6).clamp(min=0)) / 0.16).clamp(0, 1)
    jaw = ((s - 0.52 + 0.28 * (y - 0.6)) / 0.16).clamp(0, 1) * ((y - 0.35) / 0.3).clamp(0, 1)
    # A moustache hangs from under the nose to the corners of the mouth.
    under = g.ala_y + 0.17 + 0.6 * (g.corner_y - g.ala_y - 0.20) * (s / g.corner_s) ** 1.5
    low = (
        g.inner_upper
        - 0.6 * g.lip_upper
        + (g.corner_y + 0.10 - g.inner_upper) * ((s / g.corner_s) ** 2)
    )
    lip = ((y - under) / 0.05).clamp(0, 1) * ((low - y) / 0.04).clamp(0, 1)
    lip = lip * ((g.corner_s + 0.05 - s) / 0.08).clamp(0, 1)
    shaved = 0.45 * t.stubble
    full = torch.maximum(chin, jaw) * torch.maximum(shaved, t.full_beard)
    hairy = torch.maximum(full, lip * torch.maximum(shaved, t.moustache))
    paint(tone, where, t.hair * 1.2 + 0.01, hairy * (0.45 + 0.6 * grain).clamp_(max=0.97))


def ears_and_neck(canvas: Canvas, t: Traits, g: Geometry) -> tuple[Tensor, Tensor]:
    """What lies behind the face: reflectance and cover, each (N, 2, H, W)."""
    s, y = canvas.s, canvas.y
    ds, dy = (s - t.width * 0.985) / 0.12, (y - 0.16) / 0.27
    ear = canvas.inside((ds**2 + dy**2).sqrt() * 0.2 - 0.2)
    inner = 1 - 0.5 * (-(((ds - 0.1) / 0.45) ** 2) - (dy / 0.6) ** 2).exp()
    thick = 0.56 + 0.10 * (1 - t.female) * (1 - t.child)
    slope = 0.9 * (y - 1.75).clamp(min=0) + 3 * (y - 1.95).clamp(min=0)
    neck = canvas.inside(s - thick - slope) * (y > 0.7)
    shade = 0.30 + 0.35 * ((y - g.chin) / 0.5).clamp(0, 1)  # the chin's shadow
    tone = t.skin_tone * torch.where(y > 0.55, shade, 0.85 * inner)
    dressed = canvas.inside(2.02 - 0.25 * (s - 0.5).clamp(min=-0.3) - y)
    cloth = 0.02 + 0.5 * (t.frame * 7 % 1) ** 2
    return tone + dressed * (cloth - tone), torch.maximum(ear, neck)
