"""A head, painted and lit, before any camera has seen it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fercourse.datasets.synthetic.camera import Camera, heights
from fercourse.datasets.synthetic.canvas import Canvas, unfold
from fercourse.datasets.synthetic.eyes import brows, eyes
from fercourse.datasets.synthetic.geometry import Geometry, geometry
from fercourse.datasets.synthetic.hair import glasses, hair, surgical_mask
from fercourse.datasets.synthetic.identity import Traits, traits
from fercourse.datasets.synthetic.landmarks import landmarks
from fercourse.datasets.synthetic.light import lamp, light
from fercourse.datasets.synthetic.mouth import mouth
from fercourse.datasets.synthetic.random import normal, uniform
from fercourse.datasets.synthetic.regions import regions
from fercourse.datasets.synthetic.relief import outline, relief
from fercourse.datasets.synthetic.skin import ears_and_neck, skin


@dataclass(frozen=True)
class Portrait:
    """N heads on their canvas.

    Attributes:
        canvas: The grid they are painted on.
        people: Their traits.
        shape: Their geometry.
        worn: 1 for each behind a surgical mask, (N, 1, 1, 1).
        height: Above the plane of the face, (N, H, W), units.
        light: Linear light, 0 where there is no head, (N, H, W).
        cover: 1 on the head, 0 beside it, (N, H, W).
    """

    canvas: Canvas
    people: Traits
    shape: Geometry
    worn: Tensor
    height: Tensor
    light: Tensor
    cover: Tensor

    def regions(self) -> Tensor:
        """Bit k set where ``UNITS[k]`` could act and show, at half density: int32 (N, h, w)."""
        full = self.canvas
        canvas = Canvas(full.density / 2, full.width, full.top, full.bottom, full.device)
        bare = (self.worn == 0) | (canvas.y < MASK_TOP + MASK_SLOPE * canvas.s)
        return unfold(regions(canvas, self.shape) * bare)

    def points(self, camera: Camera) -> Tensor:
        """All landmarks (N, 42, 2), in shares of the picture."""
        found = landmarks(self.people, self.shape)
        return camera.project(found, heights(self.canvas, self.height, found))

    def truth(self, camera: Camera) -> tuple[Tensor, Tensor]:
        """Five landmarks (N, 5, 2) and the box (N, 4), in shares of the picture."""
        t, g = self.people, self.shape
        side = self.height.new_tensor([-1.0, 1.0])

        def pair(s: Tensor, y: Tensor) -> Tensor:
            s, y = (v.expand(-1, 2, 1, 1).flatten(1) for v in (s, y))
            return torch.stack([side * s, y], -1)  # (N, 2, 2)

        nose = torch.cat([0 * g.nose_tip, g.nose_tip], -1)[:, 0]  # (N, 1, 2)
        marks = torch.cat([pair(g.eye_s, g.eye_y - 0.01), nose, pair(g.corner_s, g.corner_y)], 1)
        marks = camera.project(marks, heights(self.canvas, self.height, marks))
        hairline = torch.full_like(g.chin, -1.0)
        rim = torch.cat([pair(t.width, 0 * t.width + 0.2), pair(0 * g.chin, g.chin)], 1)
        rim[:, 2, 1] = hairline[:, 0, 0, 0]
        rim = camera.project(rim, torch.full_like(rim[..., 0], 0.35))
        across, along = ((rim[:, k + 1] - rim[:, k]).norm(dim=-1) / 2 for k in (0, 2))
        half = torch.stack([across, along], -1)
        return marks, torch.cat([rim.mean(1) - half, rim.mean(1) + half], -1)


MASK_TOP, MASK_SLOPE = 0.36, 0.22  # upper edge of a surgical mask: over the nose, up to the ears


def portrait(
    canvas: Canvas, units: Tensor, identity: Tensor, index: Tensor, seed: int, difficulty: float
) -> Portrait:
    """Paint and light N heads; arguments as in :func:`fercourse.datasets.synthetic.render`."""
    t = traits(identity)
    gaze = 0.4 * difficulty * normal(seed, "gaze", index, 2).clamp(-2, 2)
    g = geometry(t, units, gaze)
    worn = (uniform(seed, "mask", index, 1) < 0.04 * difficulty).double()[:, :, None, None]
    edge = outline(canvas, t, g)
    height = unfold(relief(canvas, t, g, edge))  # (N, H, W)
    tone, cover = _paint(canvas, t, g, edge, worn)
    scattered, mirrored = light(canvas, height, lamp(index, seed, difficulty))
    skin_tone = t.skin_tone[:, 0]
    lit = tone * scattered + mirrored * (0.18 + 0.32 * skin_tone)
    lit = lit * (0.62 / skin_tone**0.55)  # the photographer exposes for the face
    return Portrait(canvas, t, g, worn, height, lit * cover, cover)


def _paint(
    canvas: Canvas, t: Traits, g: Geometry, edge: Tensor, worn: Tensor
) -> tuple[Tensor, Tensor]:
    """Reflectance and cover of the head with all it wears, each (N, H, 2 W)."""
    tone, cover = ears_and_neck(canvas, t, g)
    head = canvas.inside((edge - 1) * 0.4)
    tone = tone + head * (skin(canvas, t, g, edge) - tone)
    mouth(canvas, t, g, tone)
    eyes(canvas, t, g, tone)
    brows(canvas, t, g, tone)
    surgical_mask(canvas, worn, MASK_TOP + MASK_SLOPE * canvas.s - canvas.y, tone)
    locks, hairy = hair(canvas, t)
    tone = tone + hairy * (locks - tone)
    glasses(canvas, t, tone)
    return unfold(tone), unfold(torch.maximum(torch.maximum(cover, head), hairy))
