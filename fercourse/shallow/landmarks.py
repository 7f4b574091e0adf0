"""In the spirit of Barman and Dutta [8]: a face as distances and triangles between landmarks."""

from __future__ import annotations

from itertools import combinations
from typing import Self

import numpy as np
from scipy.spatial import Delaunay
from scipy.stats import kurtosis, skew

from fercourse.datasets.faces import Faces
from fercourse.shallow.features import Features, remembered

BINS = 16
"""Of the histogram whose entropy is one of the statistics."""


class LandmarkShape(Features):
    """Distance signature, shape signature, and five statistics of each.

    Drawn faces give their painter's exact landmarks, all 42 of them: an upper bound, since nobody
    has to find them. Photographs give the five that MTCNN finds: a handicap, as brows, lids and
    lips are not among them.

    Attributes:
        triangles: int64 (T, 3), which landmarks each triangle joins, once fitted.
    """

    def fit(self, faces: Faces) -> Self:
        """Lay the triangles: Delaunay's, of the mean training face."""
        points = upright(landmarks(faces))
        mean = points.mean(0)
        self.triangles = Delaunay(mean).simplices
        turned = shapes(mean[None], self.triangles)[0] < 0  # Delaunay goes round either way
        self.triangles[turned] = self.triangles[turned][:, ::-1]
        return self

    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, L (L - 1) / 2 + T + 10)."""
        points = upright(landmarks(faces))  # (N, L, 2)
        signatures = [distances(points), shapes(points, self.triangles)]
        parts = [*signatures, *(statistics(s) for s in signatures)]
        return np.concatenate(parts, 1).astype(np.float32)


@remembered
def landmarks(faces: Faces) -> np.ndarray:
    """float64 (N, L, 2), x and y in pixels: 42 of drawn faces, five of photographs."""
    if faces.drawing is not None:
        return faces.drawing.points().double().numpy()
    from fercourse.detection.last_stage import five_landmarks

    return five_landmarks(faces.images).double().numpy()


def upright(points: np.ndarray) -> np.ndarray:
    """Landmarks (N, L, 2) without place and size: middle 0, mean distance from it 1."""
    centred = points - points.mean(1, keepdims=True)
    size = np.linalg.norm(centred, axis=2).mean(1)
    return centred / size[:, None, None].clip(1e-6)


def distances(points: np.ndarray) -> np.ndarray:
    """Between every two landmarks: (N, L, 2) -> (N, L (L - 1) / 2)."""
    first, second = np.array(list(combinations(range(points.shape[1]), 2))).T
    return np.linalg.norm(points[:, first] - points[:, second], axis=2)


def shapes(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How near each triangle is to an equilateral one: (N, L, 2) -> (N, T), 1 at most.

    Twice the root of twelve times the area over the sum of the squared sides: 0 where the corners
    lie on one line, negative where they go round the other way.
    """
    a, b, c = (points[:, triangles[:, k]] for k in range(3))  # (N, T, 2) each
    u, v = b - a, c - a
    twice_area = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    sides = ((b - a) ** 2 + (c - b) ** 2 + (a - c) ** 2).sum(2)
    return 2 * np.sqrt(3) * twice_area / sides.clip(1e-9)


def statistics(signature: np.ndarray) -> np.ndarray:
    """Range, second moment, skewness, kurtosis and entropy of each row: (N, M) -> (N, 5)."""
    low, high = signature.min(1), signature.max(1)
    share = (signature - low[:, None]) / (high - low)[:, None].clip(1e-9)
    at = (share * BINS).astype(int).clip(0, BINS - 1)
    counts = np.stack([(at == k).mean(1) for k in range(BINS)], 1)  # (N, BINS)
    entropy = -(counts * np.log(counts, where=counts > 0, out=np.zeros_like(counts))).sum(1)
    columns = (high - low, signature.var(1), skew(signature, axis=1), kurtosis(signature, axis=1))
    return np.stack([*columns, entropy], 1)
