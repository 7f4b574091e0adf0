"""Stochastic pooling: what it draws, what it expects, and its gradient."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import DOUBLE, SUM, about

from fercourse.modules import stochastic_pool
from fercourse.modules.pooling import scatter, three_descriptors

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
def test_descriptor_gradient_is_autograds(layout):
    """The hand-written backward pass against the three poolings differentiated by autograd."""
    x = _activations(3, 4, 6, 5, 2).double().contiguous(memory_format=layout)
    weight = torch.randn(3, 4, 3, dtype=torch.double)
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


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(3, 4, 6, 5), (2, 1, 3, 3), (2, 5, 1, 1)])
def test_what_a_gpu_scatters_with_is_index_put(layout, shape):
    n, c, h, w = shape
    maps = torch.randn(shape).contiguous(memory_format=layout)
    locations = torch.randint(h * w, (n, c, 2))
    locations[0, 0] = 0  # twice in one place
    values = torch.randn(n, c, 3)[:, :, 1:]  # a slice, as the gradient is
    image, channel = torch.arange(n).view(n, 1, 1), torch.arange(c).view(1, c, 1)
    at = image, channel, locations // w, locations % w
    wanted = maps.clone().index_put_(at, values, accumulate=True)
    assert scatter(maps, locations, values) is maps
    torch.testing.assert_close(maps, wanted, **SUM)
    assert maps.stride() == wanted.stride()
