"""Local binary patterns: each pixel's neighbours, brighter or not, counted by region [6]."""

from __future__ import annotations

import numpy as np
from skimage.feature import local_binary_pattern

from fercourse.datasets.faces import Faces
from fercourse.shallow.features import Features

GRID = 7
"""Regions a side (T. Ahonen et al., "Face Description with Local Binary Patterns", 2006)."""

PATTERNS = 59
"""Of the 256 patterns of eight neighbours, 58 change between dark and bright at most twice on the
way round: the uniform ones. All others share the last number."""


class LBP(Features):
    """Histograms of uniform patterns on a grid of 7 x 7 regions: 2,891 numbers."""

    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, 49 x 59): the share of each pattern in each region."""
        regions = region_of(faces.size, faces.images.shape[2])
        return np.stack([histograms(codes(image), regions) for image in faces.images.numpy()])


def codes(image: np.ndarray) -> np.ndarray:
    """The pattern at each pixel of uint8 (H, W): int64 (H, W), 0 to 58."""
    return local_binary_pattern(image, P=8, R=1, method="nri_uniform").astype(np.int64)


def region_of(height: int, width: int) -> np.ndarray:
    """Which of the 49 regions each pixel lies in: int64 (H, W)."""
    row, column = (np.arange(n) * GRID // n for n in (height, width))
    return row[:, None] * GRID + column


def histograms(patterns: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Share of each pattern in each region, flat: float32 (49 x 59,)."""
    cells = regions * PATTERNS + patterns
    counts = np.bincount(cells.ravel(), minlength=GRID**2 * PATTERNS).reshape(-1, PATTERNS)
    return (counts / counts.sum(1, keepdims=True)).astype(np.float32).ravel()
