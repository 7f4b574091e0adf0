"""The full model beside torchvision's bare trunk, and beside other ways to compute it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.vgg import cfgs, make_layers

from fercourse.config import ModelConfig, RunConfig
from fercourse.experiments.cost import layout, prediction, training_step
from fercourse.models import FERNet
from fercourse.models.recogniser import Output
from fercourse.modules.blocks import make_divisible
from fercourse.runs.performance import Ratio
from fercourse.training.optim import make_optimizer
from parts.setting import SIZE, Setting

PART = "framework"
AIM = 0.8
"""Of the bare trunk's speed in training."""


class Trunk(nn.Module):
    """torchvision's VGG16-BN convolutions, an average, one linear layer.

    Grey in, and without the last pooling, as the full model.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        channels = [v if v == "M" else make_divisible(v, width) for v in cfgs["D"]]
        features = make_layers(channels, batch_norm=True)
        features[0] = nn.Conv2d(1, channels[0], 3, padding=1)
        self.features = features[:-1]
        self.classify = nn.Linear(channels[-2], 7)

    def forward(self, x: Tensor) -> Output:
        """Logits (N, 7)."""
        pooled = self.features(x).mean((2, 3))
        return Output(self.classify(pooled), pooled, {})


def full_model(s: Setting, width: float, **changes: object) -> FERNet:
    """Table 1's model 6 as it is fastest."""
    model = FERNet(ModelConfig.table1(6, width=width, **changes))
    return model.to(s.device, memory_format=layout(s.device))


def bare_trunk(s: Setting, width: float) -> Trunk:
    """The trunk, likewise."""
    return Trunk(width).to(s.device, memory_format=layout(s.device))


def batch(s: Setting, count: int, size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Normalised faces (count, 1, size, size), and labels."""
    y = torch.arange(count, device=s.device) % 7
    return torch.randn(count, 1, size, size, device=s.device), y


def step_of(model: nn.Module, x: Tensor, y: Tensor, bf16: bool) -> Callable[[], None]:
    """A training step: the full model with the joint loss, the trunk with cross-entropy."""
    if isinstance(model, FERNet):
        return training_step(model, RunConfig(model=model.config), x, y, bf16)
    optimizer = make_optimizer(RunConfig().train, model, nn.Module())

    def step() -> None:
        model.train()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            logits = model(x).logits
        optimizer.zero_grad()
        F.cross_entropy(logits.float(), y).backward()
        optimizer.step()

    return step


def measure(s: Setting) -> list[Ratio]:
    """Training, prediction, and one face alone."""
    x, y = batch(s, s.batch)
    full, trunk = full_model(s, s.width), bare_trunk(s, s.width)
    paths = {
        "training the full model": step_of(full, x, y, s.bf16),
        "training torchvision's bare trunk": step_of(trunk, x, y, s.bf16),
    }
    with FlopCounterMode(display=False) as counter:
        step_of(full, x, y, s.bf16)()
    paths["one matrix product of as many operations"] = _product(s, counter.get_total_flops())
    if s.bf16:
        paths["the full model in float32"] = step_of(full_model(s, s.width), x, y, False)
    if layout(s.device) is torch.channels_last:
        contiguous = FERNet(full.config).to(s.device)
        paths["the full model, channels not last"] = step_of(contiguous, x, y, s.bf16)
    many = {
        "predicting with the full model": partial(prediction, full, x, s.bf16),
        "predicting with the bare trunk": partial(prediction, trunk, x, s.bf16),
    }
    one = {
        "one face at a time, the full model": partial(prediction, full, x[:1], False),
        "one face at a time, the bare trunk": partial(prediction, trunk, x[:1], False),
    }
    if s.bf16:
        one["one face at a time, the full model in bf16"] = partial(prediction, full, x[:1], True)
    return [
        *s.ratios(PART, paths, "faces", s.batch, AIM),
        *s.ratios(PART, many, "faces", s.batch),
        *s.ratios(PART, one, "faces", 1),
    ]


def _product(s: Setting, operations: int) -> Callable[[], Tensor]:
    """(rows, 2048) times (2048, 2048): what the device can do at best."""
    dtype, side = torch.bfloat16 if s.bf16 else torch.float32, 2048
    rows = max(1, round(operations / 2 / side**2))
    a, b = (torch.randn(n, side, device=s.device).to(dtype) for n in (rows, side))
    return partial(torch.mm, a, b)
