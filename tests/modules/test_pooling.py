"""Stochastic pooling: what it draws, what it expects, and its gradient."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import DOUBLE, SUM, about

from fercourse.modules import stochastic_pool
from fercourse.modules.pooling import three_descriptors

pytestmark = pytest.mark.numeric


maps = st.tuples(
    st.integers(1, 3), st.integers(1, 5), st.integers(1, 7), st.integers(1, 7), st.integers(0, 999)
)


def _activations(n, c, h, w, seed):
    return torch.randn(n, c, h, w, generator=torch.Generator().manual_seed(seed)).relu()


@given(maps)
@settings(max_examples=30, deadline=None)
def test_stochastic_pool_in_evaluation_is_the_expectation(shape):
    x = _activations(*shape)
    got = stochastic_pool(x, training=False)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            values = x[i, j].flatten().tolist()
            total = sum(values)
            wanted = sum(v / total * v for v in values) if total else 0.0
            assert got[i, j].item() == about(wanted, **SUM)


@given(maps)
@settings(max_examples=30, deadline=None)
def test_stochastic_pool_in_training_takes_one_live_activation(shape):
    x = _activations(*shape)
    got = stochastic_pool(x, training=True)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            values = x[i, j].flatten().tolist()
            alive = [v for v in values if v > 0] or [0.0]
            assert got[i, j].item() in alive


def test_stochastic_pool_draws_in_proportion_to_the_activation():
    torch.manual_seed(0)
    x = torch.tensor([[0.0, 1.0, 2.0], [4.0, 0.0, 3.0]]).view(1, 1, 2, 3)
    draws = stochastic_pool(x.expand(40_000, 1, 2, 3), training=True)
    for value in (1.0, 2.0, 3.0, 4.0):
        p = value / 10
        error = math.sqrt(p * (1 - p) / 40_000)
        assert (draws == value).float().mean().item() == pytest.approx(p, abs=5 * error)
    assert (draws == 0).sum() == 0


def test_dead_channel_pools_to_zero_and_evaluation_repeats_itself():
    x = torch.rand(2, 3, 5, 4)
    x[:, 1] = 0
    for training in (True, False):
        assert stochastic_pool(x, training)[:, 1].abs().sum() == 0
    # the same operation on the same tensor
    assert torch.equal(stochastic_pool(x, False), stochastic_pool(x, False))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(3, 4, 6, 5), (2, 1, 3, 4), (2, 5, 1, 1)])
def test_descriptor_gradient_is_autograds(shape, layout):
    """The hand-written backward pass against the three poolings differentiated by autograd."""
    x = _activations(*shape, 2).double()
    x[-1, -1] *= x[-1, -1] == x[-1, -1].amax()  # one live place, which both the others take
    x = x.contiguous(memory_format=layout)
    weight = torch.randn(*shape[:2], 3, dtype=torch.double)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    torch.manual_seed(3)
    (three_descriptors(ours, True) * weight).sum().backward()
    torch.manual_seed(3)
    random = stochastic_pool(theirs, True)
    plain = torch.stack((theirs.mean((2, 3)), theirs.amax((2, 3)), random), 2)
    (plain * weight).sum().backward()
    # float32 inside the draw, nothing else: the gradients agree to double precision.
    torch.testing.assert_close(ours.grad, theirs.grad, **DOUBLE)
    assert ours.grad.is_contiguous(memory_format=layout)


def test_descriptors_of_a_part_of_a_map_are_those_of_its_copy():
    """Every second channel of a wider map does not lie side by side in memory."""
    wide = _activations(3, 8, 6, 5, 4).requires_grad_()
    part = wide.detach()[:, ::2].clone().requires_grad_()
    found = []
    for x in (wide[:, ::2], part):
        torch.manual_seed(0)
        found.append(three_descriptors(x, True))
        (found[-1] ** 2).sum().backward()
    torch.testing.assert_close(found[0], found[1], **SUM)
    torch.testing.assert_close(wide.grad[:, ::2], part.grad, **SUM)
