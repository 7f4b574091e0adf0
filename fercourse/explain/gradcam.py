"""Class activation maps through the grad-cam package: one name a method, one name a layer."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import at_a_time
from fercourse.explain.layers import as_input, layer
from fercourse.labels import Expression
from fercourse.models.recogniser import Recogniser

METHODS: dict[str, str] = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "eigencam": "Eigen-CAM",
    "layercam": "Layer-CAM",
    "ablationcam": "Ablation-CAM",
}
"""Methods of :func:`gradcam` and their names in print."""

Target = int | str | Expression | Sequence[int] | Tensor | None


class Logits(nn.Module):
    """A FERNet that returns its logits alone, as other libraries expect of a classifier."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, K)."""
        return self.model(x).logits


def gradcam(
    model: Recogniser,
    images: Tensor | Faces,
    method: str = "gradcam",
    target: Target = None,
    layer: str = "block5",
    batch_size: int | None = None,
) -> Tensor:
    """Where a class gets its evidence from, for N faces: float32 (N, H, W), each from 0 to 1.

    Works on a copy of the model, so its gradients, mode and hooks stay as they are. A face in
    which nothing speaks for the class gets a map that is zero everywhere.

    Args:
        model: Any of Table 1's.
        images: uint8 (N, H, W), or Faces.
        method: One of :data:`METHODS`. Eigen-CAM asks for no class, and the sign of its map is
            arbitrary; Ablation-CAM needs a forward pass for each channel of each face.
        target: The class to explain, for all faces or one each; None takes the predicted one.
        layer: One of :func:`fercourse.explain.layers`.
        batch_size: Faces at a time; None takes as many as their size allows.

    Raises:
        FercourseError: An unknown method, layer or class, no face, or faces that are not grey;
            or the grad-cam package is absent.
    """
    if method not in METHODS:
        raise FercourseError(f"there is no method {method!r}; use one of {', '.join(METHODS)}.")
    x = as_input(model, images)
    classes = _targets(target, len(x), model.config.num_classes)
    own = copy.deepcopy(model).requires_grad_(True).eval()
    classifier, place = Logits(own), _layer(own, layer)
    found = []
    count = batch_size or at_a_time(x)
    for start in range(0, len(x), count):
        rows = slice(start, start + count)
        found.append(_batch(classifier, place, method, x[rows], classes and classes[rows]))
    return torch.cat(found)


_layer = layer  # the parameter of gradcam bears the same name


def _batch(
    classifier: Logits, place: nn.Module, method: str, x: Tensor, classes: list[int] | None
) -> Tensor:
    try:
        import pytorch_grad_cam as package
        from pytorch_grad_cam.ablation_layer import AblationLayer
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    except ModuleNotFoundError as error:
        raise FercourseError(
            f"class activation maps need {error.name}: pip install 'fercourse[explain]'."
        ) from error
    if classes is None:
        with torch.no_grad():
            classes = classifier(x).argmax(1).tolist()
    # What the package annotates as modules.
    targets: Any = [ClassifierOutputTarget(k) for k in classes or ()]
    kinds = {
        "gradcam": package.GradCAM,
        "gradcam++": package.GradCAMPlusPlus,
        "eigencam": package.EigenCAM,
        "layercam": package.LayerCAM,
    }
    if method == "ablationcam":
        # Its default ablation layer is shared by all calls and would keep the last batch alive.
        cam = package.AblationCAM(classifier, [place], ablation_layer=AblationLayer())
    else:
        cam = kinds[method](classifier, [place])
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # Ablation-CAM's bar, one a face
            maps = cam(x, targets)
    finally:
        cam.activations_and_grads.release()
    return torch.from_numpy(maps).float()


def _targets(target: Target, n: int, num_classes: int) -> list[int] | None:
    """A class for each face, or None for the predicted ones."""
    if target is None:
        return None
    if isinstance(target, int | str):
        classes = [int(Expression.parse(target))] * n
    else:
        classes = [int(k) for k in target]
        if len(classes) != n:
            raise FercourseError(f"{len(classes)} target classes for {n} faces.")
    for k in classes:
        if not 0 <= k < num_classes:
            raise FercourseError(f"the model has classes 0 to {num_classes - 1}, not {k}.")
    return classes
