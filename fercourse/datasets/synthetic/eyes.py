"""Eyes and brows."""

from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas, paint, smooth
from fercourse.datasets.synthetic.geometry import Geometry
from fercourse.datasets.synthetic.identity import Traits
from fercourse.datasets.synthetic.random import uniform


def lids(t: Traits, g: Geometry, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How open an eye is at ``u`` (-1 the inner corner, 1 the outer), and where its lids are."""
    arch = (1 - u**2).clamp(min=0)
    base = g.eye_y - t.eye_tilt * u + 0.012 * (u < -0.8)
    # The upper lid is highest a little inwards, the lower lid lowest a little outwards.
    upper = base - g.lid_upper * arch**0.75 * (1 - 0.15 * u)
    lower = base + g.lid_lower * arch * (1 + 0.20 * u)
    return arch, upper, lower


def brow_height(g: Geometry, w: Tensor) -> Tensor:
    """The middle of a brow at ``w`` (0 the inner end, 1 the outer)."""
    # Lagrange's parabola through the heights at w = 0, 0.55 and 1.
    return (
        g.brow_inner * (w - 0.55) * (w - 1) / 0.55
        - g.brow_arch * w * (w - 1) / 0.2475
        + g.brow_outer * w * (w - 0.55) / 0.45
    )


def eyes(canvas: Canvas, t: Traits, g: Geometry, picture: Tensor) -> None:
    """Paint both eyes on a face's reflectance (N, 2, H, W), in place."""
    where, s, y = canvas.part((0.16, 0.80), (-0.28, 0.24))
    u = (s - g.eye_s) / t.eye_width
    arch, upper, lower = lids(t, g, u)
    opened = canvas.inside(upper - y) * canvas.inside(y - lower) * (u.abs() < 1)

    ds, dy = s - g.eye_s - g.gaze_s, y - g.eye_y - g.gaze_y
    r = (ds**2 + dy**2).sqrt() / t.iris
    white = 0.42 * (1 - 0.45 * u**2) * (0.5 + t.skin_tone)
    shadow = 1 - 0.55 * ((upper + 0.075 - y) / 0.075).clamp(0, 1)  # of the upper lid
    iris = (0.02 + 0.16 * t.iris_tone**2) * (0.6 + 0.7 * r)
    iris = iris * (1 - 0.75 * ((r - 0.78) / 0.2).clamp(0, 1))
    iris = iris * ((r - 0.36) / 0.10).clamp(0.05, 1)
    ball = white + (iris - white) * canvas.inside((r - 1) * t.iris)
    glint = canvas.inside(((ds + 0.03) ** 2 + (dy + 0.032) ** 2).sqrt() - 0.019)
    paint(picture, where, ball * shadow * 1.25 + 0.9 * glint, opened)

    reach = ((1.12 - u.abs()) / 0.25).clamp(0, 1)
    lash = canvas.line(y - upper + 0.006, 0.016 + 0.006 * t.female) * reach
    paint(picture, where, 0.02, lash * 0.92)
    paint(picture, where, 0.25 * t.skin_tone, canvas.line(y - lower, 0.012) * reach * 0.55)
    raised = t.crease * (1 - 0.35 * g.a[5]) * (1 + 0.4 * g.a[43])
    fold = canvas.line(y - upper + raised * (0.55 + 0.45 * arch), 0.016) * reach
    paint(picture, where, 0.42 * t.skin_tone, fold * (0.70 - 0.5 * t.single_lid))


def brows(canvas: Canvas, t: Traits, g: Geometry, picture: Tensor) -> None:
    """Paint both brows on a face's reflectance (N, 2, H, W), in place."""
    where, s, y = canvas.part((0.0, 0.95), (-0.72, 0.05))
    v = (s - g.brow_from) / (g.brow_to - g.brow_from)  # 0 at the inner end, 1 at the outer
    w = v.clamp(0, 1)
    middle = brow_height(g, w)
    half = t.brow_thick * (1.0 - 0.62 * w**1.6) * (0.75 + 0.5 * w.clamp(max=0.5))
    ends = ((v + 0.10) / 0.16).clamp(0, 1) * ((1.06 - v) / 0.16).clamp(0, 1)
    n = len(t.number)
    hairs = uniform(0, "brow", t.number, 2 * 10 * 26).view(2 * n, 10, 26)
    hairs = smooth(hairs, (len(y), len(s)), "bilinear").view(n, 2, len(y), len(s))
    cover = canvas.inside((y - middle).abs() - half, 0.022) * ends
    cover = cover * (t.brow_dense * (0.72 + 0.5 * hairs)).clamp_(max=0.96)
    paint(picture, where, t.brow_tone, cover)
