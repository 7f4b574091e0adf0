"""``fercourse.train``: a RunConfig in, a trained and selected model out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from fercourse.config import RunConfig, TrainConfig
from fercourse.datasets.faces import FaceDataset
from fercourse.device import find_device, native_bf16
from fercourse.evaluation.calibration import calibrate
from fercourse.evaluation.predict import probabilities
from fercourse.files import atomic_write
from fercourse.memory import kept
from fercourse.threads import suited
from fercourse.training.loop import Epoch, Fit, Validate, finished, fit


def train(
    config: RunConfig,
    data: FaceDataset | str | Path | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    devices: int = 1,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: bool = True,
    validate: Validate = probabilities,
) -> Fit:
    """Train a run from start, or from where it stopped, to finish.

    A run seeds itself; torch's own random numbers go on afterwards as if it had not been.

    Args:
        config: The run, for instance ``preset("smoke")``.
        data: A loaded data set, or where ``config.data.name`` lies; None looks in the usual places.
        out: Folder for weights, state, history and config; a state there is resumed.
        device: "auto", "cpu", "cuda" or "mps".
        devices: Processes, one a GPU (or CPU process); above 1 gradients are averaged (DDP), and
            ``batch_size`` is each process's.
        on_epoch: Called after each epoch; with several processes, in a process of its own.
        progress: Show a progress bar.
        validate: How the validation split is judged; see :data:`fercourse.training.loop.Validate`.

    Returns:
        The model of the selected epoch, its history and centres.

    Raises:
        FercourseError: Bad config, data or device, in one sentence.
    """
    from lightning_fabric import Fabric

    if not isinstance(data, FaceDataset):
        from fercourse.datasets.load import load_config

        data = load_config(config.data, data)
    place = find_device(device)
    folder = Path(out) if out else None
    fabric = Fabric(
        accelerator={"cuda": "gpu"}.get(place.type, place.type),
        devices=devices,
        strategy="ddp_spawn" if devices > 1 else "auto",
        precision=_precision(config.train, place),  # pyright: ignore[reportArgumentType]
    )
    # By keyword: Lightning would try to move positional arguments, our frozen configs, to a device.
    settings = {
        "config": config,
        "train": data.train,
        "val": data.val,
        "on_epoch": on_epoch,
        "progress": progress,
        "validate": validate,
        "drawn": data.drawn,
    }
    if devices == 1:
        with suited(config, place), kept(), _true_float32(config), _forked(place):
            result = fabric.launch(partial(fit, out=folder, **settings))
    else:
        with TemporaryDirectory() as spare:
            place = folder or Path(spare)
            fabric.launch(partial(_fit_silently, out=place, **settings))
            result = finished(config, place)
    if folder:
        calibrate(folder / "model.safetensors", data, find_device(device))
        for name, values in (("config", config.to_dict()), ("history", result.history)):
            with atomic_write(folder / f"{name}.json") as part:
                part.write_text(json.dumps(values, indent=1), encoding="utf-8")
    return result


@contextmanager
def _true_float32(config: RunConfig) -> Iterator[None]:
    """Without TF32, which a GPU would otherwise call float32, where the run asks for float32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = before and config.train.precision != "float32"
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _forked(device: torch.device) -> AbstractContextManager[None]:
    """Leave torch's random numbers afterwards as they were."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


def _fit_silently(*args: Any, **settings: Any) -> None:
    """A spawned process that ends takes its tensors along, so the result travels by file."""
    with _true_float32(settings["config"]):
        fit(*args, **settings)


def _precision(config: TrainConfig, device: torch.device) -> str:
    if config.precision == "auto":
        return "bf16-mixed" if native_bf16(device) else "32-true"
    return {"bf16": "bf16-mixed", "float32": "32-true"}[config.precision]
