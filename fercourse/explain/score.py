"""A map held against the pixels that action units change: three scores a face, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.datasets.truth import truth
from fercourse.errors import FercourseError
from fercourse.labels import Expression


class Estimate(NamedTuple):
    """A mean over n faces with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int


def rescale(maps: Tensor) -> Tensor:
    """Each map from 0 at its lowest to 1 at its highest pixel; a flat one is 1 everywhere."""
    flat = maps.flatten(1).float()
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    span = high - low
    scaled = torch.where(span > 1e-6 * high.abs().clamp_min(1e-12), (flat - low) / span, 1.0)
    return scaled.view(maps.shape)


def energy_inside(maps: Tensor, masks: Tensor) -> Tensor:
    """Share of a map's sum that lies inside the mask: (N, H, W) twice -> (N,), in [0, 1].

    Maps are rescaled to [0, 1] first, or a map with an offset would score as a flat one. A flat
    map gets the mask's share of the picture: it says nothing.
    """
    scaled = rescale(maps).flatten(1)
    return (scaled * masks.flatten(1)).sum(1) / scaled.sum(1)


def pointing_game(maps: Tensor, masks: Tensor) -> Tensor:
    """Whether a map's highest pixel lies inside the mask (Zhang et al. 2016): (N,), in [0, 1].

    Of several highest pixels the share inside counts, so a flat map gets the mask's share.
    """
    flat = maps.flatten(1)
    highest = flat == flat.amax(1, keepdim=True)
    return (highest & masks.flatten(1)).sum(1) / highest.sum(1)


def precision_recall_area(maps: Tensor, masks: Tensor) -> Tensor:
    """Area under the precision-recall curve of pixels ranked by the map: (N,), in [0, 1].

    It is the average precision: the sum over thresholds of precision times gain in recall, equal
    values sharing a threshold. A flat or random map gets the mask's share.
    """
    ranked, order = maps.flatten(1).float().sort(1, descending=True)
    inside = masks.flatten(1).gather(1, order).double()  # (N, P), best first
    count = torch.arange(1, inside.shape[1] + 1, dtype=torch.float64)
    precision = inside.cumsum(1) / count
    last = torch.ones_like(inside, dtype=torch.bool)
    last[:, :-1] = ranked[:, :-1] != ranked[:, 1:]  # the last pixel of each threshold
    # Every pixel takes the precision at the end of its own threshold: the next `last` behind it.
    at = torch.where(last, torch.arange(inside.shape[1]), inside.shape[1])
    ends = at.flip(1).cummin(1).values.flip(1)
    area = (precision.gather(1, ends) * inside).sum(1) / inside.sum(1)
    return area.float()


METRICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "energy": energy_inside,
    "pointing": pointing_game,
    "pr_auc": precision_recall_area,
}
METRIC_TITLES = {
    "energy": "energy inside",
    "pointing": "pointing game",
    "pr_auc": "PR-AUC",
}


def score(
    maps: Tensor, faces: Faces, seed: int = 0, masks: Tensor | None = None
) -> dict[str, dict[str, Estimate]]:
    """All three scores of a map, over all faces and for each expression.

    Faces without an acting unit, the neutral ones, have no truth and are left out.

    Args:
        maps: (N, H, W), any scale.
        faces: The N built-in faces they were made from.
        seed: Of the bootstrap.
        masks: Another truth, bool (N, H, W), in place of :func:`truth`'s.

    Returns:
        By metric ("energy", "pointing", "pr_auc") and by expression ("all", "angry", ...).

    Raises:
        FercourseError: Sizes differ, no face has an acting unit, or there are no masks.
    """
    if maps.shape != faces.images.shape:
        raise FercourseError(
            f"{tuple(maps.shape)} maps for {tuple(faces.images.shape)} faces: sizes differ."
        )
    masks = truth(faces) if masks is None else masks
    there = masks.flatten(1).any(1)
    if not there.any():
        raise FercourseError("no action unit acts in these faces: there is nothing to find.")
    rows = there.nonzero()[:, 0]
    labels = faces.labels[rows].numpy()
    who = None if faces.subjects is None else faces.subjects[rows.numpy()]
    result = {}
    for name, metric in METRICS.items():
        values = metric(maps[rows], masks[rows]).numpy()
        groups = {"all": np.ones(len(labels), dtype=bool)}
        groups |= {Expression(int(k)).name.lower(): labels == k for k in np.unique(labels)}
        result[name] = {
            group: bootstrap(values[at], None if who is None else who[at], seed)
            for group, at in groups.items()
        }
    return result


def bootstrap(
    values: ArrayLike, groups: ArrayLike | None = None, seed: int = 0, draws: int = 1000
) -> Estimate:
    """Mean and 95 % percentile interval, resampling whole groups (Efron and Tibshirani 1993).

    Args:
        values: One a face.
        groups: Who is shown: faces of one person are alike, so people are drawn, not faces.
            None draws faces.
        seed: Of the draws.
        draws: Resamples.
    """
    x = np.asarray(values, dtype=np.float64)
    names = np.arange(len(x)) if groups is None else np.asarray(groups)
    _, at = np.unique(names, return_inverse=True)
    sums, sizes = np.bincount(at, x), np.bincount(at)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)  # (draws, G)
    low, high = np.percentile(drawn @ sums / (drawn @ sizes), [2.5, 97.5])
    return Estimate(float(x.mean()), float(low), float(high), len(x))
