"""What is done to a face before a network reads it, in the hope that weather goes away."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.weather.dehaze import dehaze

MEAN, DEVIATION = 0.507, 0.255
"""Grey values of FER2013's training faces: where :func:`standardise` brings every face."""


def standardise(x: Tensor) -> Tensor:
    """The plain baseline: every face to the same mean and deviation.

    Args:
        x: float (N, 1, H, W) in [0, 1].
    """
    deviation, mean = torch.std_mean(x, (1, 2, 3), correction=0, keepdim=True)
    return ((x - mean) / deviation.clamp_min(1e-3) * DEVIATION + MEAN).clamp(0, 1)


def gamma(x: Tensor) -> Tensor:
    """The power of each face's own that brings its mean to mid-grey: ``mean ** g = 1/2``.

    Args:
        x: float (N, 1, H, W) in [0, 1].
    """
    mean = x.mean((1, 2, 3), keepdim=True).clamp(0.01, 0.99)
    return x.clamp(0, 1) ** (torch.log(torch.tensor(0.5)) / mean.log())


def clahe(x: Tensor) -> Tensor:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld, 1994), by OpenCV: 4 x 4 tiles.

    Args:
        x: float (N, 1, H, W) in [0, 1].

    Raises:
        FercourseError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise FercourseError(
            f"CLAHE needs OpenCV: run `make setup`, or `pip install 'fercourse[video]'` ({error})."
        ) from error
    equalise = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4))
    grey = (255 * x[:, 0]).round().byte().cpu().numpy()
    done = torch.stack([torch.from_numpy(equalise.apply(face)) for face in grey])
    return done[:, None].to(x) / 255


CURES: dict[str, Callable[[Tensor], Tensor]] = {
    "standardise": standardise,
    "gamma": gamma,
    "clahe": clahe,
    "dehaze": dehaze,
}
"""By name: float faces (N, 1, H, W) in [0, 1] to the same."""


@torch.no_grad()
def cure(images: Tensor, name: str) -> Tensor:
    """Faces after a cure.

    Args:
        images: uint8 (N, H, W).
        name: One of :data:`CURES`, or "none".

    Returns:
        uint8 (N, H, W).

    Raises:
        FercourseError: There is no such cure.
    """
    if name == "none":
        return images
    if name not in CURES:
        raise FercourseError(f"There is no cure {name!r}; use none, {', '.join(CURES)}.")
    parts = [CURES[name](part[:, None].float() / 255) for part in images.split(512)]
    return (255 * torch.cat(parts)).round().byte()[:, 0]
