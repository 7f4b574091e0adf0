"""The dark-channel prior (He, Sun, Tang, *Single Image Haze Removal*, CVPR 2009), on grey faces."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

KEPT = 0.95
"""omega: of the haze that is found, the share that is taken away."""

LEAST = 0.1
"""t0: transmission is never taken for less, or noise would be blown up without bound."""


def dehaze(x: Tensor) -> Tensor:
    """Estimate the air's light and the transmission, and solve ``I = J t + A (1 - t)`` for J.

    The prior: somewhere in every patch of a clear picture something is nearly black. What is not
    black there must be haze. In colour the darkest of three planes is taken first; a grey face has
    one, so pale skin passes for haze.

    Args:
        x: float (N, 1, H, W) in [0, 1].

    Returns:
        float (N, 1, H, W) in [0, 1].
    """
    patch = 2 * (x.shape[-1] // 16) + 1  # 7 of 48 pixels, the paper's 15 of its larger pictures
    brightest = max(1, x[0].numel() // 1000)
    dark = _darkest(x, patch)
    places = dark.flatten(1).topk(brightest).indices  # A: the picture where haze is thickest
    air = x.flatten(1).gather(1, places).mean(1).clamp_min(1e-3).view(-1, 1, 1, 1)
    t = 1 - KEPT * _darkest(x / air, patch)
    t = _guided(x, t.clamp(0, 1), 2 * patch + 1).clamp(LEAST, 1)
    return ((x - air) / t + air).clamp(0, 1)


def _darkest(x: Tensor, patch: int) -> Tensor:
    """The least value of each pixel's patch."""
    rows = F.max_pool2d(-x, (patch, 1), 1, (patch // 2, 0))  # a square's rows, then its columns
    return -F.max_pool2d(rows, (1, patch), 1, (0, patch // 2))


def _guided(guide: Tensor, x: Tensor, patch: int, small: float = 1e-3) -> Tensor:
    """The guided filter (He, Sun and Tang, ECCV 2010): ``x`` smoothed, with the guide's edges."""

    def mean(v: Tensor) -> Tensor:
        return F.avg_pool2d(v, patch, 1, patch // 2, count_include_pad=False)

    g, m = mean(guide), mean(x)
    slope = (mean(guide * x) - g * m) / (mean(guide * guide) - g * g + small)
    return mean(slope) * guide + mean(m - slope * g)
