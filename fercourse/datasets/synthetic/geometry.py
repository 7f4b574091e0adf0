"""Where everything in a face is, once its action units have pulled."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from fercourse.datasets.synthetic.identity import Traits
from fercourse.datasets.synthetic.units import UNITS


@dataclass
class Geometry:
    """Where everything is in N faces, each (N, 2, 1, 1), or (N, 1, 1, 1) on the midline.

    :func:`geometry` fills in all of them. Names end in ``s`` for a place aside of the midline, in
    ``y`` for one downwards; lengths as in ``canvas.py``.

    Attributes:
        a: Intensity of each action unit on either side.
        mid: The mean of both sides.
    """

    a: dict[int, Tensor]
    mid: dict[int, Tensor]
    brow_inner: Tensor = field(init=False)
    brow_arch: Tensor = field(init=False)
    brow_outer: Tensor = field(init=False)
    brow_from: Tensor = field(init=False)
    brow_to: Tensor = field(init=False)
    eye_s: Tensor = field(init=False)
    lid_upper: Tensor = field(init=False)
    lid_lower: Tensor = field(init=False)
    gaze_s: Tensor = field(init=False)
    gaze_y: Tensor = field(init=False)
    nose_tip: Tensor = field(init=False)
    ala_y: Tensor = field(init=False)
    ala_s: Tensor = field(init=False)
    chin: Tensor = field(init=False)
    corner_s: Tensor = field(init=False)
    corner_y: Tensor = field(init=False)
    inner_upper: Tensor = field(init=False)
    inner_lower: Tensor = field(init=False)
    lip_upper: Tensor = field(init=False)
    lip_lower: Tensor = field(init=False)
    gap: Tensor = field(init=False)
    drop: Tensor = field(init=False)
    eye_y: Tensor = field(init=False)


def geometry(t: Traits, units: Tensor, gaze: Tensor) -> Geometry:
    """Positions and shapes of N faces.

    Args:
        t: The people, from :func:`fercourse.datasets.synthetic.identity.traits`.
        units: float64 (N, U, 2) in [0, 1].
        gaze: float64 (N, 2), right and down, in [-1, 1].
    """
    a = {unit: units[:, k, :, None, None] for k, unit in enumerate(UNITS)}  # (N, 2, 1, 1)
    mid = {unit: value.mean(1, keepdim=True) for unit, value in a.items()}  # (N, 1, 1, 1)
    g = Geometry(a, mid)

    # Brows: heights at the inner end, the arch and the outer end.
    g.brow_inner = t.brow_y + t.brow_slope + t.brow_uneven + 0.05
    g.brow_inner = g.brow_inner - 0.17 * a[1] + 0.15 * a[4] * (1 - 0.55 * a[1]) + 0.09 * a[9]
    g.brow_arch = t.brow_y - t.brow_arch + t.brow_uneven
    g.brow_arch = g.brow_arch - 0.07 * a[1] - 0.15 * a[2] + 0.09 * a[4] + 0.05 * a[9]
    g.brow_outer = t.brow_y - t.brow_slope + 0.06 + t.brow_uneven
    g.brow_outer = g.brow_outer - 0.17 * a[2] + 0.03 * a[4] + 0.02 * a[6]
    g.brow_from = 0.17 - 0.075 * a[4] - 0.02 * a[9]
    g.brow_to = 0.78 + 0 * a[4]

    # Eyes: lid heights from the line between the corners.
    g.eye_s, g.eye_y = t.eye_s, t.eye_uneven
    wide = 1 + 0.62 * a[5] - 0.18 * a[6] - 0.30 * a[7] - 0.22 * a[9] - 0.10 * a[4] - 0.10 * a[12]
    g.lid_upper = t.eye_open * wide.clamp(min=0.3) * (1 - a[43]) - 0.035 * a[43]
    low = 1 - 0.55 * a[6] - 0.75 * a[7] - 0.45 * a[9] - 0.20 * a[12] + 0.25 * a[5]
    g.lid_lower = 0.052 * low.clamp(min=0.05) * (1 - a[43]) + 0.04 * a[43]
    g.gaze_s = 0.07 * gaze[:, 0, None, None, None] * gaze.new_tensor([-1.0, 1.0]).view(2, 1, 1)
    g.gaze_y = -0.022 + 0.045 * gaze[:, 1, None, None, None] - 0.01 * a[5]

    # Nose.
    g.nose_tip = t.nose_tip - 0.035 * mid[9] + 0.01 * mid[12]
    g.ala_y = t.nose_tip + 0.01 - 0.075 * a[9] - 0.05 * a[10] - 0.01 * a[12]
    g.ala_s = t.nose_width * (1 + 0.14 * a[9] + 0.06 * a[10] + 0.10 * a[12] + 0.05 * a[20])

    # Jaw and mouth. The lips' inner edges meet at the corners; the gap is between them.
    drop = 0.21 * mid[26] + 0.36 * mid[27]
    g.chin = t.chin + 0.75 * drop
    part = 0.055 * mid[25] + 0.95 * drop
    g.corner_s = t.mouth_width + t.mouth_uneven + 0.12 * a[12] + 0.13 * a[20] + 0.02 * a[15]
    g.corner_s = g.corner_s - 0.055 * a[23] - 0.02 * a[24] - 0.05 * a[26] - 0.11 * a[27]
    g.corner_s = g.corner_s + 0.03 * a[14] - 0.025 * a[17] + 0.01 * a[16]
    g.corner_y = t.mouth_y - t.bend + 0.25 * drop
    g.corner_y = g.corner_y - 0.155 * a[12] + 0.11 * a[15] + 0.04 * a[20] + 0.03 * a[16]
    g.corner_y = g.corner_y - 0.01 * a[14] + 0.01 * a[17] - 0.06 * a[9] - 0.05 * a[10]
    ajar = torch.maximum(mid[25], torch.maximum(mid[26], mid[27])).clamp(max=0.4) / 0.4
    smile = mid[12] * ajar  # an open smile bares the teeth
    lift = 0.10 * mid[10] + 0.06 * mid[9] + 0.10 * smile
    pull = 0.10 * mid[16] + 0.05 * mid[20] * ajar + 0.06 * smile
    push = 0.055 * mid[17] + 0.02 * mid[15]
    g.inner_upper = t.mouth_y - 0.20 * part - 0.75 * lift - push + 0.02 * mid[12]
    g.inner_lower = t.mouth_y + 0.85 * part + pull - push + 0.03 * mid[12]
    g.inner_lower = torch.maximum(g.inner_lower, g.inner_upper)
    # Lips that are pulled wide or pressed get thin.
    thin = 1 - 0.30 * mid[12] - 0.25 * mid[20] - 0.55 * mid[23] - 0.65 * mid[24] - 0.12 * mid[26]
    thin = (thin - 0.15 * mid[27]).clamp(min=0.22)
    g.lip_upper = t.lip_upper * (thin - 0.10 * mid[10]).clamp(min=0.2)
    g.lip_lower = t.lip_lower * (thin + 0.15 * mid[17]).clamp(min=0.2)
    g.gap = g.inner_lower - g.inner_upper
    g.drop = drop
    return g
