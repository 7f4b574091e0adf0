"""Optimizer, learning-rate schedule and weight average, as a TrainConfig names them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fercourse.config import TrainConfig
from fercourse.training.lion import Lion
from fercourse.training.muon import Muon


def make_optimizer(config: TrainConfig, model: nn.Module, loss: nn.Module) -> Optimizer:
    """The optimizer's steps, with weight decay on kernels and matrices only.

    "sgd" has Nesterov momentum 0.9 and adds the decay to gradients; of "adamw", "lion"
    (:class:`fercourse.training.lion.Lion`) and "muon" (:class:`fercourse.training.muon.Muon`) a
    step shrinks weights by itself.

    Learned centres of the island loss, if there are any, get a group of their own without decay.
    """
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]  # biases, batch norm
    centers = list(loss.parameters())
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    if centers:
        groups.append({"params": centers, "weight_decay": 0.0})
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
    if config.optimizer == "lion":
        return Lion(groups, lr=config.lr)
    if config.optimizer == "muon":
        return Muon(groups, lr=config.lr, precise=config.precision == "float32")
    return AdamW(groups, lr=config.lr)


def make_schedule(
    config: TrainConfig, optimizer: Optimizer, steps: int
) -> LRScheduler | ReduceLROnPlateau:
    """The schedule over ``steps`` steps; "plateau" steps once an epoch instead (section 3.3)."""
    if config.schedule == "plateau":
        return ReduceLROnPlateau(optimizer, factor=0.5, patience=config.patience)
    rise = float(config.warmup)
    if rise * steps == 1:  # OneCycleLR divides by the length of the rise less one step
        rise *= 1 - 1e-9
    return OneCycleLR(
        optimizer,
        max_lr=config.lr,
        total_steps=steps,
        pct_start=rise,
        cycle_momentum=False,
    )


def make_average(config: TrainConfig, model: nn.Module) -> AveragedModel | None:
    """A moving average of all weights and batch-norm statistics, or for "swa" their plain mean."""
    if config.swa:
        return AveragedModel(model, use_buffers=True)
    if config.ema == 0:
        return None
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=True)


@torch.no_grad()
def update_average(
    average: AveragedModel, model: nn.Module, decay: float | None, corrected: bool = False
) -> None:
    """Move the average a step towards the model; without a decay it is the mean of all steps.

    ``corrected``, it is that mean until the decay forgets faster.

    As its own ``update_parameters``, which for a GPU copies a counter there, and so waits for it,
    and averages the counts of batches one by one.
    """
    pairs = zip(_tensors(average.module), _tensors(model), strict=True)
    averaged = [(a, m) for a, m in pairs if a.is_floating_point()]
    ours, theirs = map(list, zip(*averaged, strict=True))
    seen = int(average.n_averaged)  # kept on the CPU
    if seen == 0:
        torch._foreach_copy_(ours, theirs)  # pyright: ignore[reportPrivateImportUsage]
    else:
        rate = 1 / (seen + 1) if decay is None else 1 - decay
        if corrected:
            rate = max(rate, 1 / (seen + 1))
        torch._foreach_lerp_(ours, theirs, rate)  # pyright: ignore[reportPrivateImportUsage]
    average.n_averaged += 1


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    return chain(model.parameters(), model.buffers())
