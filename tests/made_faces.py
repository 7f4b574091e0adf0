"""Faces for tests: cheap to make, and learnable (the class is where the bright bar is)."""

import numpy as np
import torch

from fercourse.datasets.faces import FaceDataset, Faces, held_out


def bars(n: int, seed: int = 0, size: int = 32) -> Faces:
    """n noisy images; a class k face has a bright bar at height k / 7."""
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 7, (n,), generator=g)
    images = torch.randint(60, 120, (n, size, size), generator=g, dtype=torch.uint8)
    for i, k in enumerate(labels.tolist()):
        top = k * size // 7
        images[i, top : top + size // 8] += 100
    subjects = np.array([f"S{i % 9:03d}" for i in range(n)])
    return Faces(images, labels, subjects, np.array([f"{seed}-{i}" for i in range(n)]))


def bar_dataset(n: int = 96) -> FaceDataset:
    """Three splits of :func:`bars`."""
    return FaceDataset(
        bars(n, 1), bars(n // 2, 2), held_out(bars(n // 2, 3)), "synthetic", "f" * 64
    )
