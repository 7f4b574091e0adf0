"""The overview drawing says what FERNet computes: who feeds whom, in which shape."""

import io

import pytest
import torch

from fercourse import FercourseError, FERNet, ModelConfig, plots
from fercourse.plots.model.framework import flows

ROWS = range(1, 7)


def told(config: ModelConfig, size: int = 48) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(f.source, f.target): f.shape for f in flows(config, size)}


@pytest.mark.parametrize("row", ROWS)
def test_what_enters_the_head_is_what_the_arrows_into_the_fusion_carry(row):
    config = ModelConfig.table1(row, width=0.25)
    into = [f.shape[0] for f in flows(config) if f.target == "fusion"]
    assert sum(into) == FERNet(config).embed.in_features == told(config)["fusion", "head"][0]


@pytest.mark.parametrize("size", [48, 64])
def test_every_arrow_is_a_tensor_of_the_network(size):
    """Hooks on every part: what comes in has the shape that the drawing gives."""
    config = ModelConfig(width=0.25)
    net, met = FERNet(config).eval(), {}

    def note(name):
        return lambda module, inputs, output: met.update({name: (inputs, output)})

    for name in ("edge", "decoder", "reverse5", "reverse4", "reverse3", "embed"):
        getattr(net, name).register_forward_hook(note(name))
    with torch.no_grad():
        laterals, _ = net.backbone(torch.zeros(2, 1, size, size))
        net(torch.zeros(2, 1, size, size))
    arrows = told(config, size)
    for i, c in enumerate(laterals[:-1], start=1):
        assert arrows[f"C{i}", f"C{i + 1}"] == c.shape[1:]
    assert arrows["C2", "edge"] == met["edge"][0][0].shape[1:]
    for k, name in enumerate(("C3", "C4", "C5")):
        assert arrows[name, "decoder"] == met["decoder"][0][k].shape[1:]
        features, deeper = met[f"reverse{name[1]}"][0]
        assert arrows[name, "reverse"] == features.shape[1:]
        if name == "C5":
            assert arrows["decoder", "reverse"] == deeper.shape[1:]
    assert arrows["reverse", "decoder"] == met["reverse3"][1].refined.shape[1:]
    assert arrows["decoder", "fusion"] == (met["decoder"][1][0].shape[1],)
    assert arrows["fusion", "head"] == (met["embed"][0][0].shape[1],)


def test_a_block_has_an_arrow_to_the_fusion_where_its_mean_enters_the_head():
    """The mean of each block is looked for in the vector that the embedding takes."""
    config, heard = ModelConfig(width=0.25), []
    net = FERNet(config).eval()
    net.embed.register_forward_hook(lambda module, inputs, output: heard.append(inputs[0]))
    x = torch.randn(1, 1, 48, 48)
    with torch.no_grad():
        laterals, _ = net.backbone(x)
        net(x)
    vector, arrows = heard[0][0], told(config)
    for i, c in enumerate(laterals, start=1):
        mean = c.mean((2, 3))[0]
        there = any(
            torch.allclose(vector[k : k + len(mean)], mean, rtol=1e-4, atol=1e-5)
            for k in range(len(vector) - len(mean) + 1)
        )
        assert there == ((f"C{i}", "fusion") in arrows), f"C{i}"
    plain = told(ModelConfig.table1(1))
    assert [pair for pair in plain if pair[1] == "fusion"] == [("C5", "fusion")]
    assert not [p for p in told(ModelConfig.table1(5)) if "island" in p]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_table_1_is_drawn(row):
    figure = plots.framework(["C3"], ModelConfig.table1(row))
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    words = {t.get_text() for t in figure.axes[0].texts}
    config = ModelConfig.table1(row)
    assert ("GCCA" in words) == config.gcca
    assert ("reverse attention" in words) == config.reverse
    assert any(t.startswith("1×48") for t in words)


def test_a_part_that_is_switched_off_cannot_be_highlighted():
    with pytest.raises(FercourseError, match="no part 'reverse'"):
        plots.framework(["reverse"], ModelConfig.table1(4))
    with pytest.raises(FercourseError, match="no part 'nose'"):
        plots.framework(["nose"])
