"""What a GPU would object to, seen without one.

Fake tensors have a shape, a type and a device, but no numbers. An operation that mixes devices
fails on them as on a GPU, and so does one that asks for a number, where a GPU would be waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.func import functional_call

from fercourse.augment import augment, augment_with_masks, fifteen_fold, foggy, mixup
from fercourse.config import ARCHITECTURES, ATTENTIONS, COMPONENTS, LossConfig, ModelConfig
from fercourse.evaluation.predict import _views
from fercourse.losses import JointLoss, map_loss
from fercourse.models.build import build
from fercourse.models.fernet import FERNet


@pytest.fixture(autouse=True)
def fake() -> Iterator[None]:
    with FakeTensorMode(), torch.no_grad():
        yield


def gpu(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.zeros(shape, dtype=dtype, device="cuda")


def call(module: nn.Module, *inputs: Tensor) -> Any:
    """The module's answer with every parameter and buffer on the GPU; whatever else is not."""
    state = chain(module.named_parameters(), module.named_buffers())
    there = {name: gpu(*value.shape, dtype=value.dtype) for name, value in state}
    return functional_call(module, there, inputs)


def model(number: int, **settings: object) -> FERNet:
    return FERNet(ModelConfig.table1(number, width=0.125, **settings))


@pytest.mark.parametrize("policy", ["none", "paper", "light", "course"])
def test_augmentation_stays_there(policy: str) -> None:
    x = augment(gpu(4, 48, 48, dtype=torch.uint8), policy, None)
    assert x.device.type == "cuda"


def test_what_is_added_to_augmentation_stays_there() -> None:
    faces = gpu(4, 48, 48, dtype=torch.uint8)
    x, masks = augment_with_masks(faces, faces.clone(), "course", None)
    assert masks.device.type == "cuda"
    both = mixup(foggy(x, 0.5), gpu(4, dtype=torch.int64), 0.3)
    assert [part.device.type for part in both] == ["cuda", "cuda"]


def test_the_set_of_fifteen_stays_there() -> None:
    assert fifteen_fold(gpu(4, 48, 48, dtype=torch.uint8)).device.type == "cuda"


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("settings", [{}, {"gcca_norm": True, "map_scale": 1.0}])
def test_models_stay_there(number: int, settings: dict[str, object]) -> None:
    net = model(number, **settings)
    for view in _views(gpu(4, 1, 48, 48), "ten"):
        assert call(net.eval(), view).logits.device.type == "cuda"
    assert call(net.train(), gpu(4, 1, 48, 48)).embedding.device.type == "cuda"


@pytest.mark.parametrize(
    "settings",
    [
        *({"attention": name} for name in ATTENTIONS),
        *({name: True} for name in ("gcca_descriptor_norm", "gcca_zero_sum")),
        *(
            {"architecture": name} | dict.fromkeys(COMPONENTS, False)
            for name in ARCHITECTURES
            if name != "fernet"
        ),
    ],
    ids=str,
)
def test_relatives_and_rivals_stay_there(settings: dict[str, Any]) -> None:
    net = build(ModelConfig(width=0.125, **settings))
    assert call(net.train(), gpu(4, 1, 48, 48)).logits.device.type == "cuda"


@pytest.mark.parametrize("centers", ["published", "learned"])
@pytest.mark.parametrize("mixed", [False, True])
def test_losses_stay_there(centers: str, mixed: bool) -> None:
    config = model(6).config
    loss = JointLoss(7, config.embedding, LossConfig(centers=centers, label_smoothing=0.1), True)
    labels = gpu(4, 7) if mixed else gpu(4, dtype=torch.int64)
    terms = call(loss.train(), gpu(4, 7), gpu(4, config.embedding), labels)
    assert all(term.device.type == "cuda" for term in terms)


@pytest.mark.parametrize(
    "settings", [{"class_weights": 0.5}, {"focal": 2.0}, {"triplet_weight": 1.0}], ids=str
)
def test_losses_that_the_paper_has_not_stay_there(settings: dict[str, float]) -> None:
    config = model(6).config
    loss = JointLoss(7, config.embedding, LossConfig(**settings), True)
    if "class_weights" in settings:
        loss.class_weights = gpu(7)  # counted on the CPU, then moved with the loss
    inputs = gpu(4, 7), gpu(4, config.embedding), gpu(4, dtype=torch.int64)
    assert all(term.device.type == "cuda" for term in call(loss.train(), *inputs))


def test_the_supervision_of_maps_stays_there() -> None:
    maps = call(model(5).train(), gpu(4, 1, 48, 48)).maps
    assert map_loss(maps, gpu(4, 48, 48, dtype=torch.uint8)).device.type == "cuda"


def test_such_faults_would_be_seen() -> None:
    class Waits(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.sum().item()

    class Chooses(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[x > 0]

    class Forgets(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.ones(3)

    with pytest.raises(DataDependentOutputException):
        call(Waits(), gpu(3))
    with pytest.raises(DynamicOutputShapeException):
        call(Chooses(), gpu(3))
    with pytest.raises(RuntimeError, match="device"):
        call(Forgets(), gpu(3))
