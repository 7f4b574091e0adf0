"""``fercourse predict``: what the faces of a photograph express."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fercourse.cli.options import Device, Weights


def predict(
    photo: Annotated[Path, typer.Argument(help="A picture with faces in it.")],
    weights: Weights,
    out: Annotated[
        Path | None, typer.Option(help="The annotated picture; PHOTO-faces.png by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; draw only with --out.")] = (
        False
    ),
    device: Device = "auto",
) -> None:
    """Find the faces in a picture and say what they express."""
    from fercourse.evaluation.recognise import annotate, read_photo, recognise
    from fercourse.training.train import find_device
    from fercourse.weights.trained import load_weights

    trained = load_weights(weights)
    image = read_photo(photo)
    found = recognise(trained, image, find_device(device))
    if as_json:
        print(json.dumps([face.to_dict() for face in found], indent=1))
    else:
        for i, face in enumerate(found, start=1):
            shares = ", ".join(f"{e.title} {p:.0%}" for e, p in face.ranked()[:3])
            print(f"face {i} (found with p = {face.detection.probability:.4f}): {shares}")
        if not found:
            print(f"{photo}: no face was found.")
    if found and (out or not as_json):
        target = out or photo.with_name(f"{photo.stem}-faces.png")
        annotate(image, found, target)
        if not as_json:
            print(f"Drawn in {target}")
