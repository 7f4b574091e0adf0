"""Weights that come with the package: float16 safetensors, each with a model card beside it."""

from __future__ import annotations

from pathlib import Path

import torch

from fercourse.errors import FercourseError
from fercourse.weights.trained import Trained, load_weights

FOLDER = Path(__file__).parent


def bundled() -> list[tuple[str, int]]:
    """What there is: data set and model of Table 1, as :func:`pretrained` takes them."""
    names = sorted(path.stem for path in FOLDER.glob("*-model?.safetensors"))
    return [(name[: -len("-model6")], int(name[-1])) for name in names]


def find_weights(name: str | Path) -> Path:
    """Where weights lie: a file, a run's folder, or those of a bundled model, "fer2013-model6".

    Raises:
        FercourseError: There is neither such a file nor such a model.
    """
    known = [f"{data}-model{k}" for data, k in bundled()]
    if str(name) in known:
        return FOLDER / f"{name}.safetensors"
    if (Path(name) / "model.safetensors").is_file():
        return Path(name) / "model.safetensors"
    if not Path(name).is_file():
        raise FercourseError(
            f"There are no weights at {name}: name a model.safetensors that fercourse train wrote, "
            f"or one of the bundled {', '.join(known)}."
        )
    return Path(name)


def pretrained(
    data: str = "fer2013", model: int = 6, device: str | torch.device = "cpu"
) -> Trained:
    """A trained network and the run it comes from.

    Args:
        data: What it was trained on: "fer2013" or "synthetic" (the built-in faces), or
            "synthetic-supervised": those, with its maps trained on what expressions change.
        model: Row of Table 1; on fer2013 there are 1 and 6, on synthetic all six, supervised 5.
        device: Where to put it.

    Raises:
        FercourseError: There are no such weights in the package.
    """
    if (data, model) not in bundled():
        known = ", ".join(f"{name} {number}" for name, number in bundled())
        raise FercourseError(
            f"No weights of model {model} on {data!r} are bundled; there are: {known}."
        )
    return load_weights(FOLDER / f"{data}-model{model}.safetensors", device)
