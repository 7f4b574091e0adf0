"""A data set with every image cut to its face, as the paper does before training (section 3.1)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from fercourse.datasets.base import FaceDataset, Faces
from fercourse.datasets.cache import cache_folder
from fercourse.files import whole_file


def crop_dataset(data: FaceDataset, size: int) -> FaceDataset:
    """Every split through MTCNN; the boxes are kept in the cache, the search being slow.

    Images in which no face is found are used whole; the report's notes say how many.
    """
    from fercourse.faces import cut_faces

    splits, missed = {}, 0
    for name, faces in data.splits.items():
        boxes, found = _boxes(faces)
        splits[name] = cut_faces(faces, boxes, size)
        missed += int((~found).sum())
    total = sum(map(len, splits.values()))
    note = f"MTCNN found no face in {missed:,} of {total:,} images, which are used whole."
    report = data.report and replace(data.report, notes=(*data.report.notes, note))
    return replace(data, **splits, report=report)


def _boxes(faces: Faces) -> tuple[Tensor, Tensor]:
    """Boxes float32 (N, 4) and found bool (N,), from the cache or by search."""
    from fercourse.faces import find_boxes

    name = hashlib.sha256(faces.images.numpy().tobytes()).hexdigest()[:32]
    path = cache_folder() / f"boxes-{name}.npy"
    try:
        stored = torch.from_numpy(np.load(path, allow_pickle=False))  # (N, 5)
        return stored[:, :4], stored[:, 4] > 0
    except (OSError, ValueError, EOFError):
        boxes, found = find_boxes(faces)
    with suppress(OSError), whole_file(path) as part, open(part, "wb") as file:
        np.save(file, torch.cat((boxes, found[:, None].float()), 1).numpy())
    return boxes, found
