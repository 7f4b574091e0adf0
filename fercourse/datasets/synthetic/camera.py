"""The pose: where each point of a face falls in the picture, and back."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import Canvas, steps

FRAME = 2.4  # units across the picture at zoom 1: FER2013's crop, measured on its training split
CENTRE = 0.275  # height that falls in the middle of the picture
PIVOT = 0.55  # height above the plane that stays in place when the head turns


@dataclass(frozen=True)
class Camera:
    """Pose of N faces; every field is (N,).

    Attributes:
        roll: Radians, clockwise in the picture.
        yaw: Radians, the nose towards the right of the picture.
        pitch: Radians, the nose downwards.
        zoom: Size of the face, 1 as in FER2013.
        right: Shift of the face's middle, in picture widths.
        down: Shift downwards, in picture widths.
    """

    roll: Tensor
    yaw: Tensor
    pitch: Tensor
    zoom: Tensor
    right: Tensor
    down: Tensor

    def project(self, points: Tensor, height: Tensor) -> Tensor:
        """Points of the face in the picture, in [0, 1] from its upper left: (N, P, 2).

        Args:
            points: (N, P, 2), ``x`` and ``y`` on the face.
            height: (N, P) above its plane.
        """
        x, y = points.unbind(-1)
        lift = height - PIVOT
        x = x * self.yaw.cos()[:, None] + lift * self.yaw.sin()[:, None]
        y = (y - CENTRE) * self.pitch.cos()[:, None] + lift * self.pitch.sin()[:, None]
        c, s = self.roll.cos()[:, None], self.roll.sin()[:, None]
        scale = (self.zoom / FRAME)[:, None]
        return torch.stack(
            [
                0.5 + self.right[:, None] + scale * (c * x - s * y),
                0.5 + self.down[:, None] + scale * (s * x + c * y),
            ],
            -1,
        )

    def unproject(self, canvas: Canvas, relief: Tensor, size: int) -> Tensor:
        """For each pixel the point of the canvas seen there, for ``grid_sample``.

        The height of a point decides where it falls, so its inverse is found by iteration; the
        field is smooth, so it is found on a coarse grid and drawn out.

        Args:
            canvas: The grid the face is painted on.
            relief: Height of the whole face, (N, H, W).
            size: Pixels of the picture's side.

        Returns:
            (N, size, size, 2), in [-1, 1] on the canvas.
        """
        coarse = min(size, 36)
        at = (steps(coarse, relief.device) + 0.5) / coarse
        py, px = torch.meshgrid(at, at, indexing="ij")
        each = (slice(None), None, None)
        scale = (FRAME / self.zoom)[each]
        px, py = scale * (px - 0.5 - self.right[each]), scale * (py - 0.5 - self.down[each])
        c, s = self.roll.cos()[each], self.roll.sin()[each]
        px, py = c * px + s * py, c * py - s * px  # (N, coarse, coarse)
        x, y = px, py + CENTRE
        z = torch.nn.functional.avg_pool2d(relief[:, None], max(1, relief.shape[1] // 48))
        for _ in range(4):
            lift = _sample(z, to_grid(canvas, x, y))[:, 0] - PIVOT
            x = (px - lift * self.yaw.sin()[each]) / self.yaw.cos()[each]
            y = (py - lift * self.pitch.sin()[each]) / self.pitch.cos()[each] + CENTRE
        field = to_grid(canvas, x, y).permute(0, 3, 1, 2)
        field = torch.nn.functional.interpolate(field, (size, size), mode="bilinear")
        return field.permute(0, 2, 3, 1)


def to_grid(canvas: Canvas, x: Tensor, y: Tensor) -> Tensor:
    """Points of the face in ``grid_sample``'s coordinates: (..., 2)."""
    rows = (y - canvas.top) / (canvas.shape[0] / canvas.density) * 2 - 1
    return torch.stack([x / (canvas.shape[1] / canvas.density), rows], -1)


def heights(canvas: Canvas, relief: Tensor, points: Tensor) -> Tensor:
    """Height of the face at (N, P, 2) points: (N, P)."""
    grid = to_grid(canvas, *points.unbind(-1))[:, None]
    return _sample(relief[:, None], grid)[:, 0, 0]


def _sample(picture: Tensor, grid: Tensor) -> Tensor:
    return torch.nn.functional.grid_sample(
        picture, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
