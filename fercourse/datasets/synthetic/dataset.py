"""A data set of drawn faces, split by subject."""

import hashlib

import numpy as np
import torch

from fercourse.datasets.faces import FaceDataset, Faces, held_out
from fercourse.datasets.synthetic import checks
from fercourse.datasets.synthetic.drawing import Drawing
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.synthetic.random import uniform
from fercourse.datasets.synthetic.render import render
from fercourse.labels import BASIC

PER_SUBJECT = len(BASIC)  # faces: each subject shows each expression once
PEOPLE = 1_000_000  # subjects set aside for each seed


def dataset(
    size: int = 48,
    count: int = 4000,
    seed: int = 0,
    difficulty: float = 0.5,
    device: str | torch.device = "cpu",
) -> FaceDataset:
    """Drawn faces with labels and subjects, and the pixels that each action unit changes.

    A longer data set begins with the faces of a shorter one; the splits differ.

    Masks are not drawn until ``Faces.masks`` is asked for, which draws each face some five times.

    The same arguments give the same bytes, images and masks, whatever the processor, threads and
    batches: all is calculated in float64 and rounded to grey levels at the end. Two processors'
    exp, cos and sums differ by some 1e-16 of the value, so a value must lie as near to the border
    of two levels to fall on different sides, which among the million million values of thousands
    of faces is not expected to happen. Held by a test on x86-64 with and without AVX2 and AVX-512;
    by the same argument it holds on Arm, where no test of ours has run, and on a GPU. What moves a
    pixel on purpose raises :data:`~fercourse.datasets.drawings.PAINTER`.

    Args:
        size: Side of the images, pixels, from 32 to 1024.
        count: Faces in all three splits together, at least 21.
        seed: From 0 to 2000; another seed has other subjects.
        difficulty: In [0, 1]: how weak and uneven the weakest expressions are, and how strong
            pose, light, blur, noise and occlusion.
        device: Where to draw, which needs float64: not on MPS. The result lies on the CPU.

    Returns:
        Splits of about 70, 15 and 15 %, no subject in two of them. ``Faces.masks`` has bit k set
        where ``UNITS[k]`` changes a pixel. ``Faces.subjects`` are the identities ``draw`` takes.

    Raises:
        FercourseError: An argument is out of its range.
    """
    size = checks.number("size", size, 32, 1024)
    count = checks.number("count", count, 3 * PER_SUBJECT, PEOPLE)
    seed = checks.number("seed", seed, 0, 2000)
    difficulty = checks.share("difficulty", difficulty)
    device = checks.device(device)

    index = torch.arange(count)
    labels, subject = index % PER_SUBJECT, index // PER_SUBJECT
    identity = seed * PEOPLE + subject
    units = intensities(labels, index, seed, difficulty)
    drawn = render(units.to(device), identity.to(device), index.to(device), seed, size, difficulty)
    faces = Faces(
        images=drawn.images.cpu(),
        labels=labels,
        subjects=np.array([str(i) for i in identity.tolist()]),
        ids=np.array([f"{seed}-{i}" for i in index.tolist()]),
        drawing=Drawing(units, identity, index, seed, size, difficulty),
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
