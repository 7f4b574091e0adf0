"""Which copy of a data set is this? A digest for equality, figures for what was done to it."""

from __future__ import annotations

import hashlib

import numpy as np


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
