"""The grid a face is painted on, and the few brushes everything is painted with.

A face is painted upright and frontal, each half on its own: tensors are (N, 2, H, W), side 0 the
half on the left of the picture, and ``s`` runs from the midline outwards in both. What is written
once for a half is thus drawn on both, and an asymmetric expression is only a difference between
the two. Lengths are in units of half the face's width at the cheekbones (67 mm in an adult); the
pupils are at ``y = 0`` and y grows downwards, as in anthropometric tables (L. G. Farkas,
"Anthropometry of the Head and Face", 2nd edition, 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor

Slice = tuple[slice, slice]


@dataclass(frozen=True)
class Canvas:
    """A regular grid over the half faces.

    Attributes:
        density: Pixels a unit.
        width: How far it reaches to each side, units.
        top: Its upper edge (negative), units.
        bottom: Its lower edge, units.
        device: Where tensors are made.
    """

    density: float
    width: float = 1.3
    top: float = -1.35
    bottom: float = 1.85
    device: torch.device | str = "cpu"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a half."""
        return (
            round((self.bottom - self.top) * self.density),
            round(self.width * self.density),
        )

    @cached_property
    def s(self) -> Tensor:
        """Distance from the midline of each column: (W,)."""
        return (steps(self.shape[1], self.device) + 0.5) / self.density

    @cached_property
    def y(self) -> Tensor:
        """Height of each row: (H, 1)."""
        return (steps(self.shape[0], self.device)[:, None] + 0.5) / self.density + self.top

    @property
    def soft(self) -> float:
        """Half the width of an anti-aliased edge, units."""
        return 0.75 / self.density

    def part(self, s: tuple[float, float], y: tuple[float, float]) -> tuple[Slice, Tensor, Tensor]:
        """The rows and columns of a rectangle, and its own ``s`` and ``y``."""
        rows = slice(*(min(max(round((v - self.top) * self.density), 0), self.shape[0]) for v in y))
        columns = slice(*(min(max(round(v * self.density), 0), self.shape[1]) for v in s))
        return (rows, columns), self.s[columns], self.y[rows]

    def inside(self, distance: Tensor, soft: float = 0.0) -> Tensor:
        """1 where a signed distance is negative, 0 outside, with a soft edge between."""
        width = 2 * max(soft, self.soft)
        return (0.5 - distance / width).clamp_(0, 1)

    def line(self, distance: Tensor, width: Tensor | float) -> Tensor:
        """A stroke along zero distance; one thinner than a pixel turns fainter, not wider."""
        wide = torch.as_tensor(width, device=distance.device).clamp(min=self.soft)
        return (width / wide) * (-((distance / wide) ** 2)).exp_()


def steps(count: int, device: torch.device | str) -> Tensor:
    """0, 1, 2 and so on: float64 (count,)."""
    return torch.arange(count, dtype=torch.float64, device=device)


def unfold(halves: Tensor) -> Tensor:
    """The whole picture of two halves: (N, 2, H, W) -> (N, H, 2 W)."""
    return torch.cat([halves[:, 0].flip(-1), halves[:, 1]], -1)


def fold(whole: Tensor) -> Tensor:
    """The two halves of a whole picture: (N, H, 2 W) -> (N, 2, H, W)."""
    left, right = whole.chunk(2, -1)
    return torch.stack([left.flip(-1), right], 1)


def paint(picture: Tensor, where: Slice, colour: Tensor | float, cover: Tensor) -> None:
    """Blend a colour into a part of a picture, in place."""
    part = picture[..., where[0], where[1]]
    part.add_(cover * (colour - part))


def bumps(canvas: Canvas, table: list[tuple]) -> Tensor:
    """A sum of separable Gaussians, as one matrix product: (N, 2, H, W).

    Args:
        canvas: The grid.
        table: Rows of (amplitude, s, width inwards, width outwards, y, width upwards, width
            downwards), each a number or a (N, 2, 1, 1) tensor.
    """
    columns = [
        torch.broadcast_tensors(*map(_tensor(canvas), column))
        for column in zip(*table, strict=True)
    ]
    a, s, inner, outer, y, up, down = (torch.cat(c, -1) for c in columns)  # (N, 2, 1, K)
    ds = canvas.s[:, None] - s  # (N, 2, W, K)
    across = (-((ds / torch.where(ds < 0, inner, outer)) ** 2)).exp()
    dy = canvas.y - y  # (N, 2, H, K)
    along = a * (-((dy / torch.where(dy < 0, up, down)) ** 2)).exp()
    return along @ across.transpose(-1, -2)


def _tensor(canvas: Canvas):
    def convert(value: Tensor | float) -> Tensor:
        value = torch.as_tensor(value, dtype=torch.float64, device=canvas.device)
        return value.reshape(1, 1, 1, 1) if value.ndim == 0 else value

    return convert


def smooth(values: Tensor, shape: tuple[int, int], mode: str = "bicubic") -> Tensor:
    """Coarse random values drawn out to a full grid: (N, h, w) -> (N, H, W).

    Interpolation works on rows and columns apart, so it is two matrix products, which are quicker.
    """
    ways = zip(values.shape[1:], shape, strict=True)
    down, across = (_stretch(few, many, mode, values.device) for few, many in ways)
    return down @ (values @ across.T)


@cache
def _stretch(few: int, many: int, mode: str, device: torch.device) -> Tensor:
    """What torch's interpolation does to a column of ``few`` values: (many, few)."""
    each = torch.eye(few, dtype=torch.float64, device=device)[None, None]
    return torch.nn.functional.interpolate(each, (many, few), mode=mode)[0, 0]
