"""``fercourse export`` and ``fercourse calibrate``: what else can be made of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercourse.cli.options import DataOption, Device, Weights
from fercourse.settings import BUNDLED


def export(
    onnx: Annotated[Path, typer.Option(help="The file to write.")],
    weights: Weights = BUNDLED,
) -> None:
    """Write a model as ONNX, pixels in and probabilities out, and check it on 100 faces."""
    import fercourse
    from fercourse.evaluation.onnx_export import export_onnx
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    trained = load_weights(find_weights(weights))
    faces = fercourse.load("synthetic", size=trained.run.data.size, count=210).train.images[:100]
    done = export_onnx(trained, onnx, faces)
    print(
        f"{done.path}: {done.faces} drawn faces read by onnxruntime and by torch, at most "
        f"{done.difference:.1g} apart; onnxruntime takes {done.onnx_seconds / done.faces * 1e3:.2f}"
        f" ms a face, torch {done.torch_seconds / done.faces * 1e3:.2f}."
    )


def calibrate(weights: Weights, data: DataOption = None, device: Device = "auto") -> None:
    """Fit a temperature on the validation split, and store it with the weights."""
    from fercourse.datasets.load import load_config
    from fercourse.device import find_device
    from fercourse.evaluation.calibration import calibrate as fit
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    path = find_weights(weights)
    faces = load_config(load_weights(path).run.data, data)
    fitted = fit(path, faces, find_device(device))
    print(f"{path}: temperature {fitted.temperature:g}, fitted on {len(faces.val)} faces.")
