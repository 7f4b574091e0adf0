"""Histograms of oriented gradients: which way edges run, by region (Dalal and Triggs, 2005)."""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage.feature import hog

from fercourse.datasets.faces import Faces
from fercourse.shallow.features import Features

CELLS = 8
"""Regions a side."""


class HOG(Features):
    """Nine directions on 8 x 8 cells, contrast evened out in blocks of 2 x 2: 1,764 numbers."""

    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, 49 x 36)."""
        return np.stack([hog(image, **settings(faces.size)) for image in faces.images.numpy()])


def settings(size: int) -> dict[str, Any]:
    """What scikit-image's ``hog`` is told for faces of so many pixels."""
    cell = max(1, size // CELLS)
    return {
        "orientations": 9,
        "pixels_per_cell": (cell, cell),
        "cells_per_block": (2, 2),
        "block_norm": "L2-Hys",
    }
