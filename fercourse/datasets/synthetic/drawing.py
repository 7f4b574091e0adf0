"""The truth about drawn faces: which pixels each action unit changes, found by drawing them again.

A face and its twin share the person, pose, light, noise and every other unit; only one unit is at
rest in the twin. Where the two pictures differ, that unit is what made the difference.
"""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fercourse.datasets.drawings import PAINTER
from fercourse.datasets.synthetic.regions import ACTIVE
from fercourse.datasets.synthetic.render import Rendered, render
from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.settings import cache_folder

LEVEL = 8
"""Grey levels, of 255, from which a pixel counts as changed. JPEG spreads a change over its 8 x 8
block: of the pixels that change by 4 levels, 18 % differ by less than one before it is applied; of
those that change by 8, 7 % (60 faces of difficulty 0.5)."""

_WORTH_KEEPING = 1000  # faces from which masks are kept on disk: some seconds' work


@dataclass(frozen=True)
class Drawing:
    """How N faces were drawn: all it takes to draw them again with some units at rest.

    Attributes:
        units: float64 (N, U, 2), intensity of each of ``UNITS`` on either side.
        identity: int64 (N,), who is drawn.
        index: int64 (N,), which with ``seed`` decides pose, light and noise.
        seed: Of the data set.
        size: Side of the pictures as they are drawn, pixels.
        difficulty: In [0, 1].
        margin: Room around the face, in [0, 1].
        boxes: float32 (N, 4), where the pictures were cut afterwards, to ``cut_size``; None: not.
        cut_size: Side of the cut pictures, pixels.
        cut_margin: Room left around the boxes.
    """

    units: Tensor
    identity: Tensor
    index: Tensor
    seed: int
    size: int
    difficulty: float
    margin: float = 0.0
    boxes: Tensor | None = None
    cut_size: int = 0
    cut_margin: float = 0.0

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: Tensor) -> Drawing:
        """The faces at an index array or a slice, in that order."""
        return replace(
            self,
            units=self.units[rows],
            identity=self.identity[rows],
            index=self.index[rows],
            boxes=None if self.boxes is None else self.boxes[rows],
        )

    def acting(self) -> Tensor:
        """Which units act: bool (N, U)."""
        return self.units.amax(2) > ACTIVE

    def at_rest(self, resting: Tensor) -> Tensor:
        """The same pictures with some units at rest: bool (N, U) -> uint8 (N, H, W)."""
        calm = replace(self, units=torch.where(resting[..., None], 0.0, self.units))
        return calm._cut(calm.render().images)

    def changes(self, images: Tensor) -> Tensor:
        """By how much each unit changes each pixel: uint8 (N, U, H, W), grey levels.

        Args:
            images: uint8 (N, H, W), the pictures themselves.
        """
        face, unit = self.acting().nonzero(as_tuple=True)  # (P,) each
        one = torch.zeros(len(face), self.units.shape[1], dtype=torch.bool)
        one[torch.arange(len(face)), unit] = True
        twins = self[face].at_rest(one) if len(face) else images[:0]  # (P, H, W)
        found = images.new_zeros(len(self), self.units.shape[1], *images.shape[1:])
        found[face, unit] = (images[face].int() - twins.int()).abs().to(torch.uint8)
        return found

    def masks(self, images: Tensor, level: int = LEVEL) -> Tensor:
        """Bit k set where ``UNITS[k]`` changes a pixel by ``level`` or more: int32 (N, H, W).

        About five pictures are drawn for one face's masks. Those of a large set are kept in the
        cache.

        Args:
            images: uint8 (N, H, W), the pictures themselves.
            level: Grey levels, from 1.
        """
        if len(self) >= _WORTH_KEEPING:
            path = cache_folder() / f"masks-{self._name(images, level)}.npz"
            with (
                suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile),
                np.load(path, allow_pickle=False) as stored,
            ):
                return torch.from_numpy(stored["masks"])
            masks = self._masks(images, level)
            with suppress(OSError), atomic_write(path) as part, open(part, "wb") as file:
                np.savez_compressed(file, masks=masks.numpy())
            return masks
        return self._masks(images, level)

    def regions(self) -> Tensor:
        """Bit k set in the ellipses that hold all ``UNITS[k]`` could move: int32 (N, H, W)."""
        drawn = self.render(regions=True).regions
        assert drawn is not None
        return self._cut(drawn)

    def points(self) -> Tensor:
        """All landmarks, x and y in pixels of the pictures: float32 (N, 42, 2).

        Raises:
            FercourseError: The pictures were cut afterwards, which landmarks do not follow.
        """
        if self.boxes is not None:
            raise FercourseError(
                "landmarks are those of the whole drawn pictures, and these were cut: take them "
                "before cutting."
            )
        return self.render().points

    def _masks(self, images: Tensor, level: int) -> Tensor:
        found = torch.zeros(images.shape, dtype=torch.int32)
        step = max(1, 64 * 48**2 // images.shape[1] ** 2)
        for start in range(0, len(self), step):
            rows = torch.arange(start, min(start + step, len(self)))
            changed = self[rows].changes(images[rows]) >= level  # (n, U, H, W)
            bits = torch.ones((), dtype=torch.int32) << torch.arange(changed.shape[1])
            found[rows] = (changed * bits.int()[:, None, None]).sum(1, dtype=torch.int32)
        return found

    def _cut(self, pictures: Tensor) -> Tensor:
        if self.boxes is None:
            return pictures
        from fercourse.datasets.cropped import cut

        return cut(pictures, self.boxes, self.cut_size, self.cut_margin)

    def render(self, regions: bool = False) -> Rendered:
        """Draw the pictures, uncut; ``regions`` as for :func:`render`."""
        return render(
            self.units,
            self.identity,
            self.index,
            self.seed,
            self.size,
            self.difficulty,
            self.margin,
            regions=regions,
        )

    def _name(self, images: Tensor, level: int) -> str:
        digest = hashlib.sha256(f"{PAINTER} {level} {self.seed} {self.difficulty}".encode())
        for part in (images, self.units, self.identity, self.index):
            digest.update(part.contiguous().numpy().tobytes())
        return digest.hexdigest()[:32]
