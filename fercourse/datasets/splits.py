"""Which image is in which split: the contest's for FER2013, folds for CK+, or cut by a seed."""

from __future__ import annotations

import numpy as np

from fercourse.errors import FercourseError

CUTS = ("subject", "sequence", "random")
"""What may be kept in one fold: a person, one recording of a person, or nothing at all."""


def kept_together(by: str, subjects: np.ndarray, ids: np.ndarray) -> np.ndarray | None:
    """What of CK+ must not lie in two folds, for :func:`assign_folds`.

    Args:
        by: "subject" keeps every image of a person in one fold. "sequence" keeps the frames of
            one recording in one fold, so that a model is tested on people it has seen, but on no
            near-copy of a training frame. "random" keeps nothing together.
        subjects: str (N,).
        ids: str (N,), a recording's name and the frame: "S005_001_00000011".

    Returns:
        str (N,), one name a group; None for "random".

    Raises:
        FercourseError: There is no such cut.
    """
    if by not in CUTS:
        raise FercourseError(f"by must be one of {', '.join(CUTS)}, not {by!r}.")
    if by == "random":
        return None
    return subjects if by == "subject" else np.array([name.rpartition("_")[0] for name in ids])


def assign_folds(
    labels: np.ndarray, groups: np.ndarray | None, folds: int, *, seed: int = 0
) -> np.ndarray:
    """Number every image's fold, 0 to folds - 1, with the classes spread evenly.

    Args:
        labels: int (N,).
        groups: str (N,), whose images stay in one fold; None cuts by image.
        folds: How many.
        seed: Of the shuffle.

    Returns:
        int64 (N,).

    Raises:
        FercourseError: There are fewer groups, or fewer images of a class, than folds.
    """
    if not 0 <= seed < 2**32:
        raise FercourseError(f"data.seed must be from 0 to 2**32 - 1 to cut folds, not {seed}.")
    most = len(labels) if groups is None else len(np.unique(groups))
    rarest = np.bincount(labels)[np.unique(labels)].min()
    if folds > min(rarest, most):
        raise FercourseError(
            f"{most} {'images' if groups is None else 'people or sequences'} and {rarest} images "
            f"of the rarest class cannot be cut into {folds} folds; take fewer."
        )
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # a slow import

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    cutter = kind(n_splits=folds, shuffle=True, random_state=seed)
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


SHARE = 9
"""One face in nine is cut off: FER2013's own splits stand in this proportion."""


def cut_splits(labels: np.ndarray, splits: np.ndarray | None, seed: int) -> tuple[np.ndarray, str]:
    """Splits of a copy that lacks some: what there is to judge on stays, the rest is cut off train.

    Without "val", one face in :data:`SHARE` of train is cut off for it, class by class. Without
    "test", "val" becomes that, because both must be faces that training never saw; without either,
    both are cut off.

    Args:
        labels: int64 (N,).
        splits: str (N,), "train", "val", "test", or "" for faces in no split; None: no split.
        seed: Of the shuffle.

    Returns:
        str (N,), and a sentence on what was done.

    Raises:
        FercourseError: There are no training faces, or too few.
    """
    if not 0 <= seed < 2**32:
        raise FercourseError(f"data.seed must be from 0 to 2**32 - 1 to cut splits, not {seed}.")
    found = np.full(len(labels), "train") if splits is None else splits.astype("<U5")
    found[found == ""] = "train"
    said = []
    if "test" not in found and "val" in found:
        found[found == "val"] = "test"
        said.append("the copy's val serves as test")
    for name in ("test", "val"):
        if name in found:
            continue
        at = np.flatnonzero(found == "train")
        cut = _one_in(SHARE, labels[at], seed)
        if not cut.any():
            raise FercourseError(f"There are {len(at)} training faces, too few to cut {name} off.")
        found[at[cut]] = name
        said.append(f"{name} is {cut.sum():,} faces of train")
    how = f"cut off class by class, by seed {seed}"
    return found, f"Not the official split: {' and '.join(said)}, {how}."


def _one_in(share: int, labels: np.ndarray, seed: int) -> np.ndarray:
    """One face in ``share`` of each class, at least one of a class that has two: bool (N,)."""
    draw = np.random.default_rng(seed)
    cut = np.zeros(len(labels), dtype=bool)
    for k in np.unique(labels):
        at = draw.permutation(np.flatnonzero(labels == k))
        cut[at[: max(round(len(at) / share), min(1, len(at) - 1))]] = True
    return cut
