"""Eq. 7: the terms and what they add up to."""

import math

import pytest
import torch
from made_batches import D, K, made_batch
from tolerances import SUM, about

from fercourse import LossConfig
from fercourse.losses import IslandLoss, JointLoss, pair_sum

pytestmark = pytest.mark.numeric


def test_joint_loss_is_equation_7():
    x, y = made_batch()
    logits = torch.randn(len(x), K)
    joint = JointLoss(K, D, LossConfig(weight=0.02, pair_weight=4.0)).eval()
    terms = joint(logits, x, y)
    p = logits.softmax(1)
    ce = -sum(math.log(p[i, k]) for i, k in enumerate(y.tolist())) / len(x)
    pairs = pair_sum(joint.island.centers).item()
    assert terms.ce.item() == about(ce, **SUM)
    assert terms.island.item() == about(pairs - 35, **SUM)
    wanted = ce + 0.02 * (terms.center.item() + 4.0 * pairs)
    assert terms.total.item() == about(wanted, **SUM)


def test_without_the_joint_loss_the_total_is_cross_entropy_and_nothing_pushes():
    x, y = made_batch()
    loss = JointLoss(K, D, joint=False).train()
    terms = loss(torch.randn(len(x), K), x.requires_grad_(), y)
    assert terms.total is terms.ce
    assert loss.island.pair_weight == 0


def test_one_hot_and_index_labels_agree():
    x, y = made_batch()
    a, b = IslandLoss(K, D), IslandLoss(K, D)
    b.load_state_dict(a.state_dict())
    soft = torch.nn.functional.one_hot(y, K).float()
    torch.testing.assert_close(a(x, y), b(x, soft), **SUM)
    torch.testing.assert_close(a.centers, b.centers, **SUM)


def test_float32_under_autocast():
    x, y = made_batch()
    x, logits = x.bfloat16(), torch.randn(len(x), K).bfloat16()
    mixed, plain = JointLoss(K, D), JointLoss(K, D)
    plain.load_state_dict(mixed.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        terms = mixed(logits, x, y)
    assert {t.dtype for t in terms} == {torch.float32}
    for ours, wanted in zip(terms, plain(logits.float(), x.float(), y), strict=True):
        assert torch.equal(ours, wanted)  # the same operations: none is left to bfloat16
    assert torch.equal(mixed.island.centers, plain.island.centers)
