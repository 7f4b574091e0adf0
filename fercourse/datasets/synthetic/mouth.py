"""The mouth: lips, teeth, tongue and the dark behind them."""

from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas, paint
from fercourse.datasets.synthetic.geometry import Geometry
from fercourse.datasets.synthetic.identity import Traits


def lips_at(g: Geometry, s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Heights of the lips' edges at ``s``: upper lip's outer, inner, lower lip's inner, outer."""
    u = (s / g.corner_s).clamp(max=1)
    arch = 1 - u**2
    # Curves run from the middle to the corner; depressed corners bend only near their end.
    bent = 1 - u ** (2.0 + 1.5 * (g.a[15] + 0.5 * g.a[20]).clamp(max=1))
    oval = arch.sqrt()
    round_ = (g.drop / 0.25).clamp(0, 1)
    belly = bent + (oval - bent) * round_
    upper = g.corner_y + (g.inner_upper - g.corner_y) * belly
    lower = g.corner_y + (g.inner_lower - g.corner_y) * belly
    bow = 1 - 0.22 * (-((s / 0.05) ** 2)).exp()
    top = upper - g.lip_upper * bow * arch**0.5
    under = lower + g.lip_lower * arch**0.45
    return top, upper, lower, under


def mouth(canvas: Canvas, t: Traits, g: Geometry, picture: Tensor) -> None:
    """Paint the mouth on a face's reflectance (N, 2, H, W), in place."""
    where, s, y = canvas.part((0.0, 0.75), (0.6, canvas.bottom))
    mid = g.mid
    u = (s / g.corner_s).clamp(max=1)
    arch = 1 - u**2
    top, upper, lower, under = lips_at(g, s)
    ends = canvas.inside(s - g.corner_s - 0.01)

    lips = canvas.inside(top - y, 0.012) * canvas.inside(y - under, 0.015) * ends
    tone = t.lip_tone * (0.85 + 0.3 * ((y - upper) > 0))
    tone = tone * (1 + 0.25 * canvas.line(y - lower - 0.45 * g.lip_lower, 0.035) * arch)
    paint(picture, where, tone, lips * 0.92)

    hole = canvas.inside(upper - y) * canvas.inside(y - lower) * ends
    hole = hole * ((lower - upper) / 0.02).clamp(0, 1)
    depth = 0.018 + 0.05 * t.skin_tone * ((y - upper) / 0.3).clamp(0, 1)
    inside = depth.expand(len(t.number), 2, -1, -1).clone()
    tongue = canvas.inside(lower - 0.42 * g.gap * arch - y, 0.04) * (g.gap > 0.14)
    inside += (0.13 * t.skin_tone + 0.05) * tongue * arch
    shown = mid[12] + mid[10] + 0.7 * mid[9] + 0.8 * mid[20] + 0.5 * mid[25] + 0.4 * mid[27]
    edge = upper + (0.16 * shown.clamp(0, 1) - 0.035 * (1 - shown.clamp(0, 1))) * (1 - 0.25 * u)
    gaps = 1 - 0.30 * canvas.line(((s / 0.075 + 0.5) % 1.0 - 0.5) * 0.075, 0.006)
    ivory = (0.42 + 0.5 * t.skin_tone) * (1 - 0.65 * u**3) * gaps
    inside += (ivory - inside) * canvas.inside(y - edge) * canvas.inside(u - 0.93, 0.03)
    low = (0.8 * mid[16] + 0.5 * mid[20] + 0.5 * mid[10] * mid[25]).clamp(0, 1)
    rise = lower - 0.09 * low * (1 - 0.4 * u)
    inside += (0.85 * ivory - inside) * canvas.inside(rise - y) * (low > 0.15)
    shade = 1 - 0.6 * ((upper + 0.05 - y) / 0.06).clamp(0, 1) * (1 - 0.6 * shown.clamp(0, 1))
    paint(picture, where, inside * shade, hole)

    seam = canvas.line(y - upper, 0.013) * ends * (1 - (g.gap / 0.03).clamp(0, 0.6))
    paint(picture, where, 0.16 * t.lip_tone, seam * 0.85)
    rim = canvas.line(y - under - 0.02, 0.03) * arch * canvas.inside(s - g.corner_s)
    paint(picture, where, 0.6 * t.skin_tone, rim * 0.35)
