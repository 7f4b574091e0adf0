"""In the spirit of Agarwal and Mukherjee [9]: motions from rest to peak, as words of a book."""

from __future__ import annotations

import re
from typing import Self

import numpy as np
import torch
from skimage.registration import optical_flow_ilk
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor
from torch.nn import functional as F

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.shallow.features import Features, remembered

WORDS = 64
"""Of the book."""

WINDOW, STEP = 8, 4
"""Pixels of a 48 pixel face: a motion is described in windows, a step apart."""

DIRECTIONS, PLACES = 8, 4
"""Of motion and grey; and a side of the grid on which words are counted."""


class MotionWords(Features):
    """Lucas-Kanade flow from the face at rest, described window by window, counted by word.

    A window's description has the directions of motion and of grey, each a histogram weighted by
    strength. k-means, which ``seed`` starts, makes the book from the training split's windows.

    Attributes:
        book: Of scikit-learn, once fitted; ``book.cluster_centers_`` (64, 16) are the words.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, faces: Faces) -> Self:
        """Make the book."""
        windows = descriptions(faces).flatten(0, 1).numpy()
        book = MiniBatchKMeans(WORDS, batch_size=4096, random_state=self.seed)
        self.book = book.fit(windows)
        return self

    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, 16 x 64): the share of each word at each place."""
        windows = descriptions(faces)  # (N, M, 16)
        side = round(windows.shape[1] ** 0.5)
        words = self.book.predict(windows.flatten(0, 1).numpy())
        counted = F.one_hot(torch.from_numpy(words).long(), WORDS).float()
        grid = counted.view(len(faces), side, side, WORDS).permute(0, 3, 1, 2)
        return F.adaptive_avg_pool2d(grid, PLACES).flatten(1).numpy()


def at_rest(faces: Faces) -> Tensor:
    """The same faces before anything moved: uint8 (N, H, W).

    Drawn faces are drawn once more with every action unit at rest. Of CK+'s original release it is
    the first frame of each recording, which the reader keeps as its neutral face.

    Raises:
        FercourseError: These are stills, of which nobody knows the face at rest.
    """
    if faces.drawing is not None:
        return faces.drawing.at_rest(torch.ones(faces.drawing.units.shape[:2], dtype=torch.bool))
    recordings = [_recording(name) for name in (() if faces.ids is None else faces.ids)]
    neutral = {
        recording: k
        for k, (recording, label) in enumerate(zip(recordings, faces.labels, strict=False))
        if recording and label == Expression.NEUTRAL
    }
    if not recordings or any(name not in neutral for name in recordings):
        raise FercourseError(
            "Motion needs each face at rest as well, and these are stills: take drawn faces, or "
            "CK+'s original release, whose recordings begin at rest (FER2013 and CK+48 have none)."
        )
    return faces.images[[neutral[name] for name in recordings]]


def flow(rest: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """How far each pixel went, down and right: uint8 (H, W) twice -> float32 (2, H, W)."""
    radius = max(2, round(4 * rest.shape[0] / 48))
    return optical_flow_ilk(
        rest / 255, peak / 255, radius=radius, num_warp=5, gaussian=True, dtype=np.float32
    )


@remembered
def descriptions(faces: Faces) -> Tensor:
    """What every window of every face does: float32 (N, M, 16), motion then grey."""
    pairs = zip(at_rest(faces).numpy(), faces.images.numpy(), strict=True)
    moved = torch.from_numpy(np.stack([flow(*pair) for pair in pairs]))  # (N, 2, H, W)
    down, right = torch.gradient(faces.images.float() / 255, dim=(1, 2))
    parts = [oriented(moved), oriented(torch.stack([down, right], 1))]
    scale = faces.size / 48
    window, step = round(WINDOW * scale), round(STEP * scale)
    pooled = F.avg_pool2d(torch.cat(parts, 1), window, step)  # (N, 16, m, m)
    return pooled.flatten(2).transpose(1, 2)


def oriented(vectors: Tensor) -> Tensor:
    """Lengths of vectors (N, 2, H, W), sorted by direction: (N, 8, H, W)."""
    down, right = vectors.unbind(1)
    length = torch.hypot(down, right)
    turn = torch.atan2(down, right) / (2 * torch.pi) % 1  # (N, H, W), in [0, 1)
    sector = (turn * DIRECTIONS).round().long() % DIRECTIONS
    return F.one_hot(sector, DIRECTIONS).permute(0, 3, 1, 2) * length[:, None]


def _recording(name: str) -> str:
    """ "S005_001" of CK+'s "S005_001_00000011"; empty for other names."""
    found = re.match(r"(S\d{3}_\d{3})_\d{8}$", str(name), re.IGNORECASE)
    return found[1].upper() if found else ""
