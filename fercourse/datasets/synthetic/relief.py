"""The height of the face above its plane: skull, features, and what moving skin heaps up."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas, bumps
from fercourse.datasets.synthetic.geometry import Geometry
from fercourse.datasets.synthetic.hair import crown
from fercourse.datasets.synthetic.identity import Traits

DEPTH = 0.95  # of the head's front half, units


def outline(canvas: Canvas, t: Traits, g: Geometry) -> Tensor:
    """0 in the middle of the face, 1 along its outline: (N, 2, H, W)."""
    y = canvas.y
    lowered = (g.chin - t.chin) * ((y - 0.5) / (t.chin - 0.5)).clamp(0, 1)  # below the ears only
    lower = ((y - lowered).clamp(min=0) / t.chin) ** t.jaw
    upper = (-y.clamp(max=0) / t.top).abs() ** 2.3
    return (canvas.s / t.width) ** 2 + (lower + upper)


def relief(canvas: Canvas, t: Traits, g: Geometry, edge: Tensor) -> Tensor:
    """Height (N, 2, H, W), units; ``edge`` is the face's :func:`outline`."""
    a, mid = g.a, g.mid
    z = DEPTH * (1.0 - edge).clamp_(min=0).sqrt_()
    above = 1.0 - (canvas.y.clamp(min=0) / 0.9) ** 2 - crown(canvas, t)
    z = torch.maximum(z, 0.75 * DEPTH * above.clamp_(min=0).sqrt_())  # hair stands off the skull
    cheek_y = 0.36 - 0.07 * a[6] - 0.05 * a[12]
    opened = (g.gap / 0.3).clamp(0, 1)
    lip = 0.5 * (g.inner_upper + g.corner_y)
    z = z + bumps(
        canvas,
        [
            # amplitude, s, width in, width out, y, width up, width down
            (0.05 + 0.03 * (1 - t.female), 0.34, 0.30, 0.38, g.brow_arch + 0.03, 0.14, 0.10),
            (-t.eye_depth, 0.40, 0.20, 0.24, 0.0, 0.17, 0.20),
            (0.075, g.eye_s, 0.19, 0.19, 0.01, 0.12, 0.12),  # eyeball
            (0.035 * (0.4 + a[6] + a[7] + t.old), g.eye_s, 0.2, 0.22, 0.16, 0.04, 0.06),
            (t.nose_high * 0.35, 0.0, 0.10, 0.10, 0.05, 0.22, 0.40),
            (t.nose_high * 0.60, 0.0, 0.10, 0.10, 0.35, 0.30, 0.30),
            (t.nose_high * 0.85, 0.0, 0.13, 0.13, g.nose_tip, 0.24, 0.13),
            (t.nose_high * 0.50, g.ala_s - 0.05, 0.09, 0.075, g.ala_y, 0.11, 0.085),
            (t.cheek + 0.075 * a[6] + 0.06 * a[12], 0.58, 0.26, 0.26, cheek_y, 0.20, 0.22),
            (-0.05 * t.old - 0.02, 0.62, 0.18, 0.2, 0.85, 0.2, 0.25),  # hollow cheek
            (0.10, 0.0, 0.36, 0.36, 0.97, 0.26, 0.28),  # muzzle
            (-0.025, 0.0, 0.035, 0.035, g.inner_upper - 0.19, 0.07, 0.07),  # philtrum
            (0.045, 0.0, 0.25, 0.25, g.inner_upper - 0.03, 0.05, 0.04),
            (0.055, 0.0, 0.24, 0.24, g.inner_lower + 0.05, 0.04, 0.05),
            (-0.05, g.corner_s + 0.02, 0.06, 0.06, g.corner_y, 0.07, 0.07),
            (-0.075, 0.0, 0.26, 0.26, g.inner_lower + 0.23, 0.08, 0.07),
            (0.09 + 0.03 * mid[17], 0.0, 0.24, 0.24, g.chin - 0.17, 0.14, 0.14),
            (0.05 * a[15], g.corner_s + 0.03, 0.08, 0.1, g.corner_y + 0.14, 0.08, 0.09),
            (0.05 * a[4], 0.06, 0.06, 0.09, g.brow_inner + 0.02, 0.08, 0.09),
            (0.03 * a[9], 0.10, 0.07, 0.09, 0.20, 0.15, 0.15),
            (0.04 * a[12] + 0.04 * a[14], g.corner_s + 0.14, 0.06, 0.12, lip, 0.14, 0.16),
            (-0.04 * opened, g.corner_s + 0.22, 0.12, 0.16, 1.05, 0.25, 0.25),
        ],
    )
    _folds(canvas, t, g, z)
    return z


def _folds(canvas: Canvas, t: Traits, g: Geometry, z: Tensor) -> None:
    """Furrows, each a valley along a curve that is drawn as its distance."""
    a = g.a
    deep = 0.25 + t.lines

    def carve(s: tuple[float, float], y: tuple[float, float], draw) -> None:
        (rows, columns), ds, dy = canvas.part(s, y)
        if len(ds) and len(dy):
            z[:, :, rows, columns] -= draw(ds, dy)

    def forehead(s: Tensor, y: Tensor) -> Tensor:
        up = torch.maximum(a[1] * (1 - (s / 0.7) ** 2).clamp(min=0), a[2] * (s / 0.6).clamp(max=1))
        rows = (38.0 * (y + 0.10 * (s / 0.8) ** 2) + 0.1 * t.number[:, None, None, None] % 6).cos()
        reach = ((-0.50 - y) / 0.08).clamp(0, 1) * ((y + 0.98) / 0.15).clamp(0, 1)
        return rows * (reach * (0.95 - s).clamp(0, 0.3) / 0.3) * (0.013 * up * deep + 0.005 * t.old)

    def glabella(s: Tensor, y: Tensor) -> Tensor:  # the two upright lines of a frown
        x = 0.075 - 0.02 * a[4] + 0.10 * (-0.22 - y)
        length = (-(((y + 0.24) / 0.15) ** 2)).exp()
        return canvas.line(s - x, 0.028) * (length * a[4] * 0.055 * deep.clamp(min=0.6))

    def bridge(s: Tensor, y: Tensor) -> Tensor:  # a wrinkled nose
        waves = (48 * (y + 0.35 * s)).cos() * (-(((y - 0.03) / 0.13) ** 2)).exp()
        return waves * (-((s / 0.17) ** 2)).exp() * (0.026 * a[9])

    def nasolabial(s: Tensor, y: Tensor) -> Tensor:
        top = g.ala_y - 0.03
        end = g.corner_y + 0.06
        way = ((y - top) / (end - top)).clamp(-0.2, 1.3)
        out = g.corner_s + 0.10 - g.ala_s + 0.03 * a[12]
        x = g.ala_s + 0.035 + out * way * (1.0 + 0.35 * (1 - way) * (a[12] + a[9] + a[10]))
        reach = ((way + 0.15) / 0.2).clamp(0, 1) * ((1.25 - way) / 0.4).clamp(0, 1)
        pull = torch.maximum(
            a[12], torch.maximum(0.9 * a[9], torch.maximum(0.9 * a[10], 0.5 * a[20]))
        )
        depth = (
            0.006
            + 0.024 * t.fold
            + 0.030 * t.old
            - 0.01 * t.child
            + 0.060 * pull * deep.clamp(min=0.55)
        )
        d = s - x
        return (canvas.line(d, 0.035) - 0.5 * canvas.line(d - 0.08, 0.075)) * (reach * depth)

    def crows_feet(s: Tensor, y: Tensor) -> Tensor:
        ds, dy = s - (g.eye_s + t.eye_width - 0.02), y - g.eye_y
        angle = dy / (ds.abs() + 0.05)
        fan = (9.0 * angle).cos() * (-((angle / 0.75) ** 2)).exp()
        reach = (ds / 0.05).clamp(0, 1) * ((0.24 - ds) / 0.1).clamp(0, 1)
        return fan * reach * (0.012 * (a[6] + 0.4 * a[7]) * deep + 0.004 * t.old)

    def bag(s: Tensor, y: Tensor) -> Tensor:  # the line under the eye
        u = (s - g.eye_s) / 0.22
        low = g.eye_y + g.lid_lower + 0.075 + 0.02 * t.old
        d = y - low + 0.05 * u**2
        return (
            canvas.line(d, 0.022)
            * ((1.1 - u.abs()) / 0.4).clamp(0, 1)
            * (0.008 + 0.018 * (torch.maximum(a[6], a[7])) + 0.015 * t.old)
        )

    def chin(s: Tensor, y: Tensor) -> Tensor:  # the orange-peel of a raised chin
        peel = (52 * s).cos() * (47 * y + 9 * s).cos()
        return peel * (-((s / 0.2) ** 2) - ((y - g.chin + 0.22) / 0.13) ** 2).exp() * 0.006 * a[17]

    def marionette(s: Tensor, y: Tensor) -> Tensor:  # below depressed corners
        x = g.corner_s + 0.035 + 0.15 * (y - g.corner_y)
        reach = ((y - g.corner_y) / 0.05).clamp(0, 1) * ((g.corner_y + 0.30 - y) / 0.15).clamp(0, 1)
        return canvas.line(s - x, 0.03) * reach * (0.045 * a[15] + 0.02 * t.old)

    def dimple(s: Tensor, y: Tensor) -> Tensor:
        d = s - (g.corner_s + 0.07) + 0.6 * (y - g.corner_y) ** 2
        reach = (-(((y - g.corner_y) / 0.10) ** 2)).exp()
        return canvas.line(d, 0.028) * reach * (0.05 * a[14] + 0.035 * a[12] + 0.04 * a[20])

    carve((0.0, 0.95), (-1.0, -0.42), forehead)
    carve((0.0, 0.25), (-0.6, 0.0), glabella)
    carve((0.0, 0.4), (-0.3, 0.3), bridge)
    carve((0.15, 0.85), (0.4, 1.3), nasolabial)
    carve((0.55, 1.0), (-0.3, 0.35), crows_feet)
    carve((0.2, 0.75), (0.0, 0.35), bag)
    carve((0.0, 0.45), (1.1, 1.85), chin)
    carve((0.25, 0.75), (0.8, 1.6), marionette)
    carve((0.25, 0.75), (0.7, 1.3), dimple)
