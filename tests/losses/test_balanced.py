"""Class weights and the focal loss, against their formulas and PyTorch's cross-entropy."""

import math

import pytest
import torch
from torch.nn import functional as F

from fercourse import FercourseError, LossConfig, preset
from fercourse.losses import JointLoss, balanced_focal, class_weights

pytestmark = pytest.mark.numeric

COUNTS = torch.tensor([3995, 436, 4097, 7215, 4830, 3171, 4965])


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_weights_are_a_power_of_the_shares_and_average_to_one_over_faces(power):
    weights = class_weights(COUNTS, power)
    assert ((weights * COUNTS).sum() / COUNTS.sum()).item() == pytest.approx(1)
    ratio = (weights[1] / weights[3]).item()
    assert ratio == pytest.approx((7215 / 436) ** power, rel=1e-5)


def test_a_class_without_images_weighs_nothing():
    assert class_weights(torch.tensor([0, 1, 1]), 1.0).tolist() == pytest.approx([0, 1, 1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_either_it_is_cross_entropy(smoothing):
    logits, labels = torch.randn(20, 7), torch.randint(0, 7, (20,))
    ours = balanced_focal(logits, labels, label_smoothing=smoothing)
    theirs = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs)


def test_weights_are_pytorchs_up_to_the_batchs_own_mean():
    logits, labels = torch.randn(20, 7), torch.randint(0, 7, (20,))
    weights = class_weights(COUNTS, 1.0)
    theirs = F.cross_entropy(logits, labels, weight=weights, reduction="sum") / len(labels)
    torch.testing.assert_close(balanced_focal(logits, labels, weights), theirs)


def test_focal_factors_are_as_published():
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    p = logits.softmax(1)
    wanted = -sum(
        (1 - p[i, k].item()) ** 2 * math.log(p[i, k].item()) for i, k in enumerate(labels.tolist())
    )
    assert balanced_focal(logits, labels, focal=2.0).item() == pytest.approx(wanted / 5, rel=1e-4)


def test_one_hot_and_index_labels_agree():
    logits, labels = torch.randn(9, 7), torch.randint(0, 7, (9,))
    soft = F.one_hot(labels, 7).float()
    weights = class_weights(COUNTS, 0.5)
    torch.testing.assert_close(
        balanced_focal(logits, labels, weights, 2.0, 0.1),
        balanced_focal(logits, soft, weights, 2.0, 0.1),
    )


def test_a_face_the_network_is_quite_sure_of_leaves_a_finite_gradient():
    logits = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    balanced_focal(logits, torch.tensor([0]), focal=0.5).backward()
    assert logits.grad.isfinite().all()


def test_the_joint_loss_weighs_by_what_it_counted_and_refuses_to_guess():
    loss = JointLoss(7, 4, LossConfig(class_weights=1.0), joint=False)
    logits, x, labels = torch.randn(6, 7), torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 4, 5])
    with pytest.raises(FercourseError, match="counted first"):
        loss(logits, x, labels)
    loss.weigh(torch.repeat_interleave(torch.arange(7), COUNTS))
    wanted = balanced_focal(logits, labels, class_weights(COUNTS, 1.0))
    torch.testing.assert_close(loss(logits, x, labels).total, wanted)
    assert "class_weights" not in loss.state_dict()


@pytest.mark.parametrize(
    "change", [{"loss.class_weights": 1.5}, {"loss.class_weights": -0.1}, {"loss.focal": -1.0}]
)
def test_values_out_of_range_are_refused(change):
    with pytest.raises(FercourseError, match=next(iter(change)).partition(".")[2]):
        preset("smoke", **change)
