"""Maps that any map has to beat: blind ones, the face's own edges, networks that learnt nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.datasets.faces import Faces
from fercourse.explain.gradcam import gradcam
from fercourse.explain.maps import maps
from fercourse.models.fernet import FERNet

BASELINES = ("random", "centre", "mean-face edges", "own edges")
UNTRAINED = ("untrained C2", "untrained C3", "untrained Grad-CAM")

_BLUR = torch.tensor([1.0, 4, 6, 4, 1]) / 16  # binomial, standard deviation 1


def baselines(faces: Faces, reference: Faces, seed: int = 0) -> dict[str, Tensor]:
    """For N faces of H x W pixels four maps (N, H, W), float32, >= 0; the last one sees the face.

    Args:
        faces: Those to be explained.
        reference: Those whose mean face is taken, usually ``dataset.train``.
        seed: Of the random map.

    Returns:
        ``random``: each pixel uniform in [0, 1); ``centre``: a Gaussian around the middle, its
        standard deviation a quarter of the side; ``mean-face edges``: the gradient's length of
        the mean face (Sobel), so, where any face has eyes, brows and a mouth; ``own edges``: the
        same of the face itself, blurred by a pixel.
    """
    n, height, width = faces.images.shape
    noise = torch.rand(n, height, width, generator=torch.Generator().manual_seed(seed))
    y = torch.linspace(-1, 1, height)[:, None]
    x = torch.linspace(-1, 1, width)[None]
    centre = torch.exp(-(x**2 + y**2) / (2 * 0.5**2))  # (H, W)
    mean = reference.images.float().mean(0)[None]  # (1, H, W)
    blurred = edges(faces.images.float())[:, None]
    for kernel in (_BLUR[:, None], _BLUR[None]):
        pad = (kernel.shape[1] // 2,) * 2 + (kernel.shape[0] // 2,) * 2
        blurred = F.conv2d(F.pad(blurred, pad, "replicate"), kernel[None, None])
    found = (noise, centre.expand(n, -1, -1), edges(mean).expand(n, -1, -1), blurred[:, 0])
    return dict(zip(BASELINES, found, strict=True))


def edges(images: Tensor) -> Tensor:
    """The gradient's length by Sobel's kernels: float (N, H, W) in and out."""
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    kernels = torch.stack((sobel, sobel.T))[:, None]  # (2, 1, 3, 3)
    return F.conv2d(F.pad(images[:, None], (1, 1, 1, 1), "replicate"), kernels).norm(dim=1)


def untrained(faces: Faces, width: float, seed: int) -> dict[str, Tensor]:
    """Maps of a plain VGG16 (model 1) that learnt nothing: by :data:`UNTRAINED`, (N, H, W).

    What such a map finds, the architecture finds in the picture; only what lies above it was
    learnt.

    Args:
        faces: Those to be explained.
        width: Of the network that is put to the test.
        seed: Of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        newborn = FERNet(ModelConfig.table1(1, width=width)).eval()
    found = maps(newborn, faces)
    heats = (found["before2"], found["before3"], gradcam(newborn, faces))
    return dict(zip(UNTRAINED, heats, strict=True))
