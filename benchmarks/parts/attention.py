"""GCCA beside SE and CBAM, alone and in the model; its poolings beside torch's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from fercourse.experiments.cost import layout, prediction
from fercourse.modules import CBAM, GCCA, SE
from fercourse.modules.blocks import make_divisible
from fercourse.modules.pooling import three_descriptors
from fercourse.runs.performance import Ratio
from parts.framework import batch, full_model, step_of
from parts.setting import SIZE, Setting

PART, POOLINGS = "attention", "poolings"
BLOCKS = ((64, 1), (128, 2), (256, 4), (512, 8), (512, 16))
"""Channels at width 1, and by what the face's side is divided."""


def measure(s: Setting) -> list[Ratio]:
    """The modules alone, the model with each, and the poolings alone."""
    x = feature_map(s, *BLOCKS[2])
    alone = {
        kind.__name__: kind(x.shape[1]).to(s.device, memory_format=layout(s.device))
        for kind in (GCCA, SE, CBAM)
    }
    train = {name: partial(_forward_backward, module, x, s.bf16) for name, module in alone.items()}
    predict = {name: partial(_forward, module, x, s.bf16) for name, module in alone.items()}

    faces, labels = batch(s, s.batch)
    models = {
        "model 6 with GCCA": full_model(s, s.width),
        "SE in its place": full_model(s, s.width, attention="se"),
        "CBAM in its place": full_model(s, s.width, attention="cbam"),
        "nothing in its place": full_model(s, s.width, gcca=False),
    }
    training = {name: step_of(model, faces, labels, s.bf16) for name, model in models.items()}
    predicting = {name: partial(prediction, m, faces, s.bf16) for name, m in models.items()}

    maps = [feature_map(s, *block) for block in BLOCKS]
    poolings = {
        "three poolings in one kernel": partial(_pool, partial(three_descriptors, training=True)),
        "three poolings of torch's own": partial(_pool, naive),
    }
    return [
        *s.ratios(PART, _used(" alone, training", train), "maps", s.batch),
        *s.ratios(PART, _used(" alone, predicting", predict), "maps", s.batch),
        *s.ratios(PART, _used(", training", training), "faces", s.batch),
        *s.ratios(PART, _used(", predicting", predicting), "faces", s.batch),
        *s.ratios(POOLINGS, {n: partial(f, maps) for n, f in poolings.items()}, "faces", s.batch),
    ]


def naive(x: Tensor) -> Tensor:
    """GCCA's poolings without thought: one draw over all locations, autograd's own gradients.

    Average, maximum and a draw in proportion to the activation: (N, C, H, W) -> (N, C, 3).
    """
    flat = x.flatten(2)  # (N, C, H W)
    weights = flat.detach().float() + torch.finfo(torch.float32).tiny  # a dead channel draws too
    location = torch.multinomial(weights.flatten(0, 1), 1).view(*flat.shape[:2], 1)
    drawn = flat.gather(2, location)  # (N, C, 1)
    return torch.cat((flat.mean(2, keepdim=True), flat.amax(2, keepdim=True), drawn), 2)


def feature_map(s: Setting, channels: int, divisor: int) -> Tensor:
    """What a block leaves of a batch of faces: half of it zero, in the network's own layout."""
    side = SIZE // divisor
    x = torch.randn(s.batch, make_divisible(channels, s.width), side, side, device=s.device).relu()
    x = x.to(torch.bfloat16 if s.bf16 else torch.float32)
    return x.contiguous(memory_format=layout(s.device)).requires_grad_()


def _used(how: str, paths: dict[str, Callable[[], None]]) -> dict[str, Callable[[], None]]:
    return {f"{name}{how}": path for name, path in paths.items()}


def _forward_backward(module: nn.Module, x: Tensor, bf16: bool) -> None:
    module.train()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
        out = module(x)
    out.backward(torch.ones_like(out))
    x.grad = None


@torch.no_grad()
def _forward(module: nn.Module, x: Tensor, bf16: bool) -> None:
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
        module.eval()(x)


def _pool(poolings: Callable[[Tensor], Tensor], maps: list[Tensor]) -> None:
    """Forward and backward, the five maps of a batch."""
    for x in maps:
        out = poolings(x)
        out.backward(torch.ones_like(out))
        x.grad = None
