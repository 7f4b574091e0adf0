"""Hair on the head, glasses, and a surgical mask: what covers a face without being one."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas, paint, smooth
from fercourse.datasets.synthetic.identity import Traits
from fercourse.datasets.synthetic.random import uniform


def crown(canvas: Canvas, t: Traits) -> Tensor:
    """1 along the outline of the hair, less inside it: (N, 1, H, W)."""
    across = (canvas.s / (t.width * 1.10 + 0.10 * t.long)) ** 2.4
    return across + ((-canvas.y).clamp(min=0) / (t.top + 0.10)) ** 2.4


def hair(canvas: Canvas, t: Traits) -> tuple[Tensor, Tensor]:
    """Reflectance and cover of the hair, each (N, 2, H, W)."""
    s, y, n = canvas.s, canvas.y, len(t.number)
    h, w = canvas.shape
    strands = uniform(0, "strands", t.number, 2 * 5 * 40).view(2 * n, 5, 40)
    strands = smooth(strands, (h, w)).view(n, 2, h, w)
    side = s.new_tensor([-1.0, 1.0]).view(2, 1, 1) * t.part
    outer = crown(canvas, t)
    cover = canvas.inside((outer - 1) * 0.45, 0.02)
    # The hairline: across the forehead, down the temple, to a sideburn or past the shoulders.
    line = t.hairline - 0.10 * side * s + 0.30 * t.fringe - 0.40 * t.bald
    line = line + 0.55 * (s / (0.90 * t.width)) ** 5 + 0.16 * (strands - 0.5)
    ends = 0.12 + 0.15 * t.female + 3.0 * t.long
    over = canvas.inside(y - line, 0.03)
    beside = canvas.inside(0.90 * t.width - 0.03 * t.long - s + 0.05 * (strands - 0.5), 0.02)
    cover = cover * torch.maximum(over, beside * (y > -0.6)) * canvas.inside(y - ends, 0.08)
    tone = t.hair * (0.45 + 1.1 * strands) * (1 - 0.35 * (s / 1.3) ** 2)
    bare = t.bald * (0.25 + 0.75 * ((-0.35 - y) / 0.3).clamp(0, 1))  # shorn sides, a bare top
    return tone, cover * (1 - bare)


def glasses(canvas: Canvas, t: Traits, picture: Tensor) -> None:
    """Paint glasses on those who wear them, in place."""
    where, s, y = canvas.part((0.0, 1.1), (-0.35, 0.5))
    dx, dy = (s - 0.47).abs() - 0.20, (y - 0.03).abs() - (0.10 + 0.06 * t.frame)
    corner = 0.11
    d = (dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2).sqrt() + torch.maximum(dx, dy).clamp(max=0)
    rim = canvas.line(d - corner, 0.016 + 0.022 * (t.frame * 3 % 1))
    bridge = canvas.line(y + 0.03 + 0.1 * s, 0.025) * (s < 0.20)
    arm = canvas.line(y + 0.06, 0.03) * (s > 0.74)
    tone = 0.02 + 0.25 * (t.frame > 0.75)
    cover = torch.maximum(rim, torch.maximum(bridge, arm)) * t.has_glasses
    paint(picture, where, tone, cover.clamp(max=0.95))
    glare = canvas.inside(d - corner) * (-(((s - 0.40 + 0.5 * y) / 0.05) ** 2)).exp()
    paint(picture, where, 0.8, 0.10 * glare * t.has_glasses)


def surgical_mask(canvas: Canvas, worn: Tensor, above: Tensor, picture: Tensor) -> None:
    """Paint a mask, in place, where ``above`` (its edge's distance below a point) is negative."""
    folds = 1 - 0.10 * (18 * (canvas.y + 0.15 * canvas.s**2)).cos()
    everywhere = (slice(None), slice(None))
    paint(picture, everywhere, 0.62 * folds, canvas.inside(above) * worn)
