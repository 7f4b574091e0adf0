"""Options that several commands share, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fercourse.errors import FercourseError

DataOption = Annotated[
    str | None,
    typer.Option("--data", help="synthetic, fer2013, ckplus, or a path; the preset's by default."),
]

Weights = Annotated[
    str, typer.Option("--weights", "-w", help="A model.safetensors, or a bundled model's name.")
]

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]

Epochs = Annotated[int | None, typer.Option(help="Passes over the training faces.")]

Lr = Annotated[float | None, typer.Option(help="Peak learning rate.")]

BatchSize = Annotated[int | None, typer.Option(help="Faces a step.")]


def changes(
    settings: list[str] | None, epochs: int | None, lr: float | None, batch_size: int | None
) -> dict[str, Any]:
    """Config fields by their dotted names, of ``--set`` and of the options for three of them.

    Raises:
        FercourseError: A field is given both ways.
    """
    named = {"train.epochs": epochs, "train.lr": lr, "train.batch_size": batch_size}
    found = {name: value for name, value in named.items() if value is not None}
    for name, value in map(setting, settings or []):
        if name in found:
            option = name.partition(".")[2].replace("_", "-")
            raise FercourseError(f"{name} is given twice: by --{option} and by --set.")
        found[name] = value
    return found


def setting(text: str) -> tuple[str, Any]:
    """``train.epochs=5`` to a name and a value."""
    name, found, value = text.partition("=")
    if not found or "." not in name:  # seed and model have options of their own
        raise FercourseError(f"--set takes name=value, such as train.epochs=5, not {text!r}.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def load_data(data: str | None, config: Any) -> tuple[Any, Any]:
    """The data set, and the config with its name in it."""
    from dataclasses import replace

    from fercourse.datasets.load import load_config

    dataset = load_config(config.data, data)
    return dataset, replace(config, data=replace(config.data, name=dataset.name))


def data_set(data: str) -> tuple[str, str | None]:
    """Name and place of a data set given by either."""
    from fercourse.datasets.registry import REGISTRY

    if data in REGISTRY:
        return data, None
    from fercourse.datasets.load import read_table

    path = Path(data).resolve()
    return read_table(None, path).name, str(path)


def numbers(text: str) -> tuple[int, ...]:
    """Of "1,3,6"."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise FercourseError(f"--models takes numbers such as 1,3,6, not {text!r}.") from None


def save_figure(figure: Any, path: Path) -> None:
    """As PNG, whole or not at all."""
    from fercourse.files import atomic_write

    with atomic_write(path) as part:
        figure.savefig(part, format="png")
