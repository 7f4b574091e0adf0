"""Pose, background and what is held before a face: nothing here tells the expression."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.camera import Camera
from fercourse.datasets.synthetic.canvas import smooth, steps
from fercourse.datasets.synthetic.random import normal, uniform


def camera(index: Tensor, seed: int, difficulty: float, margin: float = 0.0) -> Camera:
    """Pose, size and place of N faces; strays as far as FER2013's at difficulty 0.5."""
    z = normal(seed, "pose", index, 6).clamp(-2.2, 2.2) * difficulty
    return Camera(
        roll=0.24 * z[:, 0],
        yaw=0.36 * z[:, 1],
        pitch=0.20 * z[:, 2],
        zoom=(0.16 * z[:, 3]).exp() / (1 + margin),
        right=0.05 * z[:, 4],
        down=0.05 * z[:, 5],
    )


def background(index: Tensor, seed: int, size: int, difficulty: float) -> Tensor:
    """What is behind N faces (N, size, size), linear light: plain, shaded or cluttered."""
    n = len(index)
    u = uniform(seed, "behind", index, 4)[:, :, None, None]
    at = steps(size, index.device) / (size - 1) - 0.5
    base = torch.where(u[:, 0] < 0.22, 0.004, torch.where(u[:, 0] > 0.8, 0.8, 0.6 * u[:, 1] ** 2))
    blobs = smooth(uniform(seed, "clutter", index, 49).view(n, 7, 7) - 0.5, (size, size))
    tilt = (u[:, 2] - 0.5) * at + (u[:, 3] - 0.5) * at[:, None]
    return base * (1 + difficulty * (0.8 * tilt + 1.6 * u[:, 1] * blobs)).clamp(min=0.02)


def occluders(
    picture: Tensor, index: Tensor, seed: int, difficulty: float
) -> tuple[Tensor, Tensor]:
    """A hand or a lock of hair over some of N faces, in place: the picture, and what is covered."""
    u = uniform(seed, "occluder", index, 8)[:, :, None, None]
    kind = uniform(seed, "occludes", index, 2)
    covered = torch.zeros_like(picture)
    for brush, chosen in (
        (_hand, kind[:, 0] < 0.22 * difficulty),
        (_lock, kind[:, 1] < 0.25 * difficulty),
    ):
        some = chosen.nonzero()[:, 0]  # few: the others cost nothing
        if len(some):
            tone, cover = brush(picture.shape[-1], u[some])  # (n, size, size)
            part = picture[some]
            picture[some] = part + cover * (tone - part)
            covered[some] = torch.maximum(covered[some], cover)
    return picture, covered


def _hand(size: int, u: Tensor) -> tuple[Tensor, Tensor]:
    """A hand from below: four fingers side by side, rounded at their tips, a palm under them."""
    x, y, soft = _places(size, u)
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
    cover = ((0.5 - (tip + beyond * 4) / soft).clamp(0, 1)) * (hy > -0.1)
    round_ = (1 - (inner / (0.5 * finger)) ** 2).clamp(min=0.05).sqrt()
    return 0.05 + 0.5 * u[:, 3] * (0.35 + 0.65 * round_), cover


def _lock(size: int, u: Tensor) -> tuple[Tensor, Tensor]:
    """A lock of hair across the brow."""
    x, y, soft = _places(size, u)
    from_left = (u[:, 4] > 0.5).double() * 2 - 1
    bend = 0.5 + from_left * (0.02 + 0.30 * u[:, 5] + 0.55 * (y - 0.25) ** 2 * (1 + u[:, 6]))
    waves = (60 * (x - bend) + 6 * y).cos()
    d = (x - bend).abs() - (0.03 + 0.05 * u[:, 7]) * (1 - y / (0.35 + 0.5 * u[:, 6])).clamp(0, 1)
    strand = (0.5 - (d + 0.008 * waves) / (2 * soft)).clamp(0, 1)
    return 0.02 + 0.12 * u[:, 3] ** 2 * (1 + 0.5 * waves), strand


def _places(size: int, u: Tensor) -> tuple[Tensor, Tensor, float]:
    """x of the columns, y of the rows, both in [0, 1], and the softness of an edge."""
    at = (steps(size, u.device) + 0.5) / size
    return at, at[:, None], 1.5 / size
