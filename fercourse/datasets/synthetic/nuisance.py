"""Everything in a photograph that says nothing about the expression."""

import math
from types import SimpleNamespace

import torch
from torch import Tensor

from fercourse.datasets.synthetic.camera import Camera
from fercourse.datasets.synthetic.canvas import smooth
from fercourse.datasets.synthetic.random import normal, uniform


def camera(index: Tensor, seed: int, difficulty: float) -> Camera:
    """Pose, size and place of N faces; strays as far as FER2013's at difficulty 0.5."""
    z = normal(seed, "pose", index, 6).clamp(-2.2, 2.2) * difficulty
    return Camera(
        roll=0.24 * z[:, 0],
        yaw=0.36 * z[:, 1],
        pitch=0.20 * z[:, 2],
        zoom=(0.16 * z[:, 3]).exp(),
        right=0.05 * z[:, 4],
        down=0.05 * z[:, 5],
    )


def lamp(index: Tensor, seed: int, difficulty: float) -> SimpleNamespace:
    """Light of N photographs: direction (N, 3), ambient share and gloss (N, 1, 1)."""
    u = uniform(seed, "lamp", index, 5)
    across = 1.1 * difficulty * (2 * u[:, 0] - 1) + 0.25 * (u[:, 4] - 0.5)
    above = -0.45 + 1.1 * difficulty * (u[:, 1] - 0.5)
    towards = torch.stack([across, above, torch.full_like(above, 0.85)], -1)
    return SimpleNamespace(
        towards=towards / towards.norm(dim=-1, keepdim=True),
        ambient=(0.42 + 0.5 * difficulty * (u[:, 2] - 0.5))[:, None, None],
        gloss=(0.10 + 0.15 * u[:, 3])[:, None, None],
    )


def background(index: Tensor, seed: int, size: int, difficulty: float) -> Tensor:
    """What is behind N faces (N, size, size), linear light: plain, shaded or cluttered."""
    n = len(index)
    u = uniform(seed, "behind", index, 4)[:, :, None, None]
    at = torch.linspace(-0.5, 0.5, size, device=index.device)
    base = torch.where(u[:, 0] < 0.22, 0.004, torch.where(u[:, 0] > 0.8, 0.8, 0.6 * u[:, 1] ** 2))
    blobs = smooth(uniform(seed, "clutter", index, 49).view(n, 7, 7) - 0.5, (size, size))
    tilt = (u[:, 2] - 0.5) * at + (u[:, 3] - 0.5) * at[:, None]
    return base * (1 + difficulty * (0.8 * tilt + 1.6 * u[:, 1] * blobs)).clamp(min=0.02)


def occluders(
    picture: Tensor, index: Tensor, seed: int, difficulty: float
) -> tuple[Tensor, Tensor]:
    """A hand or a lock of hair over some of N faces: the picture, and how much it covers."""
    size = picture.shape[-1]
    u = uniform(seed, "occluder", index, 8)[:, :, None, None]
    kind = uniform(seed, "occludes", index, 2)[:, :, None, None]
    at = (torch.arange(size, device=picture.device) + 0.5) / size
    x, y = at, at[:, None]
    soft = 1.5 / size

    # A hand from below: four fingers side by side, rounded at their tips, a palm under them.
    hand = (kind[:, 0] < 0.22 * difficulty).float()
    turn = 1.2 * (u[:, 0] - 0.5)
    cx, cy = 0.15 + 0.7 * u[:, 1], 0.55 + 0.35 * u[:, 2]
    hx = (x - cx) * turn.cos() + (y - cy) * turn.sin()
    hy = (y - cy) * turn.cos() - (x - cx) * turn.sin()
    finger = 0.085
    across = (hx / finger + 2).clamp(0, 3.999)
    along = (across.floor() - 1.5).abs() * 0.035  # the middle fingers reach further
    inner = (across - across.floor() - 0.5) * finger
    tip = (inner**2 + (along - hy).clamp(min=0) ** 2).sqrt() - finger * 0.5
    beyond = (hx.abs() - 2 * finger).clamp(min=0)
    cover = ((0.5 - (tip + beyond * 4) / soft).clamp(0, 1)) * (hy > -0.1) * hand
    round_ = (1 - (inner / (0.5 * finger)) ** 2).clamp(min=0.05).sqrt()
    tone = 0.05 + 0.5 * u[:, 3] * (0.35 + 0.65 * round_)
    picture = picture + cover * (tone - picture)

    # A lock of hair across the brow.
    lock = (kind[:, 1] < 0.25 * difficulty).float()
    from_left = (u[:, 4] > 0.5).float() * 2 - 1
    bend = 0.5 + from_left * (0.02 + 0.30 * u[:, 5] + 0.55 * (y - 0.25) ** 2 * (1 + u[:, 6]))
    waves = (60 * (x - bend) + 6 * y).cos()
    d = (x - bend).abs() - (0.03 + 0.05 * u[:, 7]) * (1 - y / (0.35 + 0.5 * u[:, 6])).clamp(0, 1)
    strand = (0.5 - (d + 0.008 * waves) / (2 * soft)).clamp(0, 1) * lock
    picture = picture + strand * (0.02 + 0.12 * u[:, 3] ** 2 * (1 + 0.5 * waves) - picture)
    return picture, torch.maximum(cover, strand)


def develop(picture: Tensor, index: Tensor, seed: int, difficulty: float) -> Tensor:
    """From light to grey levels: tone curve, contrast, blur, noise, JPEG. (N, H, W), 0 to 255."""
    n, size = len(picture), picture.shape[-1]
    u = uniform(seed, "film", index, 6)[:, :, None, None]
    grey = picture.clamp(min=1e-4) ** (0.5 + 0.16 * difficulty * (u[:, 0] - 0.5))
    contrast = 1 + 0.9 * difficulty * (u[:, 1] - 0.5)
    grey = (grey - 0.5) * contrast + 0.5 + 0.35 * difficulty * (u[:, 2] - 0.5)
    sigma = difficulty * u[:, 3, :, 0] ** 2 * 1.6 * size / 64
    grey = _blur(grey, sigma, max(1, math.ceil(2.5 * difficulty * 1.6 * size / 64)))
    if difficulty > 0:
        bits = uniform(seed, "grain", index, size * size).view(n, size, size)
        grey = grey + 0.10 * difficulty * u[:, 4] ** 2 * (bits - 0.5) * 3.46
    return _jpeg(grey.clamp(0, 1) * 255, 100 - 60 * difficulty * u[:, 5, 0, 0]).clamp(0, 255)


def _blur(picture: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Each picture (N, H, W) by its own Gaussian, ``sigma`` (N, 1) in pixels."""
    n = len(picture)
    taps = torch.arange(-reach, reach + 1, device=picture.device)
    weights = (-0.5 * (taps / sigma.clamp(min=0.05)) ** 2).exp()
    weights = (weights / weights.sum(1, keepdim=True))[:, None]  # (N, 1, K)
    padded = torch.nn.functional.pad(picture[None], (reach,) * 4, mode="replicate")
    once = torch.nn.functional.conv2d(padded, weights[:, :, None], groups=n)
    return torch.nn.functional.conv2d(once, weights[..., None], groups=n)[0]


# Quantisation of luminance, ITU-T T.81 (JPEG), annex K, table K.1.
_TABLE = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def _jpeg(picture: Tensor, quality: Tensor) -> Tensor:
    """The loss of JPEG: 8 x 8 cosine transforms, rounded. (N, H, W), ``quality`` (N,)."""
    n, h, w = picture.shape
    k = torch.arange(8, device=picture.device)
    dct = ((2 * k + 1) * k[:, None] * math.pi / 16).cos() / 2
    dct[0] /= math.sqrt(2)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)  # as libjpeg's
    step = (_TABLE.to(picture) * scale[:, None, None]).clamp(min=1).view(n, 1, 1, 8, 8)
    padded = torch.nn.functional.pad(
        picture[:, None] - 128, (0, -w % 8, 0, -h % 8), mode="replicate"
    )[:, 0]
    blocks = padded.unflatten(1, (-1, 8)).unflatten(3, (-1, 8)).transpose(2, 3)  # (N, h, w, 8, 8)
    blocks = dct.T @ ((dct @ blocks @ dct.T / step).round() * step) @ dct
    return blocks.transpose(2, 3).flatten(3, 4).flatten(1, 2)[:, :h, :w] + 128
