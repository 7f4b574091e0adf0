"""Grouped-convolution channel attention against eq. 1 and 2, written here."""

import pytest
import torch
from tolerances import STEP, SUM
from torch import nn

from fercourse.config import ModelConfig
from fercourse.models import FERNet
from fercourse.modules import GCCA, stochastic_pool
from fercourse.modules.pooling import three_descriptors

pytestmark = pytest.mark.numeric


def _activations(n, c, h, w, seed):
    return torch.randn(n, c, h, w, generator=torch.Generator().manual_seed(seed)).relu()


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


def test_g_is_a_grouped_convolution():
    group = GCCA(16).group
    descriptors = torch.randn(5, 48, 1, 1)
    torch.testing.assert_close(group(descriptors), nn.Conv2d.forward(group, descriptors), **SUM)


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


def test_every_mend_reaches_the_network_and_none_is_the_papers():
    mends = ("gcca_norm", "gcca_descriptor_norm", "gcca_zero_sum")
    plain = ModelConfig.table1(3, width=0.125)
    for mend in mends:
        net = FERNet(ModelConfig.table1(3, width=0.125, **{mend: True}))
        assert net.config != plain
        assert net.train()(torch.rand(4, 1, 48, 48)).logits.isfinite().all()
    names = set(FERNet(plain).state_dict())
    assert not {name for name in names if "normalise" in name}


def test_normalised_descriptors_make_every_block_answer():
    x = 0.1 * _activations(64, 16, 6, 6, 0) + 2  # all faces strong, all alike
    moved = {}
    for mend in ({}, {"descriptor_norm": True}, {"norm": True}):
        found = []
        for draw in range(8):
            torch.manual_seed(draw)
            m = GCCA(16, **mend).train().attention(x)[..., 0, 0]
            found.append((m - m.mean(0)).abs().mean())
        moved[tuple(mend)] = torch.stack(found).mean()
    assert moved["descriptor_norm",] > 3 * moved[()]
    assert moved["norm",] > 3 * moved[()]


def test_a_zero_sum_start_cancels_what_all_channels_share():
    torch.manual_seed(0)
    module = GCCA(32, zero_sum=True).eval()
    same = torch.full((2, 32, 4, 4), 3.0)
    fused = module.group(module.descriptors(same).flatten(1)[..., None, None])
    torch.testing.assert_close(fused, torch.full_like(fused, 3.0), **SUM)
    squeezed = module.squeeze(fused.relu())
    torch.testing.assert_close(squeezed, torch.zeros_like(squeezed), **SUM)
