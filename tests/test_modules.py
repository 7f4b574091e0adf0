"""Each part against arithmetic written here, straight from the equations."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import DOUBLE, STEP, SUM, about
from torch import nn

from fercourse.config import ModelConfig
from fercourse.models import FERNet
from fercourse.modules import GCCA, PartialDecoder, ReverseAttention, stochastic_pool
from fercourse.modules.blocks import make_divisible, resize_like
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
def test_three_descriptors_are_the_three_poolings(layout):
    x = _activations(2, 6, 5, 7, 0).contiguous(memory_format=layout)
    for training in (True, False):
        torch.manual_seed(1)
        got = three_descriptors(x, training)
        torch.manual_seed(1)
        random = stochastic_pool(x, training)
        wanted = torch.stack((x.mean((2, 3)), x.amax((2, 3)), random), 2)
        torch.testing.assert_close(got, wanted, **SUM)


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


def test_gcca_follows_equations_1_and_2():
    torch.manual_seed(0)
    channels, gcca = 32, GCCA(32, reduction=8).eval()
    x = _activations(2, channels, 6, 6, 0)
    g, w1, w2 = gcca.group, gcca.squeeze, gcca.excite
    assert g.weight.shape == (channels, 3, 1, 1), "one group a channel: 3 weights each"
    assert w1.out_channels == 4
    with torch.no_grad():
        for n in range(2):
            fused = []
            for c in range(channels):
                f = x[n, c].flatten()
                three = (f.mean(), f.max(), (f * f).sum() / f.sum())
                value = sum(a * b for a, b in zip(g.weight[c, :, 0, 0], three, strict=True))
                fused.append(max(0.0, (value + g.bias[c]).item()))
            hidden = (w1.weight[:, :, 0, 0] @ torch.tensor(fused) + w1.bias).relu()
            wanted = 1 / (1 + torch.exp(-(w2.weight[:, :, 0, 0] @ hidden + w2.bias)))
            torch.testing.assert_close(gcca.attention(x)[n, :, 0, 0], wanted, **SUM)
        m = gcca.attention(x)
        torch.testing.assert_close(gcca(x), m * x + x, **STEP)


def test_gcca_keeps_channels_apart_before_the_squeeze():
    gcca = GCCA(16).eval()
    x = _activations(1, 16, 4, 4, 0)
    changed = x.clone()
    changed[:, 5] *= 3
    before, after = (
        gcca.group(gcca.descriptors(v).flatten(1)[..., None, None]) for v in (x, changed)
    )
    differs = (before != after).flatten().nonzero().flatten().tolist()
    assert differs == [5]  # the others repeat the same operation on the same numbers


def test_gcca_never_weakens_a_feature_and_never_squeezes_below_four():
    x = _activations(2, 16, 5, 5, 1)
    out = GCCA(16)(x)
    assert (out >= x).all()
    assert (out <= 2 * x).all()
    assert [GCCA(c).squeeze.out_channels for c in (8, 64, 128, 256, 512)] == [4, 4, 8, 16, 32]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_resize_meets_its_partner(h, w, height, width):
    x = torch.rand(1, 2, h, w)
    assert resize_like(x, torch.empty(1, 5, height, width)).shape == (1, 2, height, width)
    assert resize_like(x, x) is x


def test_partial_decoder_is_the_published_cascade():
    """The aggregation of Wu et al. written out again, on the decoder's own convolutions."""
    torch.manual_seed(0)
    decoder = PartialDecoder((24, 32, 40), outputs=8).eval()
    c3, c4, c5 = torch.rand(2, 24, 11, 9), torch.rand(2, 32, 5, 4), torch.rand(2, 40, 2, 2)

    def up(x, size):
        return nn.functional.interpolate(x, size=size, mode="bilinear")

    d = decoder
    with torch.no_grad():
        x1, x2, x3 = d.reduce5(c5), d.reduce4(c4), d.reduce3(c3)
        x2_1 = d.gate5_to4(up(x1, (5, 4))) * x2
        x3_1 = d.gate5_to3(up(x1, (11, 9))) * d.gate4_to3(up(x2, (11, 9))) * x3
        x2_2 = d.merge4(torch.cat([x2_1, d.carry5(up(x1, (5, 4)))], 1))
        x3_2 = d.merge3(torch.cat([x3_1, d.carry4(up(x2_2, (11, 9)))], 1))
        features, region = decoder(c3, c4, c5)
        torch.testing.assert_close(features, d.features(x3_2), **SUM)
        torch.testing.assert_close(region, d.map(features), **SUM)
    assert features.shape == (2, 24, 11, 9)
    assert region.shape == (2, 1, 11, 9)


def test_partial_decoder_is_about_as_large_as_the_original():
    decoder = PartialDecoder((256, 512, 512), 32)
    convolutions = sum(p.numel() for name, p in decoder.named_parameters() if "reduce" not in name)
    assert 270_000 < convolutions < 290_000  # 277 k published, without the reductions


def test_reverse_attention_follows_equations_3_and_4():
    torch.manual_seed(0)
    stage = ReverseAttention(12, hidden=8).eval()
    c, deeper = torch.rand(2, 12, 6, 6), torch.randn(2, 1, 3, 3)
    with torch.no_grad():
        features, attention, refined = stage(c, deeper)
        up = nn.functional.interpolate(deeper, size=(6, 6), mode="bilinear")
        torch.testing.assert_close(attention, 1 - 1 / (1 + torch.exp(-up)), **STEP)
        torch.testing.assert_close(features, c * attention, **STEP)
        torch.testing.assert_close(refined, up + stage.residual(features), **SUM)


def test_reverse_attention_erases_what_is_claimed_already():
    stage = ReverseAttention(4).eval()
    claimed = torch.full((1, 1, 4, 4), -30.0)
    claimed[..., :2] = 30.0  # the left half is certain
    features, attention, _ = stage(torch.ones(1, 4, 4, 4), claimed)
    assert attention[..., :2].max() < 1e-6
    assert features[..., 2:].min() > 1 - 1e-6


def test_scaled_channels():
    assert [make_divisible(64, w) for w in (1, 0.375, 0.25, 0.125, 0.01)] == [64, 24, 16, 8, 8]


@pytest.mark.slow
def test_normalised_gcca_depends_on_the_face_where_the_plain_one_may_not():
    torch.manual_seed(0)
    faces = torch.rand(64, 32, 6, 6) + 1  # never dead, and alike, as faces are

    def spread(norm):
        gates = []
        for _ in range(20):
            gcca = GCCA(32, norm=norm)
            gcca.train()(faces)  # a batch for the running statistics
            for _ in range(60):
                gcca(faces)
            gates.append(gcca.eval().attention(faces).std(0).mean().item())
        return gates

    plain, normed = spread(False), spread(True)
    assert min(normed) > max(plain)
    assert len(GCCA(32, norm=True).squeeze) == 2


def test_gcca_norm_reaches_the_network():
    net = FERNet(ModelConfig.table1(3, width=0.125, gcca_norm=True))
    assert all(isinstance(a.squeeze, nn.Sequential) for a in net.backbone.attentions)
    x = torch.rand(2, 1, 48, 48)
    assert net(x).logits.shape == (2, 7)
    assert ModelConfig.table1(3) == ModelConfig.table1(3, gcca_norm=False)
