"""Which copy of a data set is this? A digest for equality, figures for what was done to it.

Copies of FER2013 in circulation are blurred by resizing, histogram-equalised, cut short or
augmented, and a model's accuracy on one says nothing about another. Measured on every ninth image
of FER2013, and on what is commonly done to it:

=======================================  =========  ========
copy                                     sharpness  flatness
=======================================  =========  ========
FER2013 itself (JPEG, quality 95)            0.71      0.75
saved again, quality 75                      0.67      0.75
saved again, quality 50                      0.59      0.75
Gaussian blur, sigma 0.3                     0.56      0.75
Gaussian blur, sigma 0.5                     0.34      0.74
to 224 px and back, bilinear                 0.22      0.74
to 224 px and back, bicubic                  0.41      0.74
sharpened                                    2.08      0.76
contrast stretched over the whole range      0.71      0.78
the same, 2 % cut off at either end          0.71      0.81
histogram-equalised                          0.82      0.98
=======================================  =========  ========
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fercourse.images import resize
from fercourse.labels import BASIC

SPLITS = ("train", "val", "test")
SIZE = 48
COUNTS = np.array(
    [
        [3995, 436, 4097, 7215, 4830, 3171, 4965],  # Training
        [467, 56, 496, 895, 653, 415, 607],  # PublicTest
        [491, 55, 528, 879, 594, 416, 626],  # PrivateTest
    ]
)
"""FER2013's images, a row a split, a column a class in label order."""

SHARPNESS = 0.715
FLATNESS = 0.75
"""Medians of FER2013's training images; its other splits differ by less than 0.01."""

_SAMPLE = 4000  # images measured: the median's standard error is then below 0.01


@dataclass(frozen=True)
class Fingerprint:
    """What a copy of FER2013 looks like, and what was done to it.

    Attributes:
        size: (height, width) in pixels.
        sharpness: Median over images of var(Laplacian) / var(grey values); contrast cancels.
        flatness: Median over images of 1 - the largest distance between the distribution of grey
            values and the uniform one, in [0, 1]; an equalised image is near 1.
        counts: int (3, 7), images per split and class; None where they were not given.
        findings: One sentence for each way in which the copy is not FER2013; () if it is.
    """

    size: tuple[int, int]
    sharpness: float
    flatness: float
    counts: np.ndarray | None
    findings: tuple[str, ...]


def check(
    images: Tensor | np.ndarray,
    labels: Tensor | np.ndarray | None = None,
    splits: np.ndarray | None = None,
) -> Fingerprint:
    """Compare images, and their counts where labels and splits are given, with FER2013's figures.

    Args:
        images: uint8 (N, H, W), as stored, N at least 1. Give some hundred at least: the figures
            are medians.
        labels: int (N,), values of :class:`fercourse.Expression` below 7.
        splits: str (N,), "train", "val" or "test".
    """
    images = torch.as_tensor(images)
    height, width = images.shape[1:]
    findings = []
    if (height, width) != (SIZE, SIZE):
        findings.append(f"Wrongly sized: {width}x{height} pixels, not {SIZE}x{SIZE}.")
    every = max(1, len(images) // _SAMPLE)
    sample = resize(images[::every], SIZE)
    sharp, flat = sharpness(sample), flatness(sample)
    if sharp < 0.9 * SHARPNESS:
        findings.append(
            f"Blurred (resized or heavily compressed): sharpness {sharp:.2f}, not {SHARPNESS:.2f}."
        )
    elif sharp > 1.3 * SHARPNESS:
        findings.append(f"Sharpened: sharpness {sharp:.2f}, not {SHARPNESS:.2f}.")
    if flat > 0.93:
        findings.append(
            f"Histogram-equalised: flatness of the grey values {flat:.2f}, not {FLATNESS:.2f}."
        )
    elif abs(flat - FLATNESS) > 0.02:
        findings.append(
            f"Contrast changed: flatness of the grey values {flat:.2f}, not {FLATNESS:.2f}."
        )
    counts = None
    if labels is not None and splits is not None:
        counts = count(np.asarray(labels), splits)
        findings += _judge_counts(counts)
    return Fingerprint((height, width), sharp, flat, counts, tuple(findings))


def sharpness(images: Tensor) -> float:
    """Median over images (N, H, W) of the Laplacian's variance in units of the grey values'.

    0 for N images of one grey level each, which are left out otherwise.
    """
    x = images.float()
    variance = x.flatten(1).var(1)  # (N,)
    laplacian = (
        x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * x[:, 1:-1, 1:-1]
    )  # (N, H - 2, W - 2)
    seen = variance > 1
    ratio = laplacian.flatten(1).var(1)[seen] / variance[seen]
    return float(ratio.median()) if len(ratio) else 0.0


def flatness(images: Tensor) -> float:
    """Median over images (N, H, W) of 1 - Kolmogorov's distance to the uniform distribution."""
    values = images.flatten(1).float().sort(dim=1).values / 255  # (N, H * W)
    pixels = values.shape[1]
    uniform = (torch.arange(pixels) + 0.5) / pixels
    return float(1 - (values - uniform).abs().amax(1).median())


def count(labels: np.ndarray, splits: np.ndarray, classes: int = len(BASIC)) -> np.ndarray:
    """Images per split and class: int64 (3, classes)."""
    return np.stack([np.bincount(labels[splits == s], minlength=classes) for s in SPLITS])


def _judge_counts(counts: np.ndarray) -> list[str]:
    """One sentence on what is wrong with the numbers of images, or none."""
    if counts.shape == COUNTS.shape and (counts == COUNTS).all():
        return []
    have, full = int(counts.sum()), int(COUNTS.sum())
    if sorted(map(tuple, counts.T)) == sorted(map(tuple, COUNTS.T)):
        return ["Labels in another order: the classes have each other's counts."]
    if have > full:
        return [f"Augmented or oversampled: {have:,} images, FER2013 has {full:,}."]
    if have < full:
        return [f"Truncated: {have:,} images, FER2013 has {full:,}."]
    if (counts.sum(0) == COUNTS.sum(0)).all():
        return ["Split anew: every class is complete, but not in the contest's splits."]
    return ["Relabelled: the number of images is right, their number per class is not."]


def digest(images: np.ndarray, labels: np.ndarray, splits: np.ndarray) -> str:
    """Hex sha256 of all pixels, labels and splits, whatever order they come in.

    Every image is hashed with its label and split, the hashes are sorted and hashed again: a csv
    and a folder with equal pixels agree.

    Args:
        images: uint8 (N, H, W), as stored, before any resizing.
        labels: int (N,).
        splits: str (N,), "train", "val" or "test".
    """
    height, width = images.shape[1:]
    rows = sorted(
        hashlib.sha256(f"{split} {label} {height}x{width}\n".encode() + image.tobytes()).digest()
        for image, label, split in zip(images, labels.tolist(), splits.tolist(), strict=True)
    )
    return hashlib.sha256(b"".join(rows)).hexdigest()
