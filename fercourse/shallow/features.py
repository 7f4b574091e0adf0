"""What every hand-made description of a face is: something that turns faces into vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Self, TypeVar

import numpy as np
from torch.utils.weak import WeakTensorKeyDictionary

from fercourse.datasets.faces import Faces

Found = TypeVar("Found")


class Features:
    """Faces to vectors, in two steps as scikit-learn has them: fit, then transform.

    Most features learn nothing: their :meth:`fit` does nothing.
    """

    def fit(self, faces: Faces) -> Self:
        """Learn what there is to learn from the training split, which may be nothing."""
        return self

    def transform(self, faces: Faces) -> np.ndarray:
        """float32 (N, D), one vector a face.

        Raises:
            FercourseError: These faces lack what the features are made from.
        """
        raise NotImplementedError(f"{type(self).__name__} has no transform.")


def remembered(describe: Callable[[Faces], Found]) -> Callable[[Faces], Found]:
    """Keep what is found of some faces as long as they are there.

    For what takes minutes and no seed changes.
    """
    kept = WeakTensorKeyDictionary()

    @wraps(describe)
    def recall(faces: Faces) -> Found:
        known = kept.get(faces.images)
        # The same pictures without the drawing behind them are photographs, as it were.
        if known is None or known[0] is not faces.drawing:
            known = kept[faces.images] = faces.drawing, describe(faces)
        return known[1]

    return recall
