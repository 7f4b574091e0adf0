"""Where each action unit could move something: generous ellipses, not what it changed."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas
from fercourse.datasets.synthetic.geometry import Geometry
from fercourse.datasets.synthetic.units import UNITS

ACTIVE = 0.1  # intensity from which a unit counts as acting

# Ellipses (s, y, half width, half height) that together hold what the unit moves.
_BROW_INNER = (0.16, -0.32, 0.38, 0.38)
_BROW_OUTER = (0.62, -0.40, 0.36, 0.34)
_FOREHEAD = (0.0, -0.72, 0.80, 0.32)
_EYE = (0.46, -0.03, 0.36, 0.28)
_LOW_LID = (0.55, 0.10, 0.46, 0.26)
_CHEEK = (0.58, 0.35, 0.42, 0.36)
_NOSE = (0.0, 0.35, 0.42, 0.52)
_FOLD = (0.46, 0.80, 0.36, 0.46)
_MOUTH = (0.0, 1.02, 0.70, 0.40)
_CORNER = (0.56, 1.02, 0.40, 0.36)
_CHIN = (0.0, 1.46, 0.72, 0.40)
_JAW = (0.0, 1.26, 1.60, 0.98)
REGIONS: dict[int, tuple[tuple[float, float, float, float], ...]] = {
    1: (_BROW_INNER, _BROW_OUTER, _FOREHEAD),
    2: (_BROW_OUTER, _BROW_INNER, _FOREHEAD),
    4: (_BROW_INNER, _BROW_OUTER, _EYE),
    5: (_EYE,),
    6: (_EYE, _LOW_LID, _CHEEK, _BROW_OUTER),
    7: (_EYE, _LOW_LID),
    9: (_NOSE, _BROW_INNER, _BROW_OUTER, _EYE, _FOLD, _MOUTH),
    10: (_MOUTH, _NOSE, _FOLD),
    12: (_MOUTH, _CORNER, _FOLD, _CHEEK, _EYE, _NOSE, _CHIN),
    14: (_MOUTH, _CORNER),
    15: (_MOUTH, _CORNER, _CHIN),
    16: (_MOUTH, _CHIN),
    17: (_MOUTH, _CHIN),
    20: (_MOUTH, _CORNER, _FOLD, _NOSE),
    23: (_MOUTH,),
    24: (_MOUTH,),
    25: (_MOUTH, _CHIN),
    26: (_MOUTH, _CHIN, _JAW),
    27: (_MOUTH, _CHIN, _JAW),
    43: (_EYE,),
}


def regions(canvas: Canvas, g: Geometry) -> Tensor:
    """Bit k set where ``UNITS[k]`` could act: int32 (N, 2, H, W)."""
    bits = {}  # ellipse -> the bits of the units acting in it, (N, 2, 1, 1)
    for k, unit in enumerate(UNITS):
        acts = (g.a[unit] > ACTIVE).int() << k
        for ellipse in REGIONS[unit]:
            bits[ellipse] = bits[ellipse] | acts if ellipse in bits else acts
    found = torch.zeros((), dtype=torch.int32, device=canvas.s.device)
    for (s, y, ds, dy), value in bits.items():
        # What hangs on the lower jaw goes down with it.
        lowered = g.drop * (0.5 if y > 0.9 else 0.0)
        down = (canvas.y - y - lowered) / (dy + lowered)
        found = found | (((canvas.s - s) / ds) ** 2 + down**2 < 1).int() * value
    return found
