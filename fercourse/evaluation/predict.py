"""From faces to probabilities, and from a held-out split to the numbers a report gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.datasets.faces import Faces
from fercourse.device import find_device, native_bf16
from fercourse.errors import FercourseError
from fercourse.evaluation import metrics
from fercourse.images import grey_faces
from fercourse.models.recogniser import Recogniser
from fercourse.preprocess import normalise, to_input
from fercourse.weights import find_weights
from fercourse.weights.trained import Trained, load_weights

Views = Literal["single", "flip", "ten"]


@dataclass(frozen=True)
class Evaluation:
    """How a model did on N images it never saw.

    Attributes:
        views: "single" is the image as it is; "flip" and "ten" average several views.
        accuracy: In [0, 1].
        accuracy_clean: Without the images that have a near-duplicate in the training split;
            None where no training split was given.
        recall: Per class, (K,); nan for a class with no image.
        confusion: Counts, true class by answered class, (K, K).
        leaked: How many duplicates were left out.
    """

    views: Views
    accuracy: float
    accuracy_clean: float | None
    recall: np.ndarray
    confusion: np.ndarray
    leaked: int

    @property
    def n(self) -> int:
        """Images judged."""
        return int(self.confusion.sum())


def evaluate(
    model: Recogniser | Trained | str | Path,
    faces: Faces,
    train: Faces | None = None,
    views: Views = "single",
    device: str | torch.device | None = None,
) -> Evaluation:
    """Judge a model on a split, with and without the images that leak from training.

    Args:
        model: Any mode; it is judged in evaluation mode. Or a file of weights, or a bundled
            model's name.
        faces: Usually ``dataset.test``.
        train: Usually ``dataset.train``; with it near-duplicates are found and left out beside.
        views: "single" (what a table should print), "flip" or "ten" (printed apart).
        device: None takes the best there is.
    """
    if not isinstance(faces, Faces):
        raise FercourseError(
            f"evaluate judges Faces, not a {type(faces).__name__}: make Faces(images, labels)."
        )
    p = probabilities(model, faces.images, views, device)
    return tally(p, faces, train, views)


def tally(
    p: Tensor, faces: Faces, train: Faces | None = None, views: Views = "single"
) -> Evaluation:
    """:func:`evaluate` of anything that gives probabilities (N, K) of N faces."""
    classes = p.shape[1]
    answers = p.argmax(1)
    confusion = metrics.confusion_matrix(faces.labels, answers, classes)
    clean, leaked = None, 0
    if train is not None:
        from fercourse.datasets.duplicates import leaked as find_leaked

        keep = ~torch.as_tensor(find_leaked(train, faces))
        leaked = int((~keep).sum())
        if keep.any():
            clean = metrics.confusion_matrix(faces.labels[keep], answers[keep], classes)
    return Evaluation(
        views=views,
        accuracy=metrics.accuracy(confusion),
        accuracy_clean=None if clean is None else metrics.accuracy(clean),
        recall=metrics.recall_per_class(confusion),
        confusion=confusion,
        leaked=leaked,
    )


@torch.no_grad()  # in inference mode, weights moved to the device could not be trained again
def probabilities(
    model: Recogniser | Trained | str | Path,
    images: Tensor | np.ndarray | Sequence[Any],
    views: Views = "single",
    device: str | torch.device | None = None,
    bf16: bool | None = None,
    batch_size: int | None = None,
) -> Tensor:
    """Class probabilities of uint8 faces (N, H, W): float32 (N, K), on the CPU.

    Args:
        model: Moved to the device and into evaluation mode for the call, and back. Or a file of
            weights, or a bundled model's name.
        images: uint8 (N, H, W), or what :func:`fercourse.images.grey_faces` makes that of.
        views: "single", "flip" (the image and its mirror image) or "ten" (four corners and the
            middle, nine tenths of the side, and their mirror images); the mean over the views.
        device: Where to compute; None takes the best there is.
        bf16: None takes bf16 where it is native.
        batch_size: Images at a time; None takes :func:`at_a_time`, on CUDA four times that.
    """
    if len(images) == 0:
        raise FercourseError("There is no face to classify: the batch is empty.")
    images, model = grey_faces(images), _network(model)
    device = find_device(device)
    bf16 = native_bf16(device) if bf16 is None else bf16
    home, was_training = next(model.parameters()).device, model.training
    model.to(device).eval()
    results = []
    try:
        # A GPU's kernels are done sooner than they are launched: four times as many at once.
        count = batch_size or at_a_time(images) * (4 if device.type == "cuda" else 1)
        for part in images.split(count):
            x = normalise(part.to(device))  # (B, 1, H, W)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                p = [model(to_input(v, model)).logits.float().softmax(1) for v in _views(x, views)]
            results.append(torch.stack(p).mean(0))
    finally:
        model.to(home).train(was_training)
    return torch.cat(results).cpu()  # once: a GPU would wait each time


def _network(model: Recogniser | Trained | str | Path) -> Recogniser:
    """The network itself, of whatever stands for one."""
    if isinstance(model, str | Path):
        model = load_weights(find_weights(model))
    if isinstance(model, Trained):
        return model.network
    if not isinstance(model, torch.nn.Module):
        raise FercourseError(
            f"A model is a network, loaded weights, or the path of a file of weights, not a "
            f"{type(model).__name__}."
        )
    return model


def at_a_time(images: Tensor) -> int:
    """How many images (N, ..., H, W) to run at once: 256 of 48 pixels, 20 of 224.

    A network's maps grow with the area; 256 faces of 224 pixels would need 10 GB.
    """
    return max(1, min(256, 2**20 // images.shape[-2:].numel()))


def _views(x: Tensor, views: Views) -> list[Tensor]:
    """The views of a batch, each (N, 1, H, W)."""
    if views == "single":
        return [x]
    if views == "flip":
        return [x, x.flip(3)]
    if views == "ten":
        height, width = x.shape[2:]
        y, z = round(0.05 * height), round(0.05 * width)  # what the middle leaves on each side
        corners = ((0, 0), (0, 2 * z), (2 * y, 0), (2 * y, 2 * z), (y, z))
        h, w = height - 2 * y, width - 2 * z
        crops = [x[:, :, top : top + h, left : left + w] for top, left in corners]
        sized = [F.interpolate(c, (height, width), mode="bilinear") for c in crops]
        return [view for crop in sized for view in (crop, crop.flip(3))]
    raise FercourseError(f"views must be single, flip or ten, not {views!r}.")
