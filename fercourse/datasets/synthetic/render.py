"""From action units to pixels: paint the upright face, light it, photograph it."""

from dataclasses import dataclass, fields
from types import SimpleNamespace

import torch
from torch import Tensor

from fercourse.datasets.synthetic import nuisance
from fercourse.datasets.synthetic.camera import FRAME, Camera, heights
from fercourse.datasets.synthetic.canvas import Canvas, unfold
from fercourse.datasets.synthetic.eyes import brows, eyes
from fercourse.datasets.synthetic.geometry import geometry
from fercourse.datasets.synthetic.hair import glasses, hair, surgical_mask
from fercourse.datasets.synthetic.identity import traits
from fercourse.datasets.synthetic.mouth import mouth
from fercourse.datasets.synthetic.random import normal, uniform
from fercourse.datasets.synthetic.regions import regions
from fercourse.datasets.synthetic.relief import outline, relief
from fercourse.datasets.synthetic.skin import ears_and_neck, skin


@dataclass(frozen=True)
class Rendered:
    """N drawn faces.

    Attributes:
        images: uint8 (N, size, size).
        masks: int32 (N, size, size), bit k set where ``UNITS[k]`` acts and nothing covers it.
        landmarks: float32 (N, 5, 2), x and y in pixels: the eyes, the tip of the nose and the
            corners of the mouth, each time the one on the left of the picture first.
        boxes: float32 (N, 4), left, top, right, bottom of the face in pixels.
    """

    images: Tensor
    masks: Tensor
    landmarks: Tensor
    boxes: Tensor


def render(
    units: Tensor, identity: Tensor, index: Tensor, seed: int, size: int, difficulty: float
) -> Rendered:
    """Draw N faces, a few at a time so that a batch stays in the processor's cache.

    Args:
        units: float32 (N, U, 2), intensity in [0, 1] of each of ``UNITS`` on either side.
        identity: int64 (N,), who is drawn.
        index: int64 (N,), the face's number: with ``seed`` it decides pose, light and noise.
        seed: Non-negative.
        size: Side of the pictures, pixels.
        difficulty: In [0, 1].
    """
    at_once = max(6, 32 * 48**2 // size**2) if units.device.type == "cpu" else 256
    parts = [
        _render(*part, seed, size, difficulty)
        for part in zip(*(v.split(at_once) for v in (units, identity, index)), strict=True)
    ]
    return Rendered(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Rendered)))


def _render(
    units: Tensor, identity: Tensor, index: Tensor, seed: int, size: int, difficulty: float
) -> Rendered:
    fine = 2 * size if size < 112 else size  # small pictures are drawn at twice their size
    canvas = Canvas(0.85 * fine / FRAME if size < 112 else fine / FRAME, device=units.device)
    t = traits(identity)
    gaze = normal(seed, "gaze", index, 2).clamp(-2, 2) * 0.4 * difficulty
    g = geometry(t, units, gaze)
    camera = nuisance.camera(index, seed, difficulty)

    edge = outline(canvas, t, g)
    height = unfold(relief(canvas, t, g, edge))  # (N, H, W)
    tone, cover = _paint(canvas, t, g, edge, index, seed, difficulty)
    light, shine = _light(canvas, height, nuisance.lamp(index, seed, difficulty))
    lit = tone * light + shine * (0.35 + 0.65 * t.skin_tone[:, 0]) * 0.5
    # The photographer exposes for the face.
    lit = lit * (0.60 / t.skin_tone[:, 0] ** 0.45)

    grid = camera.unproject(canvas, height, fine)
    layers = torch.nn.functional.grid_sample(
        torch.stack([lit * cover, cover], 1), grid, align_corners=False, padding_mode="zeros"
    )
    behind = nuisance.background(index, seed, fine, difficulty)
    picture = layers[:, 0] + (1 - layers[:, 1]) * behind
    picture, hidden = nuisance.occluders(picture, index, seed, difficulty)
    if fine > size:
        picture = torch.nn.functional.avg_pool2d(picture[:, None], 2)[:, 0]
        hidden, grid = hidden[:, ::2, ::2], grid[:, ::2, ::2]
    images = nuisance.develop(picture, index, seed, difficulty).round().to(torch.uint8)

    marks, boxes = _truth(canvas, t, g, height, camera)
    return Rendered(
        images, _masks(canvas, g, grid, hidden, index, seed, difficulty), size * marks, size * boxes
    )


def _paint(
    canvas: Canvas, t: SimpleNamespace, g: SimpleNamespace, edge: Tensor,
    index: Tensor, seed: int, difficulty: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Reflectance and cover of the head with all it wears, each (N, H, 2 W)."""
    tone, cover = ears_and_neck(canvas, t, g, edge)
    head = canvas.inside((edge - 1) * 0.4)
    tone = tone + head * (skin(canvas, t, g, edge) - tone)
    cover = torch.maximum(cover, head)
    mouth(canvas, t, g, tone)
    eyes(canvas, t, g, tone)
    brows(canvas, t, g, tone)
    surgical_mask(canvas, worn(index, seed, difficulty), tone)
    locks, hairy = hair(canvas, t)
    tone = tone + hairy * (locks - tone)
    glasses(canvas, t, tone)
    return unfold(tone), unfold(torch.maximum(cover, hairy))


def worn(index: Tensor, seed: int, difficulty: float) -> Tensor:
    """1 for each face behind a surgical mask, (N, 1, 1, 1)."""
    return (uniform(seed, "mask", index, 1) < 0.04 * difficulty).float()[:, :, None, None]


def _light(canvas: Canvas, height: Tensor, lamp: SimpleNamespace) -> tuple[Tensor, Tensor]:
    """Lambert's cosine law over an ambient share, and Blinn's highlight: each (N, H, W)."""
    step = 2 / canvas.density
    dx = torch.nn.functional.pad(height[:, :, 2:] - height[:, :, :-2], (1, 1)) / step
    dy = torch.nn.functional.pad(height[:, 2:] - height[:, :-2], (0, 0, 1, 1)) / step
    nz = (1 + dx**2 + dy**2).rsqrt()
    lx, ly, lz = lamp.towards[:, :, None, None].unbind(1)
    facing = (nz * (lz - dx * lx - dy * ly)).clamp(min=0)
    light = lamp.ambient * (0.6 + 0.4 * nz) + (1 - lamp.ambient) * 1.25 * facing
    half = lamp.towards + lamp.towards.new_tensor([0.0, 0.0, 1.0])
    hx, hy, hz = (half / half.norm(dim=-1, keepdim=True))[:, :, None, None].unbind(1)
    shine = (nz * (hz - dx * hx - dy * hy)).clamp(min=0) ** 24
    return light, shine * lamp.gloss


def _truth(
    canvas: Canvas, t: SimpleNamespace, g: SimpleNamespace, height: Tensor, camera: Camera
) -> tuple[Tensor, Tensor]:
    """Five landmarks (N, 5, 2) and the box (N, 4), as shares of the picture."""
    side = torch.tensor([-1.0, 1.0], device=height.device)

    def pair(s: Tensor, y: Tensor) -> Tensor:
        s, y = (v.expand(-1, 2, 1, 1).flatten(1) for v in (s, y))
        return torch.stack([side * s, y], -1)  # (N, 2, 2)

    nose = torch.cat([0 * g.nose_tip, g.nose_tip], -1)[:, 0]  # (N, 1, 2)
    marks = torch.cat([pair(g.eye_s, g.eye_y - 0.01), nose, pair(g.corner_s, g.corner_y)], 1)
    marks = camera.project(marks, heights(canvas, height, marks))
    rim = torch.cat([pair(t.width, 0.2 + 0 * t.width), pair(0 * g.chin, g.chin)], 1)
    rim[:, 2, 1] = -1.0  # the hairline
    rim = camera.project(rim, torch.full_like(rim[..., 0], 0.35))
    middle = rim.mean(1)
    half = torch.stack(
        [(rim[:, 1] - rim[:, 0]).norm(dim=-1), (rim[:, 3] - rim[:, 2]).norm(dim=-1)], -1
    ) / 2  # fmt: skip
    return marks, torch.cat([middle - half, middle + half], -1)


def _masks(
    canvas: Canvas, g: SimpleNamespace, grid: Tensor, hidden: Tensor,
    index: Tensor, seed: int, difficulty: float,
) -> Tensor:  # fmt: skip
    coarse = Canvas(canvas.density / 2, canvas.width, canvas.top, canvas.bottom, canvas.device)
    bits = regions(coarse, g)
    bits = bits * ((worn(index, seed, difficulty) == 0) | (coarse.y < 0.36 + 0.22 * coarse.s))
    # float32 holds 20 bits exactly, and a nearest sample does not mix them.
    seen = torch.nn.functional.grid_sample(
        unfold(bits).float()[:, None], grid, mode="nearest", align_corners=False
    )[:, 0]
    return torch.where(hidden < 0.5, seen.int(), 0)
