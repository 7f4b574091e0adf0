"""Three maps that know nothing of the face in hand: what a model's map has to beat."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.datasets.faces import Faces

BASELINES = ("random", "centre", "mean-face edges")


def baselines(faces: Faces, reference: Faces, seed: int = 0) -> dict[str, Tensor]:
    """For N faces of H x W pixels three maps (N, H, W), float32, >= 0.

    Args:
        faces: Those to be explained.
        reference: Those whose mean face is taken, usually ``dataset.train``.
        seed: Of the random map.

    Returns:
        ``random``: each pixel uniform in [0, 1); ``centre``: a Gaussian around the middle, its
        standard deviation a quarter of the side; ``mean-face edges``: the gradient's length of
        the mean face (Sobel), so, where any face has eyes, brows and a mouth.
    """
    n, height, width = faces.images.shape
    noise = torch.rand(n, height, width, generator=torch.Generator().manual_seed(seed))
    y = torch.linspace(-1, 1, height)[:, None]
    x = torch.linspace(-1, 1, width)[None]
    centre = torch.exp(-(x**2 + y**2) / (2 * 0.5**2))  # (H, W)
    mean = reference.images.float().mean(0)[None, None]  # (1, 1, H, W)
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    kernels = torch.stack((sobel, sobel.T))[:, None]  # (2, 1, 3, 3)
    edges = F.conv2d(F.pad(mean, (1, 1, 1, 1), "replicate"), kernels).norm(dim=1)[0]  # (H, W)
    maps = (noise, centre.expand(n, -1, -1), edges.expand(n, -1, -1))
    return dict(zip(BASELINES, maps, strict=True))
