"""From action units to photographs of faces."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from fercourse.datasets.synthetic import nuisance
from fercourse.datasets.synthetic.camera import FRAME
from fercourse.datasets.synthetic.canvas import Canvas
from fercourse.datasets.synthetic.film import develop
from fercourse.datasets.synthetic.portrait import Portrait, portrait

SMALL = 112  # pictures below this side are drawn at twice their size and averaged


@dataclass(frozen=True)
class Rendered:
    """N drawn faces.

    Attributes:
        images: uint8 (N, size, size).
        landmarks: float32 (N, 5, 2), x and y in pixels: the eyes, the tip of the nose and the
            corners of the mouth, each time the one on the left of the picture first.
        boxes: float32 (N, 4), left, top, right, bottom of the face in pixels.
        points: float32 (N, 42, 2), x and y in pixels: brows, eyes, nose, lips and jaw, see
            :data:`fercourse.datasets.synthetic.landmarks.PARTS`.
        regions: int32 (N, size, size), bit k set where ``UNITS[k]`` could move something and
            nothing covers it; None where it was not asked for.
    """

    images: Tensor
    landmarks: Tensor
    boxes: Tensor
    points: Tensor
    regions: Tensor | None = None


def render(
    units: Tensor,
    identity: Tensor,
    index: Tensor,
    seed: int,
    size: int,
    difficulty: float,
    margin: float = 0.0,
    regions: bool = False,
) -> Rendered:
    """Draw N faces, a few at a time so that a batch stays in the processor's cache.

    Args:
        units: (N, U, 2), intensity in [0, 1] of each of ``UNITS`` on either side.
        identity: int64 (N,), who is drawn.
        index: int64 (N,), the face's number: with ``seed`` it decides pose, light and noise.
        seed: Non-negative.
        size: Side of the pictures, pixels.
        difficulty: In [0, 1].
        margin: Room around the face beyond FER2013's crop, in [0, 1] of the picture's side.
        regions: Say where each unit could act, too.
    """
    at_once = max(6, 48 * 48**2 // size**2) if units.device.type == "cpu" else 256
    parts = [
        _render(u, who, n, seed, size, difficulty, margin, regions)
        for u, who, n in zip(*(v.split(at_once) for v in (units, identity, index)), strict=True)
    ]
    names = [f.name for f in fields(Rendered) if regions or f.name != "regions"]
    return Rendered(*(torch.cat([getattr(p, name) for p in parts]) for name in names))


def _render(
    units: Tensor,
    identity: Tensor,
    index: Tensor,
    seed: int,
    size: int,
    difficulty: float,
    margin: float,
    regions: bool,
) -> Rendered:
    small = size < SMALL
    fine = 2 * size if small else size
    canvas = Canvas(
        (0.85 if small else 1.0) * fine / (FRAME * (1 + margin)),
        width=1.35 + 0.8 * margin,
        top=-1.1 - 0.7 * difficulty - 1.6 * margin,
        bottom=1.7 + 0.5 * difficulty + 1.8 * margin,
        device=units.device,
    )
    heads = portrait(canvas, units.double(), identity, index, seed, difficulty)
    camera = nuisance.camera(index, seed, difficulty, margin)
    grid = camera.unproject(canvas, heads.height, fine)
    layers = torch.nn.functional.grid_sample(
        torch.stack([heads.light, heads.cover], 1), grid, align_corners=False
    )
    behind = nuisance.background(index, seed, fine, difficulty)
    picture = layers[:, 0] + (1 - layers[:, 1]) * behind
    picture, hidden = nuisance.occluders(picture, index, seed, difficulty)
    if small:
        picture = torch.nn.functional.avg_pool2d(picture[:, None], 2)[:, 0]
        hidden, grid = hidden[:, ::2, ::2], grid[:, ::2, ::2]
    marks, boxes = heads.truth(camera)
    return Rendered(
        images=develop(picture, index, seed, difficulty),
        landmarks=(size * marks).float(),
        boxes=(size * boxes).float(),
        points=(size * heads.points(camera)).float(),
        regions=_regions(heads, grid, hidden) if regions else None,
    )


def _regions(heads: Portrait, grid: Tensor, hidden: Tensor) -> Tensor:
    # A float holds 20 bits exactly, and a nearest sample does not mix them.
    bits = torch.nn.functional.grid_sample(
        heads.regions().double()[:, None], grid, mode="nearest", align_corners=False
    )[:, 0]
    return torch.where(hidden < 0.5, bits.int(), 0)
