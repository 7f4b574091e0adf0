"""Eigenfaces: a face as a sum of a few typical ones (M. Turk and A. Pentland, 1991; PCA [5])."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.decomposition import PCA

from fercourse.datasets.faces import Faces
from fercourse.shallow.features import Features

COMPONENTS = 128


class Eigenfaces(Features):
    """Principal components of pixels, each face first brought to mean 0 and deviation 1.

    Attributes:
        pca: Of scikit-learn, once fitted; ``pca.components_`` (K, H W) are the eigenfaces.
    """

    def fit(self, faces: Faces) -> Self:
        """Find the directions in which training faces vary most."""
        pixels = standardised(faces)
        count = min(COMPONENTS, len(pixels) - 1, pixels.shape[1])
        self.pca = PCA(count, whiten=True, svd_solver="covariance_eigh").fit(pixels)
        return self

    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, K): how much of each eigenface is in a face, each of variance 1."""
        return self.pca.transform(standardised(faces))


def standardised(faces: Faces) -> np.ndarray:
    """float32 (N, H W): pixels less the face's own mean, over its own deviation."""
    pixels = faces.images.flatten(1).float().numpy()
    centred = pixels - pixels.mean(1, keepdims=True)
    return centred / centred.std(1, keepdims=True).clip(1e-3)
