"""Tampering with a map changes the map and nothing else, and leaves the network as it was."""

import pytest
import torch
from made_faces import bars
from tolerances import NETWORK

from fercourse import FercourseError, ModelConfig
from fercourse.evaluation.predict import probabilities
from fercourse.explain import maps
from fercourse.explain.tamper import EDITS, frozen, tampered
from fercourse.models.fernet import FERNet
from fercourse.modules import GCCA, ReverseAttention
from fercourse.runs.score_book import weights_digest


def network(row: int, **changes) -> FERNet:
    torch.manual_seed(0)
    return FERNet(ModelConfig.table1(row, width=0.125, embedding=16, **changes)).eval()


def test_an_edit_that_changes_nothing_changes_no_answer():
    net, faces = network(5), bars(12)
    plain = probabilities(net, faces.images).argmax(1)
    assert torch.equal(tampered(net, faces, lambda a: a), plain)


def test_edits_reach_every_stage():
    net, faces = network(5), bars(3)
    seen = []
    tampered(net, faces, lambda a: seen.append(a.shape[-1]) or a)
    assert seen == [2, 4, 8]  # A_5, A_4, A_3 of 32 pixels
    stages = [m for m in net.modules() if isinstance(m, ReverseAttention)]
    assert len(stages) == 3  # put back


def test_the_network_is_left_as_it_was_even_after_an_error():
    net, faces = network(5), bars(3)
    before, names = weights_digest(net), [n for n, _ in net.named_modules()]

    def broken(a):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        tampered(net, faces, broken)
    assert weights_digest(net) == before
    assert [n for n, _ in net.named_modules()] == names


def test_frozen_weights_are_the_mean_over_faces():
    net, faces = network(3, gcca_norm=True), bars(40)
    found = frozen(net, faces)
    means = iter([w.mean(0)[None, :, None, None] for w in maps(net, faces).weights.values()])
    for module in net.modules():
        if isinstance(module, GCCA):
            mean = next(means)
            module.attention = lambda x, mean=mean: mean.expand(len(x), -1, -1, -1)
    assert torch.equal(found, probabilities(net, faces.images).argmax(1))
    net = network(3, gcca_norm=True)
    # One face alone is its own mean: nothing changes.
    one = faces[:1]
    assert torch.equal(frozen(net, one), probabilities(net, one.images).argmax(1))


def test_reversed_twice_is_as_before():
    a = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(EDITS["reversed"](EDITS["reversed"](a)), a, **NETWORK)
    assert EDITS["flattened"](a).flatten(1).std(1).max() < 1e-6
    assert not EDITS["all erased"](a).any()


@pytest.mark.parametrize(("row", "what"), [(4, tampered), (2, frozen)])
def test_a_model_without_the_part_is_refused(row, what):
    arguments = (lambda a: a,) if what is tampered else ()
    with pytest.raises(FercourseError, match="has no"):
        what(network(row), bars(2), *arguments)
