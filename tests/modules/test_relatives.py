"""SE, CBAM and ECA against their papers, written here, and in GCCA's place in the network."""

import pytest
import torch
from made_faces import bars
from tolerances import NETWORK, SUM
from torch.nn import functional as F
from torchvision.ops import SqueezeExcitation

from fercourse import FercourseError, ModelConfig
from fercourse.explain import maps
from fercourse.explain.tamper import frozen
from fercourse.models import FERNet
from fercourse.modules import CBAM, ECA, SE, ChannelAttention
from fercourse.preprocess import normalise

pytestmark = pytest.mark.numeric


def activations(n=2, c=32, side=6):
    return torch.randn(n, c, side, side, generator=torch.Generator().manual_seed(0)).relu()


def test_se_is_torchvisions():
    torch.manual_seed(0)
    ours, theirs = SE(32, reduction=8), SqueezeExcitation(32, 4)
    theirs.fc1.load_state_dict(ours.squeeze.state_dict())
    theirs.fc2.load_state_dict(ours.excite.state_dict())
    torch.testing.assert_close(ours(activations()), theirs(activations()), **SUM)


def test_cbam_is_both_halves_one_behind_the_other():
    torch.manual_seed(0)
    cbam, x = CBAM(32, reduction=8), activations()
    w1, w2 = cbam.squeeze.weight[:, :, 0, 0], cbam.excite.weight[:, :, 0, 0]

    def mlp(pooled):  # (N, C)
        return (pooled @ w1.T + cbam.squeeze.bias).relu() @ w2.T + cbam.excite.bias

    m = (mlp(x.mean((2, 3))) + mlp(x.amax((2, 3)))).sigmoid()[..., None, None]
    torch.testing.assert_close(cbam.attention(x), m, **SUM)
    found = x * m
    two = torch.stack((found.mean(1), found.amax(1)), 1)  # (N, 2, H, W), in this order
    place = F.conv2d(F.pad(two, (3, 3, 3, 3)), cbam.locate.weight).sigmoid()
    torch.testing.assert_close(cbam(x), found * place, **SUM)


@pytest.mark.parametrize(("channels", "size"), [(8, 3), (64, 3), (128, 5), (256, 5), (512, 5)])
def test_eca_hears_a_few_neighbours(channels, size):
    torch.manual_seed(0)
    eca, x = ECA(channels), activations(1, channels)
    assert eca.along.kernel_size == (size,)
    changed = x.clone()
    changed[:, channels // 2] += 1
    moved = (eca.attention(changed) != eca.attention(x)).flatten().nonzero().flatten()
    middle, reach = channels // 2, size // 2
    assert moved.tolist() == list(range(middle - reach, middle + reach + 1))


def network(kind, **changes):
    torch.manual_seed(0)
    config = ModelConfig.table1(3, width=0.125, embedding=16, attention=kind, **changes)
    return FERNet(config).eval()


@pytest.mark.parametrize("kind", ["se", "cbam", "eca"])
def test_each_fits_into_the_network_and_is_drawn_and_frozen_like_gcca(kind):
    net, faces = network(kind), bars(6)
    assert {type(a).__name__.lower() for a in net.backbone.attentions} == {kind}
    found = maps(net, faces)
    assert [w.shape[1] for w in found.weights.values()] == [8, 16, 32, 64, 64]
    assert not found.descriptors  # which are GCCA's
    wanted = net(normalise(faces.images)).maps["gcca5"].detach()
    torch.testing.assert_close(found.weights[5], wanted, **NETWORK)
    assert frozen(net, faces).shape == (6,)
    assert all(isinstance(a, ChannelAttention) for a in net.backbone.attentions)  # put back
    net.train()
    out = net(torch.randn(4, 1, 48, 48))
    out.logits.sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []


def test_cbams_places_stay_alive_when_its_channels_are_frozen():
    net, faces, heard = network("cbam"), bars(6), []
    for attention in net.backbone.attentions:
        attention.locate.register_forward_hook(lambda *call: heard.append(1))
    maps(net, faces)
    before = len(heard)
    frozen(net, faces)  # asks for the maps, then for the answers
    assert len(heard) == 2 * before + 5


def test_after_is_what_the_next_block_gets():
    net, faces = network("cbam"), bars(3)
    heard = {}
    for i, attention in enumerate(net.backbone.attentions, start=1):
        reweight = attention.reweight

        def listening(x, weight, i=i, reweight=reweight):
            heard[i] = reweight(x, weight)
            return heard[i]

        attention.reweight = listening
    found = maps(net, faces)
    energy = heard[1].square().mean(1, keepdim=True).sqrt()  # block 1 has the face's size
    torch.testing.assert_close(found["after1"], energy.detach()[:, 0], **NETWORK)


def test_what_does_not_go_together_is_told():
    with pytest.raises(FercourseError, match="attention must be one of gcca, se, cbam, eca"):
        ModelConfig(attention="senet")
    with pytest.raises(FercourseError, match="mend GCCA, not se"):
        ModelConfig(attention="se", gcca_norm=True)
