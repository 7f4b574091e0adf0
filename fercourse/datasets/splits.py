"""Which image is in which split: the contest's for FER2013, folds for CK+."""

from __future__ import annotations

import numpy as np

from fercourse.errors import FercourseError


def assign_folds(
    labels: np.ndarray, subjects: np.ndarray, folds: int, *, by: str = "subject", seed: int = 0
) -> np.ndarray:
    """Number every image's fold, 0 to folds - 1, with the classes spread evenly.

    Args:
        labels: int (N,).
        subjects: str (N,).
        folds: How many.
        by: "subject" keeps every image of a person in one fold; "random" does not, so that a
            model is tested on people it has seen.
        seed: Of the shuffle.

    Returns:
        int64 (N,).

    Raises:
        FercourseError: There are fewer people, or fewer images of a class, than folds.
    """
    if by not in ("subject", "random"):
        raise FercourseError(f"by must be 'subject' or 'random', not {by!r}.")
    if not 0 <= seed < 2**32:
        raise FercourseError(f"data.seed must be from 0 to 2**32 - 1 to cut folds, not {seed}.")
    people = len(np.unique(subjects))
    rarest = np.bincount(labels)[np.unique(labels)].min()
    if folds > rarest or (by == "subject" and folds > people):
        raise FercourseError(
            f"{people} subjects and {rarest} images of the rarest class cannot be cut into "
            f"{folds} folds; take fewer."
        )
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # a slow import

    kind = StratifiedGroupKFold if by == "subject" else StratifiedKFold
    cutter = kind(n_splits=folds, shuffle=True, random_state=seed)
    groups = subjects if by == "subject" else None
    fold = np.empty(len(labels), dtype=np.int64)
    for k, (_, inside) in enumerate(cutter.split(labels, labels, groups)):
        fold[inside] = k
    return fold


def fold_splits(fold: np.ndarray, test: int, folds: int) -> np.ndarray:
    """Name every image's split, str (N,): fold ``test`` reports, the next selects, the rest train.

    Raises:
        FercourseError: There is no such fold, or fewer than three.
    """
    if folds < 3:
        raise FercourseError(f"folds must be at least 3 (train, val, test), not {folds}.")
    if not 0 <= test < folds:
        raise FercourseError(f"fold must be in 0..{folds - 1}, not {test}.")
    splits = np.full(len(fold), "train")
    splits[fold == (test + 1) % folds] = "val"
    splits[fold == test] = "test"
    return splits
