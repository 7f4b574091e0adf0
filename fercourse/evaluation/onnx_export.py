"""A trained network as ONNX, for runtimes that know nothing of torch; checked against torch."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.labels import Expression
from fercourse.preprocess import MEAN, STD, to_input
from fercourse.weights.trained import Trained

CLOSE = 1e-4
"""Largest difference of a probability between the two; both compute in float32."""


class FromPixels(nn.Module):
    """Grey faces to calibrated probabilities: what stands around the network goes with it.

    Args:
        trained: Whose network, input size and temperature.
    """

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.network, self.temperature = trained.network.eval(), trained.temperature

    def forward(self, faces: Tensor) -> Tensor:
        """uint8 (N, S, S) to float32 (N, K)."""
        x = (faces.float() - 255 * MEAN) / (255 * STD)
        x = to_input(x[:, None], self.network)
        return (self.network(x).logits / self.temperature).softmax(1)


@dataclass(frozen=True)
class Exported:
    """A file of ONNX, and how it compares.

    Attributes:
        path: The file.
        faces: How many were read by both.
        difference: The largest one of a probability.
        torch_seconds: Of torch for all these faces, the faster of three passes.
        onnx_seconds: Of onnxruntime, likewise.
    """

    path: Path
    faces: int
    difference: float
    torch_seconds: float
    onnx_seconds: float


def export_onnx(trained: Trained, path: str | Path, faces: Tensor) -> Exported:
    """Write ``trained`` as ONNX, and read some faces with both.

    The model's input ``faces`` is uint8 (N, S, S), its output ``probabilities`` float32 (N, K);
    its metadata name the classes.

    Args:
        trained: On the CPU.
        path: The file; written only if both agree.
        faces: uint8 (N, S, S), of the network's size, to compare on.

    Raises:
        FercourseError: onnx, onnxscript or onnxruntime is missing, or the two differ.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  (torch's exporter needs it)
    except ImportError as error:
        raise FercourseError(
            "ONNX needs onnx, onnxscript and onnxruntime: run `make setup`, or "
            f"`pip install 'fercourse[onnx]'` ({error})."
        ) from error
    model = FromPixels(trained).eval()
    made: Any = torch.onnx.export(
        model,
        (faces[:2],),
        input_names=["faces"],
        output_names=["probabilities"],
        dynamic_shapes={"faces": {0: torch.export.Dim("n", min=1)}},
        dynamo=True,
        verbose=False,
    )
    proto = made.model_proto
    names = [Expression(k).name.lower() for k in range(trained.run.model.num_classes)]
    onnx.helper.set_model_props(proto, {"classes": json.dumps(names), "run": trained.key})
    content = proto.SerializeToString()

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    pixels = faces.numpy()

    def by_onnx() -> np.ndarray:
        return np.asarray(session.run(None, {"faces": pixels})[0])

    @torch.no_grad()
    def by_torch() -> np.ndarray:
        return model(faces).numpy()

    difference = float(np.abs(by_onnx() - by_torch()).max())
    if not difference <= CLOSE:
        raise FercourseError(
            f"onnxruntime and torch differ by {difference:.2g} on {len(faces)} faces, more than "
            f"{CLOSE:g}: {path} was not written."
        )
    seconds = [min(_seconds(run) for _ in range(3)) for run in (by_torch, by_onnx)]
    with atomic_write(path) as part:
        part.write_bytes(content)
    return Exported(Path(path), len(faces), difference, *seconds)


def _seconds(run: Any) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
