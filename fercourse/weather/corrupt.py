"""Every corruption by name, at five severities; the same for every model."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.weather.blur import defocus, motion
from fercourse.weather.camera import low_light, noise
from fercourse.weather.cover import cover
from fercourse.weather.fog import fog
from fercourse.weather.jpeg import jpeg

SEVERITIES = (1, 2, 3, 4, 5)

_AT_ONCE = 512
"""Faces: each such piece draws from a seed of its own, which bounds memory."""


@dataclass(frozen=True)
class Corruption:
    """A kind of bad weather.

    Attributes:
        name: "fog".
        title: For figures.
        apply: float faces (N, 1, H, W) in [0, 1], a strength and a generator on the CPU to faces.
        strengths: Of the five severities, what ``apply`` takes.
        meaning: Of a strength.
    """

    name: str
    title: str
    apply: Callable[[Tensor, float, torch.Generator], Tensor]
    strengths: tuple[float, float, float, float, float]
    meaning: str


CORRUPTIONS: dict[str, Corruption] = {
    made.name: made
    for made in (
        Corruption("fog", "fog", fog, (0.5, 0.9, 1.4, 2.0, 2.8), "density"),
        Corruption("low_light", "low light", low_light, (1.5, 2.0, 2.6, 3.3, 4.2), "gamma"),
        Corruption("defocus", "defocus", defocus, (0.02, 0.03, 0.04, 0.055, 0.07), "disc's radius"),
        Corruption("motion", "motion", motion, (0.08, 0.12, 0.16, 0.22, 0.28), "line's length"),
        Corruption("jpeg", "JPEG", jpeg, (25, 18, 15, 10, 7), "quality"),
        Corruption("noise", "noise", noise, (0.08, 0.12, 0.18, 0.26, 0.38), "deviation"),
        Corruption("cover", "occlusion", cover, (0.04, 0.09, 0.16, 0.25, 0.36), "hidden share"),
    )
}
"""By name. JPEG and noise have ImageNet-C's own strengths. Lengths are shares of the face's side:
a severity means the same at 48 and at 224 pixels. ImageNet-C has no low light and no occlusion."""


@torch.no_grad()
def corrupt(images: Tensor, name: str, severity: int, seed: int = 0) -> Tensor:
    """Faces in bad weather.

    The n-th face of a set meets the same field of fog, the same photons and the same direction each
    time, whatever model is asked, and at every severity: only the strength changes.

    Args:
        images: uint8 (N, H, W).
        name: One of :data:`CORRUPTIONS`.
        severity: 1 to 5.
        seed: Of all that is left to chance.

    Returns:
        uint8 (N, H, W), on the images' device.

    Raises:
        FercourseError: There is no such corruption or severity, or the images are of another kind.
    """
    if name not in CORRUPTIONS:
        raise FercourseError(
            f"There is no corruption {name!r}; use one of {', '.join(CORRUPTIONS)}."
        )
    if severity not in SEVERITIES:
        raise FercourseError(f"A severity is 1, 2, 3, 4 or 5, not {severity}.")
    if images.dtype != torch.uint8 or images.ndim != 3:
        raise FercourseError(
            f"images must be uint8 (N, H, W), not {images.dtype} {tuple(images.shape)}."
        )
    kind = CORRUPTIONS[name]
    strength = kind.strengths[severity - 1]
    done = torch.empty_like(images)
    for k, part in enumerate(images.split(_AT_ONCE)):
        generator = torch.Generator().manual_seed(zlib.crc32(f"{name} {seed} {k}".encode()))
        x = part[:, None].float() / 255  # (n, 1, H, W)
        worse = kind.apply(x, strength, generator)
        done[k * _AT_ONCE : k * _AT_ONCE + len(part)] = (255 * worse).round().byte()[:, 0]
    return done
