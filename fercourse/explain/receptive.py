"""What one unit of a block could see of a face, and what it listens to."""

from __future__ import annotations

import torch
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.models.fernet import FERNet
from fercourse.models.vgg import PLAN


def rule(block: int) -> int:
    """Side of the square of pixels that a unit of C_block depends on at all.

    A kernel of 3 widens the view by two steps, a pooling by one, and doubles the step.
    """
    sees, step = 1, 1
    for i, channels in enumerate(PLAN[:block]):
        if i:
            sees, step = sees + step, 2 * step
        sees += 2 * step * len(channels)
    return sees


def place(block: int, unit: int) -> float:
    """Where the middle of a unit lies, pixels from the rim: row or column of C_block to pixels."""
    return (unit + 0.5) * 2 ** (block - 1)


def influence(
    model: FERNet, x: Tensor, block: int, row: int | None = None, column: int | None = None
) -> Tensor:
    """Which pixels a unit listens to: the squared gradient of its channels' sum (Luo et al. 2016).

    Args:
        model: Any of Table 1's.
        x: Its input, (N, in_channels, H, W), averaged over.
        block: 1 to 5.
        row: Of the unit in C_block, from 0; None is the middle one.
        column: The same.

    Returns:
        float (H, W), >= 0.

    Raises:
        FercourseError: C_block has no such unit.
    """
    x = x.clone().requires_grad_()
    c = model.backbone(x)[0][block - 1]  # (N, C, h, w)
    height, width = c.shape[2:]
    down, across = (n // 2 if at is None else at for n, at in ((height, row), (width, column)))
    if not (0 <= down < height and 0 <= across < width):
        raise FercourseError(
            f"C{block} has {height} x {width} units here: there is none at ({down}, {across})."
        )
    (gradient,) = torch.autograd.grad(c[:, :, down, across].sum(), x)  # faces do not mix
    return gradient.square().mean((0, 1))


def half_side(map_: Tensor, middle: tuple[float, float]) -> int:
    """Side of the square around a place (y, x), in pixels, that holds half of a map (H, W)."""
    down, across = (
        (torch.arange(n) + 0.5 - at).abs() for n, at in zip(map_.shape, middle, strict=True)
    )  # of the pixels' middles
    ring = torch.maximum(down[:, None], across)  # distance as squares measure it
    inside = [map_[ring < side / 2].sum() for side in range(1, 2 * max(map_.shape))]
    return 1 + sum(bool(v < map_.sum() / 2) for v in inside)
