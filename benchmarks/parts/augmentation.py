"""Batched augmentation beside torchvision's transforms of one PIL image after the other.

Both make the network's input, float32 (N, 1, H, W), from decoded faces by the same recipe.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from PIL import Image
from torchvision import transforms as classic
from torchvision.transforms import v2

from fercourse.augment import COURSE, ROTATIONS, augment
from fercourse.preprocess import MEAN, STD
from fercourse.runs.performance import Ratio
from parts.setting import Setting

PART = "augmentation"
BILINEAR = classic.InterpolationMode.BILINEAR


def measure(s: Setting) -> list[Ratio]:
    """The paper's recipe and the course's, each in two ways of torchvision's."""
    images = s.faces(2 * s.batch)
    pictures = [Image.fromarray(image.numpy()) for image in images.cpu()]
    generator = torch.Generator().manual_seed(0)
    found = []
    for recipe in ("paper", "course"):
        paths = {
            f"the {recipe}'s recipe, a batch at a time": partial(
                augment, images, recipe, generator
            ),
            "torchvision.transforms, PIL": partial(stacked, per_image(classic, recipe), pictures),
            "torchvision.transforms.v2, PIL": partial(stacked, per_image(v2, recipe), pictures),
        }
        found += s.ratios(PART, paths, "faces", len(images))
    return found


def per_image(t, recipe: str) -> Callable[[Image.Image], torch.Tensor]:
    """The recipe as torchvision users write it; ``t`` is torchvision.transforms or its v2."""
    if t is v2:
        to_tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
    else:
        to_tensor = [classic.ToTensor()]
    to_input = [*to_tensor, t.Normalize([MEAN], [STD])]
    if recipe == "paper":
        turns = [t.RandomRotation((angle, angle), BILINEAR) for angle in ROTATIONS]
        flips = [t.RandomHorizontalFlip(0), t.RandomHorizontalFlip(1), t.RandomVerticalFlip(1)]
        return t.Compose([t.RandomChoice(turns), t.RandomChoice(flips), *to_input])
    shift, aspect = (COURSE.shift, COURSE.shift), (1 / COURSE.aspect, COURSE.aspect)
    return t.Compose(
        [
            t.RandomHorizontalFlip(COURSE.flip),
            t.RandomAffine(COURSE.rotation, shift, COURSE.scale, interpolation=BILINEAR),
            t.ColorJitter(COURSE.brightness, COURSE.contrast),
            *to_input,
            t.RandomErasing(COURSE.erase, COURSE.area, aspect),
        ]
    )


def stacked(transform: Callable, pictures: list[Image.Image]) -> torch.Tensor:
    return torch.stack([transform(picture) for picture in pictures])
