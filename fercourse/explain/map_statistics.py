"""Is a map alive? How much it varies over the face, from face to face, and with the truth."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor


class MapStatistics(NamedTuple):
    """Means over N maps.

    Attributes:
        mean: Of all values.
        within: Standard deviation over a face's pixels; 0 is a flat map.
        between: Standard deviation of a pixel over faces; 0 is the same map for every face.
        entropy: Of the map as a distribution over pixels, divided by that of a flat one; 1 is flat.
        correlation: Pearson's, with a mask, over a face's pixels; nan without masks.
    """

    mean: float
    within: float
    between: float
    entropy: float
    correlation: float


def map_statistics(maps: Tensor, masks: Tensor | None = None) -> MapStatistics:
    """Measure N maps (N, H, W), non-negative, against bool masks of the same size if given.

    Faces whose mask is empty are left out of the correlation; a flat map correlates with nothing,
    0.
    """
    flat = maps.flatten(1).double()  # (N, P)
    share = flat / flat.sum(1, keepdim=True).clamp_min(1e-12)
    entropy = -(share * share.clamp_min(1e-300).log()).sum(1) / math.log(flat.shape[1])
    correlation = math.nan
    if masks is not None:
        there = masks.flatten(1).any(1)
        if there.any():
            correlation = pearson(flat[there], masks[there].flatten(1).double()).mean().item()
    return MapStatistics(
        mean=flat.mean().item(),
        within=flat.std(1, correction=0).mean().item(),
        between=flat.std(0, correction=0).mean().item(),
        entropy=entropy.mean().item(),
        correlation=correlation,
    )


def pearson(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of each row of (N, P) with the other's: (N,); 0 where a row is constant."""
    a, b = (v.double() - v.double().mean(1, keepdim=True) for v in (a, b))
    norm = a.norm(dim=1) * b.norm(dim=1)
    return (a * b).sum(1) / norm.clamp_min(1e-12)
