"""One run from config to ledger row: train, select, and judge the held-out split once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from fercourse import threads
from fercourse.config import RunConfig
from fercourse.datasets.faces import FaceDataset
from fercourse.datasets.registry import known
from fercourse.device import find_device, native_bf16
from fercourse.evaluation.predict import Evaluation, evaluate
from fercourse.runs.row import Row
from fercourse.training.loop import Epoch, Fit
from fercourse.training.train import train


class Measured(NamedTuple):
    """A finished run.

    Attributes:
        row: For the ledger.
        fit: Model, history, centres.
        single: The held-out split, one view an image, with and without leaked duplicates.
        flip: Likewise, averaged over the image and its mirror image.
    """

    row: Row
    fit: Fit
    single: Evaluation
    flip: Evaluation


def measure(
    config: RunConfig,
    data: FaceDataset,
    *,
    plan: str = "single",
    label: str = "cpu",
    variant: str | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: bool = True,
) -> Measured:
    """Train a run and judge it; the held-out split is touched here, once, and nowhere before.

    Args:
        config: The run; its data name is made that of ``data``.
        data: Loaded as ``config.data`` says.
        plan: What the run belongs to, for the ledger.
        label: "full", "cpu" or "smoke".
        variant: What is varied; by default the row of Table 1, "model6".
        out: Folder of the run, see :func:`fercourse.train`.
        device: See :func:`fercourse.train`.
        on_epoch: See :func:`fercourse.train`.
        progress: See :func:`fercourse.train`.
    """
    config = replace(config, data=replace(config.data, name=data.name))
    result = train(config, data, out, device, on_epoch=on_epoch, progress=progress)
    return judge(config, data, result, plan=plan, label=label, variant=variant, device=device)


def judge(
    config: RunConfig,
    data: FaceDataset,
    fit: Fit,
    *,
    plan: str,
    label: str,
    variant: str | None = None,
    device: str = "auto",
) -> Measured:
    """The second half of :func:`measure`, for a run that is trained already."""
    place = find_device(device)
    # Near-duplicates are a known fault of FER2013. In CK+, neighbouring frames of one person are
    # alike by design, and the folds answer for that.
    dataset = known(data.name)
    train_split = data.train if dataset.leaks else None
    single = evaluate(fit.model, data.test, train_split, "single", place)
    flip = evaluate(fit.model, data.test, train_split, "flip", place)
    splits = {name: len(faces) for name, faces in data.splits.items()}
    if train_split is not None:
        splits["test_clean"] = len(data.test) - single.leaked
    bf16 = config.train.precision == "bf16" or (
        config.train.precision == "auto" and native_bf16(place)
    )
    row = Row.measured(
        config,
        plan=plan,
        variant=variant or config.model.name,
        label=label,
        fingerprint=data.fingerprint,
        splits=splits,
        selection=f"epoch of the highest accuracy on {config.data.split_names[1]}",
        best_epoch=fit.best_epoch,
        val_accuracy=fit.val_accuracy,
        confusion=single.confusion.tolist(),
        seconds=sum(epoch["seconds"] for epoch in fit.history),
        device=device_name(place, threads.count(config, place)),
        precision="bf16" if bf16 else "float32",
        test_accuracy_clean=single.accuracy_clean,
        test_accuracy_flip=flip.accuracy,
        test_accuracy_flip_clean=flip.accuracy_clean,
    )
    return Measured(row, fit, single, flip)


def device_name(device: torch.device, cpu_threads: int) -> str:
    """What the ledger calls a device: "cuda:NVIDIA H100", "mps", or "cpu x 2" threads."""
    if device.type == "cuda":
        return f"cuda:{torch.cuda.get_device_name(device)}"
    return f"{device.type} x {cpu_threads}" if device.type == "cpu" else device.type
