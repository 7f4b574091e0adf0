"""The training loop: one pass over the training split, one over the validation split, repeat."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from fercourse.augment import alternate
from fercourse.config import RunConfig
from fercourse.datasets.faces import Faces, HeldOutFaces
from fercourse.datasets.truth import truth
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities
from fercourse.losses import IGNORED
from fercourse.models.build import build
from fercourse.models.recogniser import Recogniser
from fercourse.training.checkpoint import load_state, save_state
from fercourse.training.learner import Learner, state_copy
from fercourse.weights.trained import save_weights

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PAUSE = 15.0
"""Seconds of training on a GPU from one saved state to the next, which is what a kill may cost."""

Validate = Callable[..., Tensor]
"""Gives the probabilities (N, K) of uint8 faces (N, H, W), on the CPU: takes the model, the images,
``device=`` and ``bf16=``, as :func:`fercourse.evaluation.predict.probabilities` does."""

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

    model: Recogniser
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
    validate: Validate = probabilities,
    drawn: Faces | None = None,
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
        validate: How the validation split is judged.
        drawn: Drawn faces that the optimizer sees too, and alone in the first
            ``data.drawn_first`` epochs.

    Raises:
        FercourseError: A held-out split was passed, the splits are too small, or the loss is
            no longer finite.
    """
    _check(config, train, val, fabric.world_size)
    if config.data.drawn and drawn is None:
        raise FercourseError(
            "data.drawn asks for drawn faces, and the data set passed has none: "
            "load it with load_config."
        )
    sources = [train] if drawn is None else [train, drawn]
    images = torch.cat([faces.images for faces in sources])
    labels = _targets(sources, config.model.num_classes)  # int64 (N,), or float32 (N, K)
    masks = _masks(sources) if config.loss.map_weight else None  # uint8 (N, H, W)
    if out:
        out.mkdir(parents=True, exist_ok=True)  # refused now, not after the first epoch
    # What each epoch goes through: the drawn faces lie behind the photographs.
    seen = [
        range(len(train) if epoch < config.data.drawn_first else 0, len(images))
        for epoch in range(config.train.epochs)
    ]
    batch = min(config.train.batch_size, min(map(len, seen)) // fabric.world_size)
    steps = [len(s) // (batch * fabric.world_size) for s in seen]  # the incomplete last left out

    _seed(config.seed)
    learner = Learner(config, sum(steps))
    learner.loss.weigh(torch.cat([faces.labels for faces in sources]))
    history: list[Epoch] = []
    best = state_copy(learner.model)
    state = load_state(out / "state.pt") if out else None
    if state and out and RunConfig.from_dict(state.get("config", {})) != config:
        raise FercourseError(
            f"{out / 'state.pt'} is another run's: choose another folder, or delete it."
        )
    learner.place(fabric)
    if state:
        learner.load_state_dict(state["learner"])
        history, best = state["history"], state["best"]

    images, labels = images.to(fabric.device), labels.to(fabric.device)
    # Which way round each face is shown in even epochs, where they take turns.
    turned = torch.randint(2, (len(images),), generator=torch.Generator().manual_seed(config.seed))
    turned = turned.to(fabric.device)
    small, size = images, config.data.size
    masks = None if masks is None else masks.to(fabric.device)
    bar = tqdm(
        total=sum(steps),
        initial=sum(steps[: len(history)]),
        desc="training",
        unit="batch",
        disable=not (progress and fabric.is_global_zero),
    )
    # MPS has no generator for every draw; the CPU's serves it.
    generator = torch.Generator(fabric.device if fabric.device.type == "cuda" else "cpu")
    # A GPU's epoch may take less time than its state takes to be written.
    pause, kept = PAUSE if fabric.device.type == "cuda" else 0.0, time.monotonic()
    saved = -1
    for epoch in range(len(history), config.train.epochs):
        started = time.perf_counter()
        shuffled = torch.Generator().manual_seed(_seed(config.seed, 1 + epoch))
        order = seen[epoch].start + torch.randperm(len(seen[epoch]), generator=shuffled)
        mine = order[fabric.global_rank :: fabric.world_size].to(fabric.device)
        generator.manual_seed(_seed(config.seed, 1 + epoch, 1 + fabric.global_rank))
        learner.train()
        sums = torch.zeros(5, device=fabric.device)
        if size != (size := sizes(config)[epoch]):
            small = shrink(images, size)
        for rows in mine[: steps[epoch] * batch].split(batch):
            marked = None if masks is None else masks[rows]
            faces = small[rows]  # uint8 (B, size, size)
            if config.train.flip == "alternating":
                faces = alternate(faces, turned[rows], epoch)
                marked = None if marked is None else alternate(marked, turned[rows], epoch)
            sums += learner.step(faces, labels[rows], generator, marked)
            bar.update()
        means = (cast(Tensor, fabric.all_reduce(sums)) / steps[epoch]).tolist()
        seconds = time.perf_counter() - started
        # Running statistics differ between processes; the first one's are kept and judged.
        val_loss, val_accuracy = fabric.broadcast(_judge(validate, learner.eval_model, val, fabric))
        for loss in (means[0], val_loss):
            if not math.isfinite(loss):
                raise FercourseError(
                    f"The loss is {loss} in epoch {epoch}: lower the learning rate "
                    f"({config.train.lr}) or clip gradients."
                )

        rate = learner.lr
        learner.end_epoch(val_loss)
        names = ("train_loss", "train_ce", "train_center", "train_island", "train_accuracy")
        entry = {
            "epoch": epoch,
            "lr": rate,
            **dict(zip(names, means, strict=True)),
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "images_per_second": steps[epoch] * batch * fabric.world_size / seconds,
            "seconds": seconds,
        }
        history.append(entry)
        if _best_epoch(history) == epoch:
            best = {k: v.detach().clone() for k, v in learner.eval_model.state_dict().items()}
        bar.set_postfix(val=f"{val_accuracy:.1%}", loss=f"{means[0]:.2f}")
        if fabric.is_global_zero:
            last = epoch + 1 == config.train.epochs
            if out and (last or time.monotonic() - kept >= pause):
                if saved != (chosen := _best_epoch(history)):
                    about = {"best_epoch": chosen, "val_accuracy": history[chosen]["val_accuracy"]}
                    save_weights(out / "model.safetensors", _model(config, best), config, about)
                    saved = chosen
                _save(out, config, learner, history, best)
                kept = time.monotonic()
            if on_epoch:
                on_epoch(entry)
        fabric.barrier()
    bar.close()
    return _result(config, history, best, state_copy(learner.plain_loss)["island.centers"])


def finished(config: RunConfig, out: Path) -> Fit:
    """The result of a run that ended in another process, from its folder."""
    state = load_state(out / "state.pt")
    if state is None:
        raise FercourseError(f"There is no run in {out}.")
    centers = state["learner"]["loss"]["island.centers"]
    return _result(config, state["history"], state["best"], centers)


def sizes(config: RunConfig) -> list[int]:
    """Pixels a side of the training faces, epoch by epoch: from ``train.start_size`` to the data's.

    >>> sizes(fercourse.preset("cpu", **{"train.start_size": 32, "train.epochs": 6}))
    [32, 32, 40, 40, 48, 48]
    """
    last, epochs = config.data.size, config.train.epochs
    stages = [*range(config.train.start_size or last, last, 8), last]
    return [stages[epoch * len(stages) // epochs] for epoch in range(epochs)]


def shrink(images: Tensor, size: int) -> Tensor:
    """Faces uint8 (N, H, W) with ``size`` pixels a side, each the mean of those it covers."""
    if images.shape[1:] == (size, size):
        return images
    parts = [  # a few at a time, for as floats they are four times as large
        F.interpolate(part[:, None].float(), (size, size), mode="area").round_().byte()[:, 0]
        for part in images.split(4096)
    ]
    return torch.cat(parts)


def _result(
    config: RunConfig, history: list[Epoch], best: dict[str, Tensor], centers: Tensor
) -> Fit:
    return Fit(_model(config, best), history, _best_epoch(history), centers)


def _model(config: RunConfig, state_copy: dict[str, Tensor]) -> Recogniser:
    with torch.device("meta"):  # drawing weights to be overwritten takes a while
        model = build(config.model)
    model.load_state_dict({k: v.cpu().contiguous() for k, v in state_copy.items()}, assign=True)
    return model.eval()


def _masks(sources: list[Faces]) -> Tensor:
    """What maps are held to: uint8 (N, H, W), 1 where the expression changes a drawn face."""
    if all(faces.drawing is None for faces in sources):
        raise FercourseError(
            "loss.map_weight needs faces whose masks are known, and none of these is a drawn one."
        )
    return torch.cat(
        [
            torch.full(faces.images.shape, IGNORED, dtype=torch.uint8)
            if faces.drawing is None
            else truth(faces).to(torch.uint8)
            for faces in sources
        ]
    )


def _targets(sources: Sequence[Faces], classes: int) -> Tensor:
    """What training aims at: labels (N,), or where there are votes, those, as shares (N, K)."""
    if all(faces.votes is None for faces in sources):
        return torch.cat([faces.labels for faces in sources])
    return torch.cat(
        [F.one_hot(f.labels, classes).float() if f.votes is None else f.votes for f in sources]
    )


def _check(config: RunConfig, train: Faces, val: Faces, processes: int) -> None:
    for faces, job in ((train, "train"), (val, "select")):
        if isinstance(faces, HeldOutFaces):
            raise FercourseError(
                f"A held-out test split must not {job}; it is for evaluate() only."
            )
    if len(train) < 2 * processes or len(val) < 1:  # batch norm needs two images a batch
        raise FercourseError(
            f"Training needs at least {2 * processes} images and 1 to validate, "
            f"not {len(train)} and {len(val)}."
        )
    if train.votes is not None and config.loss.triplet_weight:
        raise FercourseError("triplet_weight needs one label a face, and these faces have votes.")
    highest = int(torch.stack((train.labels.max(), val.labels.max())).max())
    if highest >= config.model.num_classes:
        raise FercourseError(
            f"There are labels up to {highest}, but the model has {config.model.num_classes} "
            f"classes; set ModelConfig.num_classes to {highest + 1}."
        )


def _seed(*numbers: int) -> int:
    """Seed torch from a few whole numbers; the seed."""
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number + 1) % 2**62
    torch.manual_seed(seed)
    return seed


@torch.no_grad()
def _judge(
    validate: Validate, model: Recogniser, val: Faces, fabric: Fabric
) -> tuple[float, float]:
    """Cross-entropy and accuracy of one split, single view, in the precision of training."""
    with fabric.autocast():
        bf16 = torch.is_autocast_enabled(fabric.device.type)
    p = validate(model, val.images, device=fabric.device, bf16=bf16)  # (N, K)
    loss = F.nll_loss(p.clamp_min(1e-12).log(), val.labels)
    return loss.item(), (p.argmax(1) == val.labels).float().mean().item()


def _best_epoch(history: list[Epoch]) -> int:
    return max(range(len(history)), key=lambda i: history[i]["val_accuracy"])


def _save(
    out: Path,
    config: RunConfig,
    learner: Learner,
    history: list[Epoch],
    best: dict[str, Tensor],
) -> None:
    """The state to go on from."""
    state: dict[str, Any] = {
        "config": config.to_dict(),
        "learner": learner.state_dict(),
        "history": history,
        "best": {k: v.cpu() for k, v in best.items()},
    }
    save_state(out / "state.pt", state)
