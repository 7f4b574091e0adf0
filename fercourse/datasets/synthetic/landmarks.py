"""Where the parts of a drawn face are, point by point: nobody has to find what was drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from fercourse.datasets.synthetic.eyes import brow_height, lids
from fercourse.datasets.synthetic.geometry import Geometry
from fercourse.datasets.synthetic.identity import Traits
from fercourse.datasets.synthetic.mouth import lips_at

BROW = (0.0, 0.33, 0.67, 1.0)  # along a brow, from its inner end
LID = (-1.0, -0.45, 0.45, 1.0)  # along an eye, from its inner corner
JAW = (0.2, 0.75, 1.2)  # heights on the face's outline, units

PARTS: dict[str, tuple[int, int]] = {
    "brows": (0, 8),
    "eyes": (8, 20),
    "nose": (20, 25),
    "lips": (25, 35),
    "jaw": (35, 42),
}
"""The landmarks of each part, as a range of their numbers; of each pair the left one first."""


def landmarks(t: Traits, g: Geometry) -> Tensor:
    """All 42 landmarks of N faces, ``x`` and ``y`` on the face: (N, 42, 2).

    They are where the painter puts brows, lids, nose, lips and jaw, hidden or not.
    """
    n = len(t.number)
    side = t.width.new_tensor([-1.0, 1.0])

    def pairs(s: Tensor, y: Tensor) -> Tensor:
        """(N, 2, 1, P) of both halves -> (N, 2 P, 2)."""
        s, y = torch.broadcast_tensors(s, y)
        s, y = (v.expand(n, 2, 1, -1)[:, :, 0] for v in (s, y))  # (N, 2, P)
        return torch.stack([side[:, None] * s, y], -1).transpose(1, 2).flatten(1, 2)

    def middle(*heights: Tensor) -> Tensor:
        """Points on the midline, which both halves share: (N, P, 2)."""
        y = torch.stack([h.expand(n, -1, 1, 1).mean((1, 2, 3)) for h in heights], 1)
        return torch.stack([0 * y, y], -1)

    w = t.width.new_tensor(BROW)
    brows = pairs(g.brow_from + w * (g.brow_to - g.brow_from), brow_height(g, w))
    u = t.width.new_tensor(LID)
    _, upper, lower = lids(t, g, u)
    eye = g.eye_s + u * t.eye_width
    eyes = torch.cat([pairs(eye, upper), pairs(eye[..., 1:3], lower[..., 1:3])], 1)
    ridge = middle(0 * g.eye_y, 0.5 * t.nose_tip, g.nose_tip)
    nose = torch.cat([pairs(g.ala_s, g.ala_y), ridge], 1)
    half = 0.5 * g.corner_s
    top, _, _, under = lips_at(g, half)
    rims = lips_at(g, 0 * g.corner_s)
    lips = torch.cat(
        [pairs(g.corner_s, g.corner_y), pairs(half, top), pairs(half, under), middle(*rims)], 1
    )
    y = t.width.new_tensor(JAW)
    lowered = (g.chin - t.chin) * ((y - 0.5) / (t.chin - 0.5)).clamp(0, 1)
    lower_face = ((y - lowered).clamp(min=0) / t.chin) ** t.jaw  # as relief.outline draws it
    rim = t.width * (1 - lower_face).clamp(min=0).sqrt()
    jaw = torch.cat([pairs(rim, y), middle(g.chin)], 1)
    return torch.cat([brows, eyes, nose, lips, jaw], 1)
