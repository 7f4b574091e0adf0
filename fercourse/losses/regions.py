"""Map supervision: predicted regions held to a mask, as Chen et al. and PraNet train theirs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.modules.blocks import resize_like

IGNORED = 255
"""A pixel of a mask that nobody knows, as in a photograph: it has no say."""

SUPERVISED = ("global", "refined5", "refined4", "refined3")
"""The maps in logits: P_d and every S_i, as far as a model has them."""


def map_loss(maps: Mapping[str, Tensor], masks: Tensor) -> Tensor:
    """The sum over P_d and every S_i of :func:`region_loss`, the batch's mean: a float32 scalar.

    Args:
        maps: As :class:`fercourse.models.Output` has them.
        masks: uint8 (N, H, W): 1 where something acts, 0 where nothing does, :data:`IGNORED` where
            nobody knows.
    """
    found = [region_loss(maps[name], masks) for name in SUPERVISED if name in maps]
    return torch.stack(found).sum(0).mean()


def region_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Weighted cross-entropy and weighted IoU of a map and a mask (Fan et al. 2020, eq. 6): (N,).

    A pixel weighs up to six times as much where its neighbourhood differs from it, that is, near
    the rim of a region. Computed in float32.

    Args:
        logits: (N, 1, h, w), resized to the mask.
        masks: As for :func:`map_loss`. A face of which nothing is known costs 0.
    """
    known = (masks != IGNORED).unsqueeze(1).float()  # (N, 1, H, W)
    inside = (masks == 1).unsqueeze(1).float()
    with torch.autocast(logits.device.type, enabled=False):
        predicted = resize_like(logits.float(), inside)  # (N, 1, H, W)
        window = _window(masks.shape[-1])
        around = F.avg_pool2d(inside, window, 1, window // 2)
        weight = (1 + 5 * (around - inside).abs()) * known
        total = weight.sum((1, 2, 3)).clamp_min(1)  # of an unknown face 0, and so is its loss
        entropy = F.binary_cross_entropy_with_logits(predicted, inside, reduction="none")
        share = predicted.sigmoid()
        both = (share * inside * weight).sum((1, 2, 3))
        either = ((share + inside) * weight).sum((1, 2, 3)) - both
        overlap = 1 - (both + 1) / (either + 1)
        return (entropy * weight).sum((1, 2, 3)) / total + overlap


def _window(side: int) -> int:
    """PraNet looks 31 pixels wide at pictures of 352; odd, and in proportion here."""
    return 2 * int(31 / 352 * side / 2) + 1
