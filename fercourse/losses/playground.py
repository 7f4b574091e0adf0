"""The joint loss with nothing but points: embeddings in the plane that follow its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.config import LossConfig
from fercourse.losses.island import pair_bound
from fercourse.losses.joint import JointLoss

CLASSES = 7
POINTS = 16
"""A class."""

RATE = 0.1
"""Step of the points, and of the classifier, along the gradient."""


@dataclass(frozen=True)
class Trajectory:
    """What happened in T steps; index 0 is the start.

    Attributes:
        labels: int64 (N,).
        points: float32 (T + 1, N, 2).
        centers: float32 (T + 1, K, 2).
        ce: L_S, (T + 1,).
        center: L_C, (T + 1,).
        pairs: L_I-COS, the sum over ordered pairs, (T + 1,); never below K (K - 2).
        config: lambda and lambda_1.
    """

    labels: Tensor
    points: Tensor
    centers: Tensor
    ce: Tensor
    center: Tensor
    pairs: Tensor
    config: LossConfig

    def total(self) -> Tensor:
        """Eq. 7, (T + 1,)."""
        island = self.center + self.config.pair_weight * self.pairs
        return self.ce + self.config.weight * island


def simulate(
    weight: float = 0.005, pair_weight: float = 7.0, steps: int = 200, seed: int = 0
) -> Trajectory:
    """Let points in the plane, and a linear classifier on them, follow eq. 7's gradient.

    Each point is a free embedding: there is no network that would tie them together, so the
    classes always part. What differs is the shape they part into. The centres move by the
    published update, as in training.

    Args:
        weight: lambda.
        pair_weight: lambda_1.
        steps: T.
        seed: Of where the points start.

    Raises:
        FercourseError: A weight is negative.
    """
    config = LossConfig(weight=weight, pair_weight=pair_weight, center_rate=0.1)
    labels = torch.arange(CLASSES).repeat_interleave(POINTS)  # (N,)
    draw = torch.Generator().manual_seed(seed)
    middle = 1.2 * torch.randn(CLASSES, 2, generator=draw)
    points = middle[labels] + torch.randn(len(labels), 2, generator=draw)  # (N, 2)
    classify = 0.3 * torch.randn(CLASSES, 2, generator=draw)  # (K, 2)
    with torch.random.fork_rng(devices=[]):  # its centres are drawn, and then placed below
        loss = JointLoss(CLASSES, 2, config)
    loss.island.centers.copy_(points.view(CLASSES, POINTS, 2).mean(1))

    kept: list[tuple[Tensor, ...]] = []
    for _ in range(steps + 1):
        points.requires_grad_(True)
        classify.requires_grad_(True)
        where = points.detach(), loss.island.centers.clone()
        terms = loss(points @ classify.T, points, labels)  # and the centres move
        kept.append((*where, terms.ce.detach(), terms.center.detach(), terms.island.detach()))
        to_points, to_classify = torch.autograd.grad(terms.total, (points, classify))
        # The loss is a mean over the points: N times its gradient is each point's own.
        points = points.detach() - RATE * len(labels) * to_points
        classify = classify.detach() - RATE * to_classify
    points, centers, ce, center, island = map(torch.stack, zip(*kept, strict=True))
    return Trajectory(labels, points, centers, ce, center, island + pair_bound(CLASSES), config)


def least_angle(centers: Tensor) -> float:
    """Degrees between the two centres (K, 2) that lie closest, seen from the origin."""
    unit = F.normalize(centers.double(), dim=1)
    cosines = (unit @ unit.T).fill_diagonal_(-1)
    return float(cosines.max().clamp(-1, 1).arccos().rad2deg())


def radii(path: Trajectory) -> Tensor:
    """Root mean square distance of a class's points from their mean, over all classes: (T + 1,)."""
    steps = len(path.points)
    clusters = path.points.view(steps, CLASSES, POINTS, 2)
    return (clusters - clusters.mean(2, keepdim=True)).square().sum(3).mean((1, 2)).sqrt()
