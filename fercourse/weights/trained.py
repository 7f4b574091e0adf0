"""Weights as safetensors that know their own model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fercourse.config import RunConfig
from fercourse.device import find_device
from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.models.build import build
from fercourse.models.recogniser import Recogniser
from fercourse.weights.checkpoint import bare_names, is_checkpoint, read_checkpoint, run_of
from fercourse.weights.foreign import foreign


@dataclass(frozen=True)
class Trained:
    """A trained network, and what is known of it: what a file of weights holds.

    Attributes:
        network: In evaluation mode.
        run: The config it was trained by.
        about: JSON values, such as the selected epoch and its validation accuracy.
    """

    network: Recogniser
    run: RunConfig
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def temperature(self) -> float:
        """What makes probabilities keep their word when logits are divided by it; 1 if unknown."""
        return self.about.get("temperature", 1.0)

    @property
    def key(self) -> str:
        """Of its run in the ledger."""
        return f"{self.run.hash}-{self.run.seed}"


def save_weights(
    path: str | Path, network: Recogniser, run: RunConfig, about: dict[str, Any] | None = None
) -> None:
    """Write weights, the run's config, and facts about it to one safetensors file, atomically.

    Args:
        path: Usually ends in ``.safetensors``.
        network: Its weights are stored as they are, in contiguous memory.
        run: Stored beside them, so that :func:`load_weights` needs nothing else.
        about: See :class:`Trained`.
    """
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    facts = {"config": json.dumps(run.to_dict()), "about": json.dumps(about or {})}
    with atomic_write(path) as part:
        part.write_bytes(save(tensors, metadata=facts))


def load_weights(path: str | Path, device: str | torch.device = "cpu") -> Trained:
    """What :func:`save_weights` wrote, as float32; or a checkpoint of ``torch.save``.

    Names may begin with "module.", as DataParallel stores them, and tensors may come from any
    device. A checkpoint without a config is recognised by its tensors where it is the paper's
    framework.

    Raises:
        FercourseError: No such file, none of ours, or no such device here.
    """
    path = Path(path)
    if not path.is_file():
        raise FercourseError(
            f"There are no weights at {path}; name a model.safetensors that fercourse train wrote."
        )
    try:
        if instead := foreign(path):
            raise ValueError(instead)
        if is_checkpoint(path):
            state, run, about = read_checkpoint(path)
        else:
            stored, facts = _read(path)
            state = bare_names(stored)
            if "config" in facts:
                run = RunConfig.from_dict(json.loads(facts["config"]))
                about = json.loads(facts.get("about", "{}"))
            else:
                run, about = run_of(state)
        network = build(run.model)
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        why = {
            KeyError: "its config lacks a part",
            RuntimeError: "the tensors are not those of its config's model",
        }.get(type(error), _first_line(error).rstrip("."))
        raise FercourseError(
            f"{path} holds no fercourse weights ({why}); "
            "pass the model.safetensors that fercourse train wrote."
        ) from error
    if bad := [name for name, tensor in state.items() if not tensor.float().isfinite().all()]:
        raise FercourseError(
            f"{path} holds values that are no finite numbers, first in {bad[0]} ({len(bad)} of "
            f"{len(state)} tensors): the training that wrote it diverged, or the file is damaged."
        )
    return Trained(network.to(find_device(device)).eval(), run, about)


def add_facts(path: str | Path, **facts: Any) -> None:
    """Store more of :attr:`Trained.about` in a file of weights, whose tensors stay as they are.

    Raises:
        FercourseError: It is no safetensors file of ours.
    """
    try:
        tensors, found = _read(Path(path))
        found["about"] = json.dumps(json.loads(found["about"]) | facts)
    except (OSError, SafetensorError, KeyError) as error:
        raise FercourseError(
            f"{path} is no file that fercourse train wrote: nothing can be stored with it."
        ) from error
    with atomic_write(path) as part:
        part.write_bytes(save(tensors, metadata=found))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors as stored, and the texts beside them."""
    with safe_open(path, framework="pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        return tensors, stored.metadata() or {}


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
