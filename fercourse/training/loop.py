"""The training loop: one pass over the training split, one over the validation split, repeat."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from fercourse.augment import augment, mixup
from fercourse.config import RunConfig
from fercourse.datasets.base import Faces, HeldOutFaces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities, to_input
from fercourse.losses import JointLoss
from fercourse.models.fernet import FERNet
from fercourse.models.imagenet import load_imagenet
from fercourse.training.checkpoint import load_state, save_model, save_state
from fercourse.training.optim import make_average, make_optimizer, make_schedule

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Epoch = dict[str, float]
"""One line of a run's history: epoch, lr, train_loss, train_ce, train_center, train_island (the
excess over its bound), train_accuracy, val_loss, val_accuracy, images_per_second, seconds."""


@dataclass
class Fit:
    """What training gives.

    Attributes:
        model: With the weights of the selected epoch, in evaluation mode, on the CPU.
        history: One entry an epoch.
        best_epoch: The selected one, from 0: the first with the highest validation accuracy.
        centers: Of the island loss after the last epoch, (K, D).
    """

    model: FERNet
    history: list[Epoch]
    best_epoch: int
    centers: Tensor

    @property
    def val_accuracy(self) -> float:
        """Of the selected epoch, in [0, 1]."""
        return self.history[self.best_epoch]["val_accuracy"]


def fit(
    fabric: Fabric,
    config: RunConfig,
    train: Faces,
    val: Faces,
    out: Path | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: bool = True,
) -> Fit:
    """Train on one split, select on another.

    Every epoch seeds itself from the run's seed and its own number. So a run that was killed
    and resumed takes the very steps of one that was not.

    Args:
        fabric: Device, precision and processes, as :func:`fercourse.train` sets them up.
        config: The run.
        train: What the optimizer sees.
        val: What the schedule and the choice of the epoch see.
        out: Folder for ``model.safetensors`` (the selected epoch) and ``state.pt`` (the latest);
            a state already there is resumed. None keeps nothing.
        on_epoch: Called with each epoch's history entry, on the first process.
        progress: Show a progress bar.

    Raises:
        FercourseError: A held-out split was passed, the splits are too small, or the loss is
            no longer finite.
    """
    _check(config, train, val)
    _seed(config.seed)
    model = FERNet(config.model)
    if config.model.imagenet:
        load_imagenet(model.backbone)
    loss = JointLoss(
        config.model.num_classes, config.model.embedding, config.loss, config.model.joint_loss
    )
    average = make_average(config.train, model)
    optimizer = make_optimizer(config.train, model, loss)

    batch = min(config.train.batch_size, len(train) // fabric.world_size)
    steps = len(train) // (batch * fabric.world_size)  # an incomplete last batch is left out
    schedule = make_schedule(config.train, optimizer, config.train.epochs * steps)

    history: list[Epoch] = []
    best = _copy(model)
    state = load_state(out / "state.pt") if out else None
    if state:
        _resume(state, config, model, loss, average, optimizer, schedule)
        history, best = state["history"], state["best"]

    forward, optimizer, loss = _set_up(fabric, config, model, optimizer, loss)
    average = average.to(fabric.device) if average else None
    images, labels = train.images.to(fabric.device), train.labels.to(fabric.device)
    bar = tqdm(
        total=config.train.epochs * steps,
        initial=len(history) * steps,
        desc="training",
        unit="batch",
        disable=not (progress and fabric.is_global_zero),
    )
    for epoch in range(len(history), config.train.epochs):
        started = time.perf_counter()
        generator = _seed(config.seed, 1 + epoch, fabric.global_rank, device=fabric.device)
        order = torch.randperm(len(train), generator=_seed(config.seed, 1 + epoch))
        mine = order[fabric.global_rank :: fabric.world_size].to(fabric.device)
        model.train(), loss.train()
        sums = torch.zeros(5, device=fabric.device)  # total, ce, center, island, right answers
        for rows in mine[: steps * batch].split(batch):
            x = augment(images[rows], config.train.augment, generator)  # (B, 1, H, W)
            y = labels[rows]  # (B,)
            if config.train.mixup:
                x, y = mixup(x, y, config.train.mixup, generator, config.model.num_classes)
            output = forward(to_input(x, model))
            terms = loss(output.logits, output.embedding, y)
            optimizer.zero_grad()
            fabric.backward(terms.total)
            if config.train.clip:
                fabric.clip_gradients(forward, optimizer, max_norm=config.train.clip)
            optimizer.step()
            if config.train.schedule != "plateau":
                schedule.step()
            if average:
                average.update_parameters(model)
            truth = y if y.ndim == 1 else y.argmax(1)
            right = (output.logits.argmax(1) == truth).float().mean()
            sums += torch.stack((*(t.detach() for t in terms), right))
            bar.update()

        total, ce, center, island, right = (fabric.all_reduce(sums) / steps).tolist()
        seconds = time.perf_counter() - started
        if not math.isfinite(total):
            raise FercourseError(
                f"The loss is {total} in epoch {epoch}: lower the learning rate "
                f"({config.train.lr}) or clip gradients."
            )
        chosen = average.module if average else model
        # Running statistics differ between processes; the first one's are kept and judged.
        val_loss, val_accuracy = fabric.broadcast(_validate(chosen, val, fabric))
        rate = optimizer.param_groups[0]["lr"]
        if config.train.schedule == "plateau":
            schedule.step(val_loss)
        entry = {
            "epoch": epoch,
            "lr": rate,
            "train_loss": total,
            "train_ce": ce,
            "train_center": center,
            "train_island": island,
            "train_accuracy": right,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "images_per_second": steps * batch * fabric.world_size / seconds,
            "seconds": seconds,
        }
        if val_accuracy > max((e["val_accuracy"] for e in history), default=-1.0):
            best = _copy(chosen)
        history.append(entry)
        bar.set_postfix(val=f"{val_accuracy:.1%}", loss=f"{total:.2f}")
        if fabric.is_global_zero:
            if out:
                _save(out, config, model, loss, average, optimizer, schedule, history, best)
            if on_epoch:
                on_epoch(entry)
        fabric.barrier()
    bar.close()

    return _result(config, history, best, _plain(loss).island.centers.detach().cpu())


def finished(config: RunConfig, out: Path) -> Fit:
    """The result of a run that ended in another process, from its folder."""
    state = load_state(out / "state.pt")
    if state is None:
        raise FercourseError(f"There is no run in {out}.")
    return _result(config, state["history"], state["best"], state["loss"]["island.centers"])


def _result(
    config: RunConfig, history: list[Epoch], best: dict[str, Tensor], centers: Tensor
) -> Fit:
    model = FERNet(config.model)
    model.load_state_dict(best)
    return Fit(model.eval(), history, _best_epoch(history), centers)


def _check(config: RunConfig, train: Faces, val: Faces) -> None:
    for faces, job in ((train, "train"), (val, "select")):
        if isinstance(faces, HeldOutFaces):
            raise FercourseError(
                f"A held-out test split must not {job}; it is for evaluate() only."
            )
    if len(train) < 2 or len(val) < 1:
        raise FercourseError(
            f"Training needs at least 2 images and 1 to validate, not {len(train)} and {len(val)}."
        )
    highest = int(torch.stack((train.labels.max(), val.labels.max())).max())
    if highest >= config.model.num_classes:
        raise FercourseError(
            f"There are labels up to {highest}, but the model has {config.model.num_classes} "
            f"classes; set ModelConfig.num_classes to {highest + 1}."
        )


def _seed(*numbers: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Seed torch, and give a generator of its own, from a few whole numbers."""
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number + 1) % 2**62
    torch.manual_seed(seed)
    # MPS has no generator for every draw; the CPU's serves it.
    place = device if torch.device(device).type == "cuda" else "cpu"
    return torch.Generator(place).manual_seed(seed)


def _set_up(
    fabric: Fabric, config: RunConfig, model: FERNet, optimizer: Any, loss: JointLoss
) -> tuple[Any, Any, Any]:
    """Move all three to the device and wrap them; the wrapped model is the one to call."""
    if fabric.device.type != "mps":
        model.to(memory_format=torch.channels_last)
    compiled = torch.compile(model) if config.train.compile else model
    forward, optimizer = fabric.setup(compiled, optimizer)
    learned = any(p.requires_grad for p in loss.parameters())
    return forward, optimizer, fabric.setup_module(loss) if learned else loss.to(fabric.device)


@torch.no_grad()
def _validate(model: FERNet, val: Faces, fabric: Fabric) -> tuple[float, float]:
    """Cross-entropy and accuracy of one split, single view."""
    bf16 = fabric._precision.precision == "bf16-mixed"
    p = probabilities(model, val.images, device=fabric.device, bf16=bf16)  # (N, K)
    loss = F.nll_loss(p.clamp_min(1e-12).log(), val.labels)
    return loss.item(), (p.argmax(1) == val.labels).float().mean().item()


def _copy(model: FERNet) -> dict[str, Tensor]:
    return {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}


def _plain(loss: Any) -> JointLoss:
    return getattr(loss, "module", loss)


def _best_epoch(history: list[Epoch]) -> int:
    return max(range(len(history)), key=lambda i: history[i]["val_accuracy"])


def _save(
    out: Path, config: RunConfig, model: FERNet, loss: Any, average: Any, optimizer: Any,
    schedule: Any, history: list[Epoch], best: dict[str, Tensor],
) -> None:  # fmt: skip
    """Everything needed to go on, and, where this epoch is the best so far, its weights."""
    chosen = _best_epoch(history)
    if chosen == len(history) - 1:
        kept = FERNet(config.model)
        kept.load_state_dict(best)
        about = {"best_epoch": chosen, "val_accuracy": history[chosen]["val_accuracy"]}
        save_model(out / "model.safetensors", kept, config, about)
    save_state(
        out / "state.pt",
        {
            "config": config.to_dict(),
            "model": _copy(model),
            "loss": _copy(_plain(loss)),
            "average": average.state_dict() if average else None,
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "history": history,
            "best": best,
        },
    )


def _resume(
    state: dict[str, Any], config: RunConfig, model: FERNet, loss: JointLoss, average: Any,
    optimizer: Any, schedule: Any,
) -> None:  # fmt: skip
    if state["config"] != config.to_dict():
        raise FercourseError(
            "The folder holds another run's state.pt: choose another folder, or delete it."
        )
    model.load_state_dict(state["model"])
    loss.load_state_dict(state["loss"])
    if average:
        average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
