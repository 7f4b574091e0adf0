"""Checkpoints of ``torch.save``: read without running what a stranger put into them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fercourse.config import ATTENTIONS, ModelConfig, RunConfig, preset
from fercourse.models.build import build

PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""

_INSIDE = ("state_dict", "model_state_dict", "model", "weights", "best")
"""Where checkpoints keep the tensors, beside optimizer and epoch."""


def is_checkpoint(path: Path) -> bool:
    """Whether a file begins as ``torch.save`` begins it: a zip archive, or older, a pickle."""
    with path.open("rb") as file:
        return file.read(4)[:2] in (b"PK", b"\x80\x02")


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], RunConfig, dict[str, Any]]:
    """Tensors on the CPU, the run, and facts about it.

    The state that a run resumes from has its config; of a bare state dict the model is told by
    its tensors, and the rest of the run is the preset ``cpu``'s.

    Raises:
        ValueError: Why it is none of ours, a phrase.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            "a checkpoint that holds more than tensors, or a broken one; "
            "store its state_dict() alone"
        ) from error
    if not isinstance(found, Mapping):
        raise ValueError(f"a checkpoint of a {type(found).__name__}, not of tensors by name")
    inside = next((found[key] for key in _INSIDE if isinstance(found.get(key), Mapping)), found)
    state = {name: value for name, value in inside.items() if isinstance(value, Tensor)}
    if not state:
        raise ValueError("a checkpoint without tensors")
    state = bare_names(state)
    if isinstance(config := found.get("config"), Mapping):
        return state, RunConfig.from_dict(dict(config)), {}
    return state, *run_of(state)


def run_of(state: Mapping[str, Tensor]) -> tuple[RunConfig, dict[str, Any]]:
    """A run whose model has just these tensors, and that this is all that is known of it.

    Raises:
        ValueError: It is not the paper's framework.
    """
    return preset("cpu").change(model=model_of(state)), {"told by": "its tensors"}


def bare_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors without :data:`PREFIXES`, where every name begins with one."""
    for prefix in PREFIXES:
        if state and all(name.startswith(prefix) for name in state):
            return bare_names({name[len(prefix) :]: value for name, value in state.items()})
    return dict(state)


def model_of(state: Mapping[str, Tensor]) -> ModelConfig:
    """The framework that has just these tensors.

    Raises:
        ValueError: It is not the paper's framework.
    """
    try:
        first = state["backbone.blocks.0.0.0.weight"]
        embed, classify = state["embed.weight"], state["classify.weight"]
    except KeyError:
        first = ", ".join(list(state)[:3])
        raise ValueError(f"weights of another network than this course's: {first}, ...") from None
    parts = {name.partition(".")[0] for name in state}
    common = {
        "fusion": "edge" in parts,
        "gcca": any(name.startswith("backbone.attentions") for name in state),
        "decoder": "decoder" in parts,
        "reverse": "reverse5" in parts,
        "in_channels": first.shape[1],
        "width": first.shape[0] / 64,
        "embedding": embed.shape[0],
        "num_classes": classify.shape[0],
    }
    shapes = {name: tensor.shape for name, tensor in state.items()}
    for attention in ATTENTIONS if common["gcca"] else ("gcca",):
        config = ModelConfig(**common, joint_loss=common["reverse"], attention=attention)
        with torch.device("meta"):
            made = build(config).state_dict()
        if shapes == {name: tensor.shape for name, tensor in made.items()}:
            return config
    raise ValueError("a checkpoint of this course's framework with settings that cannot be told")
