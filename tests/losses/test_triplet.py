"""The triplet loss against arithmetic done here."""

import math

import pytest
import torch
from torch.nn import functional as F

from fercourse import FercourseError, preset
from fercourse.config import LossConfig
from fercourse.losses import JointLoss, triplet_loss

pytestmark = pytest.mark.numeric


def test_on_a_circle_by_hand():
    """At 0 and 60 degrees one class, at 90 the other: chords of 1, and 2 sin(15) and 2 sin(45)."""
    angle = torch.tensor([0.0, 60.0, 90.0]).deg2rad()
    points = 3 * torch.stack([angle.cos(), angle.sin()], 1)  # the length does not matter
    loss = triplet_loss(points, torch.tensor([0, 0, 1]), margin=0.2)
    near = 2 * math.sin(math.radians(15)), 2 * math.sin(math.radians(45))
    wanted = (max(0, 0.2 + 1 - near[1]) + max(0, 0.2 + 1 - near[0])) / 2  # the third has no partner
    assert loss.item() == pytest.approx(wanted, abs=1e-5)


def test_it_pulls_a_class_together_and_is_silent_where_it_is():
    embedding = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.7, 0.8]], requires_grad=True)
    labels = torch.tensor([0, 0, 1])
    triplet_loss(embedding, labels).backward()
    moved = (embedding - 0.1 * embedding.grad).detach()
    before, after = (F.normalize(e, dim=1) for e in (embedding.detach(), moved))
    assert (after[0] - after[1]).norm() < (before[0] - before[1]).norm()
    apart = torch.tensor([[1.0, 0.01], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.01]])
    assert triplet_loss(apart, torch.tensor([0, 0, 1, 1])) == 0


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_without_partners_it_costs_nothing(labels):
    embedding = torch.randn(3, 4, requires_grad=True)
    loss = triplet_loss(embedding, torch.tensor(labels))
    loss.backward()
    assert loss == 0
    assert torch.isfinite(embedding.grad).all()


def test_equal_faces_have_a_gradient_that_is_finite():
    embedding = torch.ones(4, 3, requires_grad=True)
    triplet_loss(embedding, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(embedding.grad).all()


def test_it_is_added_to_the_cross_entropy_by_its_weight():
    logits, embedding, labels = torch.randn(6, 7), torch.randn(6, 4), torch.tensor([0, 1] * 3)
    plain = JointLoss(7, 4, LossConfig(), joint=False)
    with_it = JointLoss(7, 4, LossConfig(triplet_weight=0.5), joint=False)
    a, b = (loss(logits, embedding, labels) for loss in (plain, with_it))
    wanted = a.ce + 0.5 * triplet_loss(embedding, labels)
    assert b.total.item() == pytest.approx(wanted.item(), abs=1e-6)


def test_blended_faces_have_no_triplets():
    with pytest.raises(FercourseError, match="no one label"):
        preset("smoke", **{"loss.triplet_weight": 1.0, "train.mixup": 0.2})
    with pytest.raises(FercourseError, match="must not be negative"):
        preset("smoke", **{"loss.triplet_weight": -1.0})
