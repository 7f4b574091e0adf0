"""Options that several commands share, and what is made of them."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from fercourse.errors import FercourseError

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", help="synthetic, fer2013, ckplus, ferplus, or a path; the preset's by default."
    ),
]

Split = Annotated[
    bool,
    typer.Option(
        "--split", help="Cut the splits that a copy lacks off its training faces (data.seed)."
    ),
]

Classes = Annotated[
    str,
    typer.Option(
        help="What numbers stand for as classes: affectnet, rafdb, fer2013, ckplus, or names in "
        "order, neutral,happy,sad."
    ),
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
    if found and "." not in name:
        raise FercourseError(f"--set takes a field with its part{_whole_name(name)}, not {text!r}.")
    if not found:
        raise FercourseError(f"--set takes name=value, such as train.epochs=5, not {text!r}.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _whole_name(name: str) -> str:
    """Of "epochs", where it is a field: ": train.epochs"."""
    if name in ("seed", "model"):
        return f": {name} has an option of its own, --{name}"
    from fercourse.config import field_names

    fits = [whole for whole in field_names() if whole.partition(".")[2] == name]
    fits = fits or get_close_matches(name, field_names(), 1, 0.5)
    return f": {' or '.join(fits)}" if fits else ", such as train.epochs"


def cut_as(changed: dict[str, Any], split: bool, classes: str) -> dict[str, Any]:
    """The changes with what was said of a data set's files."""
    said = {"data.split": split, "data.classes": classes}
    return changed | {name: value for name, value in said.items() if value}


def load_data(data: str | None, config: Any) -> tuple[Any, Any]:
    """The data set, and the config with its name in it."""
    from dataclasses import replace

    from fercourse.datasets.load import load_config

    dataset = load_config(config.data, data)
    return dataset, replace(config, data=replace(config.data, name=dataset.name))


def data_set(data: str, classes: str = "") -> tuple[str, str | None]:
    """Name and place of a data set given by either."""
    from fercourse.datasets.registry import REGISTRY, canonical

    name = canonical(data)
    if name in REGISTRY and (name == data or not Path(data).exists()):
        return name, None
    from fercourse.datasets.load import read_table

    path = Path(data).resolve()
    return read_table(None, path, classes).name, str(path)


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
