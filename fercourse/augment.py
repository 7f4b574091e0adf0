"""Augmentation on the training device, a batch at a time.

The paper turns every image into fifteen (section 3.1): five rotations, each as it is, flipped
horizontally and flipped vertically. :func:`fifteen_fold` makes that set, :func:`augment` draws
from it, or from the stronger course policy. All geometry is one affine grid and one bilinear
``grid_sample``; pixels beyond the image repeat its border.

Random numbers come from the caller's generator, on the generator's own device. A CPU generator
serves every device: the same seed then draws the same distortions on CPU, CUDA and MPS, and only
a few numbers an image travel.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.preprocess import MEAN, STD, check_images, normalise
from fercourse.weather import CORRUPTIONS, fog

ROTATIONS = (-10.0, -5.0, 0.0, 5.0, 10.0)
"""Degrees, counter-clockwise positive."""

FLIPS = ((1, 1), (-1, 1), (1, -1))
"""Signs of x and y: as is, horizontal flip, vertical flip."""

FIFTEEN = tuple(itertools.product(ROTATIONS, FLIPS))
"""The paper's set; ``fifteen_fold(images)[:, m]`` is made by ``FIFTEEN[m]``."""


@dataclass(frozen=True)
class Policy:
    """Ranges to draw from, uniformly and independently for every image.

    Attributes:
        flip: Probability of a horizontal flip.
        rotation: Largest angle either way, degrees.
        scale: Zoom, smallest and largest; above 1 crops, below 1 repeats the border.
        stretch: Largest width to height ratio, and its inverse the smallest.
        shift: Largest shift either way, share of the image's side.
        brightness: Largest change either way, share of the range from black to white.
        contrast: Largest change either way of the factor around mid-grey.
        erase: Probability that one rectangle is painted mid-grey.
        area: Of that rectangle, share of the image, smallest and largest.
        aspect: Of that rectangle, largest width to height ratio, and its inverse the smallest.
    """

    flip: float = 0.5
    rotation: float = 12.0
    scale: tuple[float, float] = (0.8, 1.2)
    stretch: float = 1.1
    shift: float = 0.12
    brightness: float = 0.15
    contrast: float = 0.25
    erase: float = 0.4
    area: tuple[float, float] = (0.02, 0.2)
    aspect: float = 3.0


COURSE = Policy()
"""Strong: for a hundred epochs and more."""

LIGHT = Policy(
    rotation=8.0,
    scale=(0.9, 1.1),
    stretch=1.05,
    shift=0.06,
    contrast=0.15,
    brightness=0.1,
    erase=0.0,
)
"""For short runs, which the course policy leaves underfitted: 20 epochs with it ended with training
accuracy hardly above validation accuracy (plan "recipe" in the ledger)."""


@torch.no_grad()
def fifteen_fold(images: Tensor, chunk: int = 512) -> Tensor:
    """The paper's set of fifteen for every image (section 3.1).

    All of FER2013's training split makes 1 GB at 48 pixels and 22 GB at 224: training draws
    single members with :func:`augment` instead.

    Args:
        images: uint8 (N, H, W).
        chunk: Images worked on at a time, which bounds the memory needed beside the result.

    Returns:
        uint8 (N, 15, H, W), member m by ``FIFTEEN[m]``; member 6 is the image itself.
    """
    check_images(images)
    n, h, w = images.shape
    result = images.new_empty(n, len(FIFTEEN), h, w)
    for start in range(0, n, chunk):
        part = images[start : start + chunk, None].float()  # (n, 1, H, W)
        for m, (angle, (fx, fy)) in enumerate(FIFTEEN):
            one = part.new_ones(len(part))
            turned = warp(part, angle * one, fx * one, fy * one)
            result[start : start + chunk, m] = turned[:, 0].round_().to(torch.uint8)
    return result


@torch.no_grad()
def augment(
    images: Tensor,
    policy: Literal["none", "paper", "light", "course"] = "course",
    generator: torch.Generator | None = None,
    mirror: bool = True,
) -> Tensor:
    """Distort a batch at random and normalise it.

    Args:
        images: uint8 (N, H, W), on the training device.
        policy: "none" only normalises; "paper" draws one of the fifteen for each image;
            "light" and "course" are :data:`LIGHT` and :data:`COURSE`: flip, rotation, zoom,
            shift, brightness, contrast, and for the latter erasing.
        generator: On the CPU or on the images' device; None is torch's own CPU generator.
        mirror: Let "light" and "course" flip; without, faces come as :func:`alternate` left them.

    Returns:
        float32 (N, 1, H, W) in [-2, 2], on the images' device; equal for equal generator states.
    """
    return _augment(normalise(images), policy, generator, mirror)


@torch.no_grad()
def augment_with_masks(
    images: Tensor,
    masks: Tensor,
    policy: Literal["none", "paper", "light", "course"] = "course",
    generator: torch.Generator | None = None,
    mirror: bool = True,
) -> tuple[Tensor, Tensor]:
    """:func:`augment`, and masks turned and shifted with their faces.

    Args:
        images: As for :func:`augment`.
        masks: uint8 (N, H, W), 0 or 1, or one other number all over a face. What erasing covers
            stays marked.
        policy: As for :func:`augment`.
        generator: As for :func:`augment`, which draws the same distortions from it.
        mirror: As for :func:`augment`.

    Returns:
        float32 (N, 1, H, W), and uint8 (N, H, W).
    """
    both = torch.cat((normalise(images), masks[:, None].float()), 1)  # (N, 2, H, W): one warp
    both = _augment(both, policy, generator, mirror)
    return both[:, :1], both[:, 1].round().to(torch.uint8)


def alternate(images: Tensor, parity: Tensor, epoch: int) -> Tensor:
    """Faces, or their mirror images: each face in turns, an epoch each.

    By chance half of the faces are seen the same way round in two epochs running; in turns, every
    two epochs see both sides of all (Jordan, *94% on CIFAR-10 in 3.29 Seconds on a Single GPU*,
    2024).

    Args:
        images: (N, ..., W).
        parity: int64 (N,), 0 or 1: which way round each face begins.
        epoch: From 0.
    """
    turned = ((parity + epoch) % 2 == 1).view(-1, *[1] * (images.ndim - 1))
    return torch.where(turned, images.flip(-1), images)


def _augment(x: Tensor, policy: str, generator: torch.Generator | None, mirror: bool) -> Tensor:
    if policy == "none":
        return x
    if policy == "paper":
        return _paper(x, generator)
    if policy in ("light", "course"):
        ranges = LIGHT if policy == "light" else COURSE
        return _distort(x, generator, ranges if mirror else replace(ranges, flip=0.0))
    raise FercourseError(f"augment must be one of none, paper, light, course, not {policy!r}.")


def foggy(x: Tensor, share: float, generator: torch.Generator | None = None) -> Tensor:
    """Some faces of a batch in fog of any density up to the thickest severity's.

    Args:
        x: float (N, 1, H, W) in [-2, 2], as :func:`augment` gives it.
        share: Of the faces that stand in fog, in [0, 1].
        generator: As for :func:`augment`.
    """
    chosen, density = _uniform(2, x, generator)
    density = torch.where(chosen < share, CORRUPTIONS["fog"].strengths[-1] * density, 0)
    return (fog(x * STD + MEAN, density, generator) - MEAN) / STD


def mixup_share(alpha: float, generator: torch.Generator | None = None) -> float:
    """The share lambda ~ Beta(alpha, alpha) that :func:`mixup` blends a batch by, in [0, 1].

    Args:
        alpha: Positive; 0.2 blends most batches slightly, 1 uniformly.
        generator: As for :func:`augment`. With a GPU's, the share comes from torch's own CPU
            generator: a number that the host must know would make it wait for the GPU.
    """
    if alpha <= 0:
        raise FercourseError(f"mixup's alpha must be positive, not {alpha}; skip mixup instead.")
    # torch's Beta takes no generator, so it seeds numpy's.
    host = None if generator is not None and generator.device.type != "cpu" else generator
    seed = torch.randint(2**62, (), generator=host)
    return float(np.random.default_rng(int(seed)).beta(alpha, alpha))


def mixup(
    images: Tensor,
    labels: Tensor,
    share: float | Tensor,
    generator: torch.Generator | None = None,
    num_classes: int = 7,
) -> tuple[Tensor, Tensor]:
    """Blend every image, and its target, with another of the batch (Zhang et al. 2018).

    One share serves the whole batch, as in that paper's own code.

    Args:
        images: float (N, ...).
        labels: int64 (N,) class indices, or float (N, K) targets, which may be soft.
        share: Of each image itself, from :func:`mixup_share`; a number, or a scalar tensor on the
            images' device.
        generator: Draws the partners; as for :func:`augment`.
        num_classes: K, where labels are indices.

    Returns:
        Images as given, and float32 (N, K) targets whose rows sum to 1.
    """
    targets = labels if labels.is_floating_point() else F.one_hot(labels, num_classes).float()
    if generator is not None and generator.device.type == "cuda":
        # Unlike randperm, these kernels can be recorded in a CUDA graph.
        partner = torch.rand(len(images), generator=generator, device=generator.device).argsort()
    else:
        partner = torch.randperm(len(images), generator=generator).to(images.device)
    return (
        torch.lerp(images[partner], images, share),
        torch.lerp(targets[partner], targets, share),
    )


def warp(
    x: Tensor,
    angle: Tensor,
    scale_x: Tensor,
    scale_y: Tensor,
    shift_x: Tensor | None = None,
    shift_y: Tensor | None = None,
) -> Tensor:
    """Rotate, then zoom about the centre, then shift each image by its own amount; bilinear.

    Args:
        x: float (N, C, H, W).
        angle: (N,), degrees, counter-clockwise.
        scale_x: (N,), zoom along x; 2 shows the middle half twice as wide, a negative one mirrors.
        scale_y: (N,), zoom along y, likewise.
        shift_x: (N,), to the right, share of the width; None is no shift.
        shift_y: (N,), downwards, share of the height, likewise.

    Returns:
        float (N, C, H, W); where the image does not reach, its border is repeated.
    """
    shift_x, shift_y = (angle.new_zeros(len(x)) if s is None else s for s in (shift_x, shift_y))
    moves = (x, angle, scale_x, scale_y, shift_x, shift_y)
    # A CPU is up to three times faster on pieces of a megapixel than on large batches at once.
    step = max(1, 2**20 // x.shape[2:].numel()) if x.device.type == "cpu" else len(x)
    parts = zip(*(move.split(step) for move in moves), strict=True)
    return torch.cat([_warp(*part) for part in parts])


def _warp(
    x: Tensor, angle: Tensor, scale_x: Tensor, scale_y: Tensor, shift_x: Tensor, shift_y: Tensor
) -> Tensor:
    h, w = x.shape[2:]
    angle = torch.deg2rad(angle)
    cos, sin = angle.cos(), angle.sin()
    shift_x, shift_y = 2 * shift_x, 2 * shift_y  # grid coordinates run from -1 to 1
    # A grid maps output to input positions, so every step is inverted, the last one first.
    # Its unit is half a side: h / w and w / h keep angles right where the sides differ.
    xx, xy = cos / scale_x, -sin / scale_y * (h / w)
    yx, yy = sin / scale_x * (w / h), cos / scale_y
    x0, y0 = -xx * shift_x - xy * shift_y, -yx * shift_x - yy * shift_y
    # The affine grid as a row plus a column: a fifth of the time of F.affine_grid's matrix product
    # on a CPU, and no TF32 or bf16 can round it.
    across, down = _centres(w, x), _centres(h, x)
    grid_x = (xx[:, None] * across)[:, None, :] + (xy[:, None] * down + x0[:, None])[:, :, None]
    grid_y = (yx[:, None] * across)[:, None, :] + (yy[:, None] * down + y0[:, None])[:, :, None]
    # Stopping at the outermost centres is padding_mode="border", which MPS has from torch 2.13 on.
    grid_x.clamp_(-1 + 1 / w, 1 - 1 / w)  # (N, H, W)
    grid_y.clamp_(-1 + 1 / h, 1 - 1 / h)
    grid = torch.stack([grid_x, grid_y], dim=1).permute(0, 2, 3, 1)  # (N, H, W, 2)
    return F.grid_sample(x, grid, align_corners=False)


def _paper(x: Tensor, generator: torch.Generator | None) -> Tensor:
    (u,) = _uniform(1, x, generator)
    return warp(x, *_members(x.device)[(u * len(FIFTEEN)).long()].unbind(1))


@functools.cache
def _members(device: torch.device) -> Tensor:
    """The fifteen as (15, 3), kept: a GPU would wait for a new copy at every step."""
    return torch.tensor([(angle, *flip) for angle, flip in FIFTEEN], device=device)


def _distort(x: Tensor, generator: torch.Generator | None, r: Policy) -> Tensor:
    n, _, h, w = x.shape
    flip, angle, zoom, stretch, dx, dy, light, contrast, erase, area, aspect, left, top = _uniform(
        13, x, generator
    )
    scale = r.scale[0] + (r.scale[1] - r.scale[0]) * zoom
    root = _log_range(stretch, r.stretch).sqrt()  # sqrt(width / height)
    x = warp(
        x,
        angle=r.rotation * _signed(angle),
        scale_x=torch.where(flip < r.flip, -scale, scale) * root,
        scale_y=scale / root,
        shift_x=r.shift * _signed(dx),
        shift_y=r.shift * _signed(dy),
    )

    # Mid-grey is 0 here, so contrast is a plain factor; a camera clips at black and white.
    gain = 1 + r.contrast * _signed(contrast)
    offset = r.brightness / STD * _signed(light)
    face = x[:, :1]  # a view: what follows leaves masks alone
    face.mul_(gain.view(n, 1, 1, 1)).add_(offset.view(n, 1, 1, 1)).clamp_(-MEAN / STD, MEAN / STD)

    # Random erasing (Zhong et al. 2020), filled with mid-grey: rows and columns, then both.
    side = (r.area[0] + (r.area[1] - r.area[0]) * area).sqrt()
    root = _log_range(aspect, r.aspect).sqrt()
    width, height = (side * root).clamp(max=1), (side / root).clamp(max=1)
    width = torch.where(erase < r.erase, width, 0)  # an empty rectangle for the rest
    columns = _inside(_centres(w, x), _signed(left) * (1 - width), width)  # (N, W)
    rows = _inside(_centres(h, x), _signed(top) * (1 - height), height)  # (N, H)
    face.mul_((1 - rows[:, :, None] * columns[:, None, :])[:, None])
    return x


def _centres(pixels: int, x: Tensor) -> Tensor:
    """Where the pixels' centres lie on a side that runs from -1 to 1: float32 (pixels,)."""
    return (2 * torch.arange(pixels, device=x.device) + 1) / pixels - 1


def _inside(centres: Tensor, middle: Tensor, half: Tensor) -> Tensor:
    """float32 (N, pixels): 1 where a centre is less than ``half`` (N,) from ``middle`` (N,)."""
    return ((centres - middle[:, None]).abs() < half[:, None]).float()


def _uniform(rows: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
    """float32 (rows, N) in [0, 1) on x's device, drawn on the generator's device in one go."""
    device = generator.device if generator is not None else "cpu"
    return torch.rand(rows, len(x), generator=generator, device=device).to(x.device)


def _signed(u: Tensor) -> Tensor:
    """[0, 1) to [-1, 1)."""
    return 2 * u - 1


def _log_range(u: Tensor, largest: float) -> Tensor:
    """[0, 1) to [1 / largest, largest), so that wide is as likely as tall."""
    return torch.exp(math.log(largest) * _signed(u))
