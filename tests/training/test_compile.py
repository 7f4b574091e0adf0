"""``train.compile``: the framework is one graph, and compiled training is the same training."""

from unittest.mock import Mock

import lightning_fabric  # noqa: F401  wraps torch.compile when it is imported
import pytest
import torch
from made_faces import bar_dataset
from tolerances import NETWORK, TRAINED, about

import fercourse

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("training", [True, False])
def test_the_whole_framework_is_one_graph(training):
    """A break would end a CUDA graph, and each part would be launched from Python again."""
    net = fercourse.FERNet(fercourse.preset("smoke").model).train(training)
    x = torch.randn(4, 1, 48, 48)
    compiled = torch.compile(net, backend="eager", fullgraph=True)  # raises at a break
    torch.manual_seed(0)
    out = compiled(x)
    out.logits.sum().backward()
    torch.manual_seed(0)
    torch.testing.assert_close(out.logits, net(x).logits, **NETWORK)


def test_a_machine_that_cannot_compile_says_so_in_one_sentence(monkeypatch):
    run = fercourse.preset("smoke").change(**{"train.epochs": 1, "train.compile": True})
    trace = torch.compile
    broken = Mock(side_effect=RuntimeError("No working C++ compiler found\n\nSet"))
    monkeypatch.setattr(torch, "compile", lambda m, **_: trace(m, backend=broken))
    with pytest.raises(fercourse.FercourseError, match=r"C\+\+ compiler found\): install what"):
        fercourse.train(run, bar_dataset(), device="cpu", progress=False)


@pytest.mark.parametrize("graphs", [False, True])
def test_compiled_training_learns_the_same(monkeypatch, graphs):
    data = bar_dataset()
    run = fercourse.preset("smoke", model=6).change(
        **{"train.epochs": 2, "train.batch_size": 16, "data.name": data.name}
    )
    plain = fercourse.train(run, data, device="cpu", progress=False)
    # The machine may lack a C++ compiler: what is traced is run as it is.
    trace = torch.compile
    tracing = Mock(side_effect=lambda model, **_: trace(model, backend="eager"))
    monkeypatch.setattr(torch, "compile", tracing)
    compiled = fercourse.train(
        run.change(**{"train.compile": True, "train.cuda_graphs": graphs}),
        data,
        device="cpu",
        progress=False,
    )
    assert tracing.call_args_list[0].kwargs["mode"] == ("reduce-overhead" if graphs else "default")
    for a, b in zip(plain.history, compiled.history, strict=True):
        assert a["train_loss"] == about(b["train_loss"], **TRAINED)
        assert a["val_accuracy"] == pytest.approx(b["val_accuracy"], abs=0.05)  # a face or two
    assert plain.model.state_dict().keys() == compiled.model.state_dict().keys()
