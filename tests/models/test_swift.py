"""The speedrun's trunk: model 1 without block 1, and a fold that loses no pixel."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fercourse import ModelConfig
from fercourse.models import build
from fercourse.models.swift import fold
from fercourse.weights.trained import load_weights, save_weights

pytestmark = pytest.mark.numeric


def swift(**changes):
    torch.manual_seed(0)
    small = {"width": 0.125, "embedding": 16}
    return build(ModelConfig.table1(1, architecture="swift", **(small | changes)))


def test_a_fold_keeps_every_pixel_in_its_place():
    x = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    folded = fold(x)
    assert folded.shape == (2, 12, 2, 3)
    torch.testing.assert_close(torch.pixel_shuffle(folded, 2), x)
    assert folded[0, :4, 0, 0].tolist() == [0, 1, 6, 7], "row by row"


def test_an_odd_side_repeats_its_last_pixel():
    x = torch.randn(1, 1, 5, 7)
    back = torch.pixel_shuffle(fold(x), 2)
    assert back.shape == (1, 1, 6, 8)
    torch.testing.assert_close(back[..., :5, :7], x)
    torch.testing.assert_close(back[..., 5, :7], x[..., 4, :])


@pytest.mark.parametrize(("side", "channels"), [(48, 1), (33, 1), (64, 3)])
def test_sizes_are_those_of_blocks_2_to_5(side, channels):
    network = swift(in_channels=channels).eval()
    sides = {}
    for name, layer in network.layers().items():
        layer.register_forward_hook(
            lambda module, given, made, name=name: sides.__setitem__(name, made.shape[-1])
        )
    out = network(torch.randn(2, channels, side, side))
    first = (side + 1) // 2
    assert list(sides) == ["block2", "block3", "block4", "block5"]
    assert list(sides.values()) == [first, first // 2, first // 4, first // 8]
    assert out.logits.shape == (2, 7)


def test_every_weight_is_used_and_stored(tmp_path):
    network = swift().train()
    network(torch.randn(4, 1, 48, 48)).logits.square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    from fercourse import RunConfig

    run = RunConfig(model=network.config)
    save_weights(tmp_path / "swift.safetensors", network, run, {})
    again = load_weights(tmp_path / "swift.safetensors").network.eval()
    x = torch.randn(2, 1, 48, 48)
    torch.testing.assert_close(again(x).logits, network.eval()(x).logits)


def test_it_spares_operations_of_model_1():
    counts = []
    for architecture in ("fernet", "swift"):
        with torch.device("meta"):
            network = build(ModelConfig.table1(1, width=0.25, architecture=architecture))
            x = torch.randn(1, 1, 48, 48)
        with FlopCounterMode(display=False) as counter:
            network(x)
        counts.append(counter.get_total_flops())
    assert counts[1] < 0.85 * counts[0]
