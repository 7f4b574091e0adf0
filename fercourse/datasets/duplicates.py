"""Near-duplicates: the same photograph on both sides of a split.

FER2013 was collected by web search, and the web repeats itself. Two images are compared by their
correlation, the cosine of their mean-free pixels, so brightness and contrast do not matter.
Measured on FER2013, PrivateTest (PublicTest) images with a partner in Training, mirrored or not:

==========  ==========  =======================================================================
threshold   images      what a look at the pairs showed
==========  ==========  =======================================================================
0.99        310 (293)   the same file, saved again: the count the literature knows (311, 293)
0.95        395 (374)   the same photograph with another agency's watermark or another crop
0.93        444 (419)   still the same photograph in every pair looked at, 59 of 60
0.90        521 (487)   about one pair in seven is two people who look alike
==========  ==========  =======================================================================
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from fercourse.datasets.faces import Faces

COPY = 0.99
"""Correlation of two copies of one file."""

SAME_PHOTO = 0.93
"""Correlation above which two images nearly always show one photograph."""

_COARSE, _FINE = 16, 48  # sides of the two descriptors, pixels
_MARGIN = 0.02  # pooling raises correlation: no pair seen lost any, so this is on the safe side
_BLOCK = 4096  # images a block; 4096 x 3589 products are 60 MB


def find(
    a: Tensor | Faces, b: Tensor | Faces, threshold: float = COPY, *, mirrored: bool = True
) -> np.ndarray:
    """Pairs of images, one of each set, that show the same photograph.

    Every image of ``a`` is compared with every one of ``b`` at 16x16 by matrix products in
    blocks; the few pairs close there are compared at 48x48. Images of one grey level match nothing.

    Args:
        a: uint8 (N, H, W), any size.
        b: uint8 (M, H', W').
        threshold: Least correlation at 48x48, in (0, 1]; see the table above.
        mirrored: Compare with the mirror images of ``b``, too.

    Returns:
        int64 (P, 2), rows (i, j) with ``a[i]`` near ``b[j]``, sorted; compared with itself a set
        gives every pair twice and every image once with itself.
    """
    a, b = (x.images if isinstance(x, Faces) else x for x in (a, b))
    # Smaller images, on either side, are compared at their own size.
    coarse, fine = (min(side, *a.shape[1:], *b.shape[1:]) for side in (_COARSE, _FINE))
    coarse_a = _descriptors(a, coarse)  # (N, 256)
    pairs = []
    for view in (b, b.flip(-1)) if mirrored else (b,):
        coarse_b = _descriptors(view, coarse)  # (M, 256)
        for start in range(0, len(a), _BLOCK):
            near = coarse_a[start : start + _BLOCK] @ coarse_b.T > threshold - _MARGIN  # (B, M)
            i, j = near.nonzero(as_tuple=True)
            for k in range(0, len(i), _BLOCK):
                at_a, at_b = i[k : k + _BLOCK] + start, j[k : k + _BLOCK]
                products = _descriptors(a[at_a], fine) * _descriptors(view[at_b], fine)
                same = products.sum(1) >= threshold
                pairs.append(torch.stack([at_a[same], at_b[same]], dim=1))
    if not pairs:
        return np.empty((0, 2), dtype=np.int64)
    return torch.cat(pairs).unique(dim=0).cpu().numpy()


def leaked(train: Tensor | Faces, test: Tensor | Faces, threshold: float = COPY) -> np.ndarray:
    """Which test images have a near-duplicate in ``train``: bool (N_test,)."""
    mask = np.zeros(len(test), dtype=bool)
    mask[find(train, test, threshold)[:, 1]] = True
    return mask


def _descriptors(images: Tensor, side: int) -> Tensor:
    """Mean-free unit vectors of images pooled to ``side``: uint8 (N, H, W) -> (N, side**2)."""
    blocks = [
        adaptive_avg_pool2d(part[:, None].float(), side).flatten(1) for part in images.split(_BLOCK)
    ]
    if not blocks:
        return torch.empty(0, side * side)
    pixels = torch.cat(blocks)
    return normalize(pixels - pixels.mean(1, keepdim=True), eps=1e-3)
