"""From light to grey levels: tone curve, contrast, blur, grain and the loss of JPEG."""

import math

import torch
from torch import Tensor

from fercourse.datasets.synthetic.canvas import steps
from fercourse.datasets.synthetic.random import uniform


def develop(picture: Tensor, index: Tensor, seed: int, difficulty: float) -> Tensor:
    """Grey levels uint8 (N, H, W) from linear light (N, H, W)."""
    n, size = len(picture), picture.shape[-1]
    u = uniform(seed, "film", index, 6)[:, :, None, None]
    grey = picture.clamp(min=1e-4) ** (0.5 + 0.16 * difficulty * (u[:, 0] - 0.5))
    contrast = (0.30 + 1.4 * difficulty * (u[:, 1] - 0.5)).exp()
    grey = (grey - 0.5) * contrast + 0.54 + 0.7 * difficulty * (u[:, 2] - 0.5)
    sigma = difficulty * u[:, 3, :, 0] ** 3 * 1.6 * size / 48
    grey = _blur(grey, sigma, max(1, math.ceil(2.5 * difficulty * 1.6 * size / 48)))
    if difficulty > 0:
        bits = uniform(seed, "grain", index, size * size).view(n, size, size)
        grey = grey + 0.12 * difficulty * u[:, 4] ** 4 * (bits - 0.5) * 3.46
    grey = _jpeg(255 * grey.clamp(0, 1), 100 - 60 * difficulty * u[:, 5, 0, 0])
    return grey.clamp(0, 255).round().to(torch.uint8)


def _blur(picture: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Each picture (N, H, W) by its own Gaussian, ``sigma`` (N, 1) in pixels."""
    n = len(picture)
    taps = torch.arange(-reach, reach + 1, device=picture.device)
    weights = (-0.5 * (taps / sigma.clamp(min=0.05)) ** 2).exp()
    weights = (weights / weights.sum(1, keepdim=True))[:, None]  # (N, 1, K)
    padded = torch.nn.functional.pad(picture[None], (reach,) * 4, mode="replicate")
    once = torch.nn.functional.conv2d(padded, weights[:, :, None], groups=n)
    return torch.nn.functional.conv2d(once, weights[..., None], groups=n)[0]


# Quantisation of luminance, ITU-T T.81 (JPEG), annex K, table K.1.
_TABLE = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def _jpeg(picture: Tensor, quality: Tensor) -> Tensor:
    """The loss of JPEG: 8 x 8 cosine transforms, rounded. (N, H, W), ``quality`` (N,)."""
    n, h, w = picture.shape
    k = steps(8, picture.device)
    dct = ((2 * k + 1) * k[:, None] * math.pi / 16).cos() / 2
    dct[0] /= math.sqrt(2)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)  # as libjpeg's
    step = (_TABLE.to(picture) * scale[:, None, None]).clamp(min=1).view(n, 1, 1, 8, 8)
    padded = torch.nn.functional.pad(
        picture[:, None] - 128, (0, -w % 8, 0, -h % 8), mode="replicate"
    )[:, 0]
    blocks = padded.unflatten(1, (-1, 8)).unflatten(3, (-1, 8)).transpose(2, 3)  # (N, h, w, 8, 8)
    blocks = dct.T @ ((dct @ blocks @ dct.T / step).round() * step) @ dct
    return blocks.transpose(2, 3).flatten(3, 4).flatten(1, 2)[:, :h, :w] + 128
