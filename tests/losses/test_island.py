"""Eq. 5 and 6 and the published centre update, against loops over classes and images."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_batches import D, K, made_batch
from tolerances import STEP, SUM, about

from fercourse import LossConfig
from fercourse.losses import CenterLoss, IslandLoss, JointLoss, pair_bound, pair_sum

pytestmark = pytest.mark.numeric


def _cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def test_pair_sum_is_equation_6_without_the_diagonal():
    c = torch.randn(K, D)
    rows = c.tolist()
    wanted = sum(_cosine(rows[j], rows[k]) + 1 for j in range(K) for k in range(K) if j != k)
    assert pair_sum(c).item() == about(wanted, **SUM)


@given(st.integers(2, 9), st.integers(2, 12), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_pair_sum_never_falls_below_its_bound(k, d, seed):
    c = torch.randn(k, d, generator=torch.Generator().manual_seed(seed))
    assert pair_sum(c).item() >= pair_bound(k) - k * k * STEP["atol"]


def test_bound_is_35_for_seven_classes_and_a_simplex_reaches_it():
    assert pair_bound(7) == 35
    simplex = torch.eye(7) - 1 / 7
    assert pair_sum(simplex).item() == about(35, **SUM)


def test_published_island_update():
    x, y = made_batch()
    loss = IslandLoss(K, D, pair_weight=3.0, rate=0.5)
    before = [torch.tensor(c, dtype=torch.double) for c in loss.centers.tolist()]
    loss.train()(x, y)
    for j in range(K):
        mine = [v.double() for v, k in zip(x, y.tolist(), strict=True) if k == j]
        pull = sum((before[j] - v for v in mine), torch.zeros(D).double()) / (1 + len(mine))
        push = torch.zeros(D).double()
        for k in range(K):
            if k != j:
                nk, nj = before[k].norm(), before[j].norm()
                push += before[k] / (nk * nj) - (before[k] @ before[j]) / (nk * nj**3) * before[j]
        wanted = before[j] - 0.5 * (pull + 3.0 / (K - 1) * push)
        torch.testing.assert_close(loss.centers[j].double(), wanted, **SUM)


def test_push_is_autograd_on_the_pair_sum_divided_by_twice_the_other_classes():
    loss = IslandLoss(K, D)
    c = loss.centers.clone().requires_grad_()
    pair_sum(c).backward()
    torch.testing.assert_close(loss.push(), c.grad / (2 * (K - 1)), **SUM)


def test_centres_stay_in_evaluation_and_a_class_without_images_is_not_pulled():
    x, y = made_batch()
    y[y == 2] = 3
    loss = CenterLoss(K, D)
    start = loss.centers.clone()
    loss.eval()(x, y)
    assert torch.equal(loss.centers, start)  # nothing was added
    loss.train()(x, y)
    assert torch.equal(loss.centers[2], start[2])  # nor here, where no face is
    assert not torch.equal(loss.centers[3], start[3])


def test_islands_drift_apart():
    torch.manual_seed(0)
    x, y = made_batch(200)
    x = x * 0.1 + 1  # every class in the same direction
    near, far = IslandLoss(K, D, pair_weight=0.0), IslandLoss(K, D, pair_weight=7.0)
    far.load_state_dict(near.state_dict())
    for _ in range(100):
        near.train()(x, y), far.train()(x, y)
    assert pair_sum(far.centers) < pair_sum(near.centers) - 1


def test_network_feels_the_published_island_loss_through_the_centre_term_alone():
    x, y = made_batch()
    loss = IslandLoss(K, D, pair_weight=7.0).eval()
    leaf = x.clone().requires_grad_()
    loss(leaf, y).backward()
    torch.testing.assert_close(leaf.grad, (x - loss.centers[y]) / len(x), **SUM)


def test_learned_centres_do_not_depend_on_lambda():
    x, y = made_batch()
    logits = torch.randn(len(x), K)
    gradients = []
    for weight in (0.001, 0.1):
        torch.manual_seed(0)
        loss = JointLoss(K, D, LossConfig(weight=weight, centers="learned"))
        loss(logits, x, y).total.backward()
        gradients.append(loss.island.centers.grad)
    torch.testing.assert_close(*gradients, **SUM)
