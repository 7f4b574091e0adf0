"""Table 2's three networks: each a network as any other, of model 1's size, with its own trait."""

import pytest
import torch
from tolerances import NETWORK

from fercourse import FercourseError, ModelConfig, RunConfig, explain, preset
from fercourse.config import ARCHITECTURES
from fercourse.models import FERNet, Recogniser, build
from fercourse.models.fernet import framework
from fercourse.weights.trained import load_weights, save_weights

pytestmark = pytest.mark.numeric

RIVALS = ("inception", "skip", "channels")
SMALL = {"width": 0.125, "embedding": 16}


@pytest.fixture(autouse=True)
def seeded():
    """Of a few channels, all may be dead by chance: the same weights and faces every time."""
    torch.manual_seed(0)


def rival(name, **changes):
    return build(ModelConfig.table1(1, architecture=name, **(SMALL | changes)))


def size(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("width", [0.125, 0.375, 1.0])
def test_rivals_have_as_many_weights_as_model_1(name, width):
    with torch.device("meta"):
        ours, theirs = (rival(n, width=width, embedding=128) for n in ("fernet", name))
    assert size(theirs) == pytest.approx(size(ours), rel=0.11)


@pytest.mark.parametrize("name", RIVALS)
def test_every_weight_of_a_rival_is_used(name):
    network = rival(name).train()
    out = network(torch.randn(4, 1, 48, 48))
    assert out.logits.shape == (4, 7)
    assert out.embedding.shape == (4, 16)
    out.logits.square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("side", [(32, 35), (61, 48), (224, 224)])
def test_rivals_take_other_sizes_and_colours(name, side):
    network = rival(name, in_channels=3).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 3, *side)).logits.shape == (1, 7)
    with pytest.raises(FercourseError, match=f"{type(network).__name__} takes"):
        network(torch.randn(48, 48))
    with pytest.raises(FercourseError, match="takes RGB faces"):
        network(torch.randn(1, 1, 48, 48))


@pytest.mark.parametrize("name", RIVALS)
def test_class_activation_maps_are_made_of_every_layer(name):
    network = rival(name).eval()
    faces = torch.randint(0, 256, (2, 48, 48), dtype=torch.uint8)
    for layer in network.layers():
        heat = explain.gradcam(network, faces, layer=layer)
        assert heat.shape == (2, 48, 48)
    with pytest.raises(FercourseError, match="no layer 'decoder'"):
        explain.gradcam(network, faces, layer="decoder")
    with pytest.raises(FercourseError, match=f"{name} is not the paper's framework"):
        explain.maps(network, faces)


def test_the_framework_is_told_from_others():
    ours = rival("fernet")
    assert framework(ours) is ours
    assert isinstance(ours, FERNet)


@pytest.mark.parametrize("name", RIVALS)
def test_weights_of_a_rival_are_stored_and_loaded(name, tmp_path):
    run = preset("smoke", model=1).change(**{"model.architecture": name})
    network = build(run.model).eval()
    save_weights(tmp_path / "it.safetensors", network, run)
    back = load_weights(tmp_path / "it.safetensors")
    x = torch.randn(2, 1, 48, 48)
    with torch.no_grad():
        torch.testing.assert_close(back.network(x).logits, network(x).logits, **NETWORK)
    assert back.run == run


def test_inception_is_four_views_side_by_side():
    network = rival("inception").eval()
    block, x = network.block3a, torch.rand(1, network.second[0].out_channels, 6, 6)
    with torch.no_grad():
        out = block(x)
        one = block.one(x)
    assert out.shape[1] == block.channels
    torch.testing.assert_close(out[:, : one.shape[1]], one)


def test_skips_bring_the_first_block_to_the_end():
    """With all later blocks silent, the first one still moves the logits."""
    network = rival("skip").eval()
    x = torch.randn(2, 1, 48, 48)
    with torch.no_grad():
        for later in network.skips[1:]:
            later[0].weight.zero_()
        logits = network(x).logits
    assert (logits[0] - logits[1]).abs().max() > 1e-4


def test_channels_see_eyes_and_mouth_with_one_trunk():
    network = rival("channels").eval()
    x = torch.randn(1, 1, 48, 48)
    changed = x.clone()
    changed[:, :, :6] += 1  # above the strip of the eyes
    with torch.no_grad():
        length = network.embed.in_features // 3
        parts = [network._describe(v[:, :, 6:30]) for v in (x, changed)]
        torch.testing.assert_close(parts[0], parts[1])
        assert parts[0].shape == (1, length)
        assert (network(x).logits - network(changed).logits).abs().max() > 1e-5


def test_a_network_of_ones_own_is_taken(monkeypatch):
    class Mine(Recogniser):
        def __init__(self, config):
            super().__init__(config)
            self.add_head(1)

        def forward(self, x):
            return self.answer(x.mean((2, 3)))

    monkeypatch.setitem(ARCHITECTURES, "mine", Mine)
    run = preset("smoke", model=1).change(**{"model.architecture": "mine"})
    assert RunConfig.from_dict(run.to_dict()) == run
    assert run.model.name == "mine"
    assert run.model.table1_row is None
    assert isinstance(build(run.model), Mine)
    monkeypatch.delitem(ARCHITECTURES, "mine")
    with pytest.raises(FercourseError, match="architecture must be one of fernet"):
        RunConfig.from_dict(run.to_dict())


def test_components_belong_to_the_framework_alone():
    with pytest.raises(FercourseError, match="switch them off for skip"):
        ModelConfig.table1(2, architecture="skip")


def test_a_base_class_is_no_network():
    bare = Recogniser(ModelConfig())
    for call in (lambda: bare(torch.zeros(1)), bare.layers):
        with pytest.raises(NotImplementedError, match="Recogniser"):
            call()
