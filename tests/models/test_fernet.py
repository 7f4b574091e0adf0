"""The backbone and the six models of Table 1."""

from urllib.error import URLError

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import NETWORK, STEP, about

from fercourse import FercourseError, ModelConfig
from fercourse.experiments.plans import plan
from fercourse.models import FERNet, VGG16Backbone
from fercourse.models.fernet import weighted_avg_pool
from fercourse.models.imagenet import load_imagenet
from fercourse.modules import GCCA
from fercourse.training.learner import Learner

pytestmark = pytest.mark.numeric

SMALL = {"width": 0.125, "embedding": 16}


def test_lateral_sizes_are_the_papers():
    backbone = VGG16Backbone(in_channels=3, width=1, attend=GCCA).eval()
    with torch.no_grad():
        laterals, weights = backbone(torch.rand(1, 3, 224, 224))
    assert [tuple(c.shape[1:]) for c in laterals] == [
        (64, 224, 224),
        (128, 112, 112),
        (256, 56, 56),
        (512, 28, 28),
        (512, 14, 14),
    ]
    assert [w.shape[1] for w in weights] == [64, 128, 256, 512, 512]


def test_thirteen_convolutions_four_poolings_no_linear_layer():
    modules = list(VGG16Backbone().modules())
    assert sum(isinstance(m, torch.nn.Conv2d) for m in modules) == 13
    assert sum(isinstance(m, torch.nn.Linear) for m in modules) == 0


@pytest.mark.parametrize("row", range(1, 7))
def test_each_row_has_its_maps_and_uses_every_weight(row):
    model = FERNet(ModelConfig.table1(row, **SMALL)).train()
    out = model(torch.randn(4, 1, 48, 48))
    (out.logits.sum() + out.embedding.square().sum()).backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert unused == []
    wanted = set()
    wanted |= {"edge"} if row >= 2 else set()
    wanted |= {f"gcca{i}" for i in range(1, 6)} if row >= 3 else set()
    wanted |= {"global"} if row >= 4 else set()
    stages = {f"{kind}{i}" for kind in ("reverse", "refined") for i in (3, 4, 5)}
    wanted |= stages if row >= 5 else set()
    assert out.maps.keys() == wanted
    assert out.logits.shape == (4, 7)
    assert out.embedding.shape == (4, 16)


def test_each_row_adds_to_the_one_before():
    names = [
        {n for n, _ in FERNet(ModelConfig.table1(k, **SMALL)).named_parameters()}
        for k in range(1, 7)
    ]
    for k in range(4):
        assert names[k] < names[k + 1]
    assert names[4] == names[5], "models 5 and 6 differ by their loss alone"


@given(
    st.integers(32, 70),
    st.integers(32, 70),
    st.sampled_from([1, 3]),
    st.integers(1, 6),
    st.sampled_from([0.125, 0.25]),
)
@settings(max_examples=12, deadline=None)
def test_any_size_from_32_up(height, width, channels, row, scale):
    config = ModelConfig.table1(row, width=scale, embedding=8, in_channels=channels)
    with torch.no_grad():
        out = FERNet(config).eval()(torch.randn(2, channels, height, width))
    assert out.logits.shape == (2, 7)
    assert all(torch.isfinite(m).all() for m in out.maps.values())
    for name, m in out.maps.items():
        if name.startswith(("reverse", "gcca")):
            assert m.min() >= 0
            assert m.max() <= 1


def test_evaluation_is_deterministic_and_independent_of_the_batch():
    model = FERNet(ModelConfig(**SMALL)).eval()
    x = torch.randn(5, 1, 48, 48)
    with torch.no_grad():
        together = model(x)
        assert torch.equal(together.logits, model(x).logits)  # the same shapes again
        alone = torch.cat([model(v[None]).logits for v in x])
    torch.testing.assert_close(together.logits, alone, **NETWORK)


def test_training_draws_new_poolings_each_time():
    model = FERNet(ModelConfig.table1(3, dropout=0.0, **SMALL)).train()
    x = torch.randn(4, 1, 48, 48)
    with torch.no_grad():
        assert not torch.equal(model(x).logits, model(x).logits)


def test_mean_under_a_map():
    x = torch.arange(4.0).view(1, 1, 2, 2)
    sure = torch.tensor([[-50.0, -50.0], [50.0, 50.0]]).view(1, 1, 2, 2)
    assert weighted_avg_pool(x, sure).item() == about(2.5, **STEP)
    assert weighted_avg_pool(x, torch.zeros(1, 1, 2, 2)).item() == about(1.5, **STEP)


@pytest.mark.parametrize("channels", [1, 3])
def test_imagenet_weights_give_torchvisions_features(channels):
    from torchvision.models import vgg16_bn

    torch.manual_seed(0)
    theirs = vgg16_bn(weights=None)
    for m in theirs.modules():  # fresh statistics would hide a slip in the batch norms
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1), m.running_var.uniform_(0.5, 1.5)
            m.weight.data.uniform_(0.5, 1.5), m.bias.data.normal_(0, 0.1)
        if isinstance(m, torch.nn.Conv2d):
            m.bias.data.normal_(0, 0.1)
    ours = VGG16Backbone(channels)
    load_imagenet(ours, theirs.state_dict())
    x = torch.randn(1, channels, 48, 48)
    with torch.no_grad():
        wanted = theirs.eval().features[:-1](x.expand(1, 3, 48, 48))  # the last pooling is omitted
        got = ours.eval()(x)[0][-1]
    torch.testing.assert_close(got, wanted, **NETWORK)


def test_downloaded_weights_are_taken_from_torchs_cache(tmp_path, monkeypatch):
    """A file where torch keeps what it has fetched stands for the download."""
    from torchvision.models import VGG16_BN_Weights, vgg16_bn

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    there = tmp_path / "hub" / "checkpoints" / VGG16_BN_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    there.parent.mkdir(parents=True)
    state = vgg16_bn(weights=None).features.state_dict(prefix="features.")
    torch.save(state, there)
    _, tuned = plan("pretrained", preset="cpu", seeds=1)
    learner = Learner(tuned.config, steps=10)
    kernel = learner.model.backbone.blocks[0][0][0].weight
    torch.testing.assert_close(kernel, state["features.0.weight"].sum(1, keepdim=True))


def test_a_failed_download_says_what_to_do_instead(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    with pytest.raises(FercourseError, match=r"could not be downloaded .*no network.*from scratch"):
        load_imagenet(VGG16Backbone())


def test_imagenet_weights_refuse_another_width():
    with pytest.raises(FercourseError, match="width 1"):
        load_imagenet(VGG16Backbone(width=0.5), {})
    with pytest.raises(FercourseError, match="width 1"):
        ModelConfig(width=0.5, imagenet=True)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((2, 3, 48, 48), "grey faces with 1 channel, not 3"),
        ((0, 1, 48, 48), "batch is empty"),
        ((2, 1, 31, 48), "at least 32 pixels"),
        ((2, 48, 48), r"takes \(N, 1, H, W\)"),
    ],
)
def test_wrong_input_gets_a_sentence(shape, says):
    with pytest.raises(FercourseError, match=says):
        FERNet(ModelConfig(**SMALL))(torch.zeros(shape))
