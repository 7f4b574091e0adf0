"""A data set of drawn faces, split by subject."""

import hashlib

import numpy as np
import torch

from fercourse.datasets.base import FaceDataset, Faces, held_out
from fercourse.datasets.synthetic.random import uniform
from fercourse.datasets.synthetic.render import render
from fercourse.datasets.synthetic.units import PROTOTYPES, UNITS
from fercourse.errors import FercourseError
from fercourse.labels import BASIC

PER_SUBJECT = 7  # faces: each subject shows each of the seven expressions once


def dataset(
    size: int = 48, count: int = 4000, seed: int = 0, difficulty: float = 0.5
) -> FaceDataset:
    """Drawn faces with labels, subjects and a mask per action unit.

    Args:
        size: Side of the images, pixels, at least 32.
        count: Faces in all three splits together, at least 21.
        seed: Non-negative; another seed has other subjects.
        difficulty: In [0, 1]: how strong pose, light, noise and occlusion are.

    Returns:
        Splits of about 70, 15 and 15 %, no subject in two of them. ``Faces.masks`` has bit k set
        where ``UNITS[k]`` acts.

    Raises:
        FercourseError: An argument is out of its range.
    """
    _check(size, count, seed, difficulty)
    index = torch.arange(count)
    labels, subject = index % PER_SUBJECT, index // PER_SUBJECT
    identity = seed * 1_000_000 + subject
    prototype = torch.zeros(len(BASIC), len(UNITS))
    for expression in BASIC:
        for unit in PROTOTYPES[expression]:
            prototype[expression, UNITS.index(unit)] = 1
    strength = 0.3 + 0.7 * uniform(seed, "intensity", index, len(UNITS))
    parts = [
        render(units, who, rows, seed, size, difficulty)
        for units, who, rows in zip(
            (prototype[labels] * strength).split(256),
            identity.split(256),
            index.split(256),
            strict=True,
        )
    ]
    faces = Faces(
        images=torch.cat([images for images, _ in parts]),
        labels=labels,
        subjects=np.array([str(int(i)) for i in identity]),
        ids=np.array([f"{seed}-{int(i)}" for i in index]),
        masks=torch.cat([masks for _, masks in parts]),
    )
    people = int(subject[-1]) + 1
    place = uniform(seed, "split", torch.arange(people), 1)[:, 0].argsort().argsort()[subject]
    held = max(1, round(0.15 * people))
    digest = hashlib.sha256(faces.images.numpy().tobytes() + labels.numpy().tobytes())
    return FaceDataset(
        train=faces[place >= 2 * held],
        val=faces[(place >= held) & (place < 2 * held)],
        test=held_out(faces[place < held]),
        name="synthetic",
        fingerprint=digest.hexdigest()[:16],
    )


def _check(size: int, count: int, seed: int, difficulty: float) -> None:
    if size < 32:
        raise FercourseError(f"size must be at least 32 pixels, not {size}.")
    if count < 3 * PER_SUBJECT:
        raise FercourseError(f"count must be at least {3 * PER_SUBJECT} faces, not {count}.")
    if seed < 0:
        raise FercourseError(f"seed must not be negative: {seed}.")
    if not 0 <= difficulty <= 1:
        raise FercourseError(f"difficulty must be in [0, 1], not {difficulty}.")
