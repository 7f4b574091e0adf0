"""The partial decoder's map of any face, and the answer without its where."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.flatten import flat_map
from fercourse.explain.layers import as_input, eval_mode
from fercourse.models.fernet import FERNet
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import menu, titles, varied


def decoder_map(models: Mapping[str, FERNet], faces: Faces) -> Explorer:
    """P_d over a face, its weights, and the answer under it and under its mean.

    Args:
        models: By name, each with the partial decoder: Table 1's models 4, 5 or 6.
        faces: To choose from.

    Raises:
        FercourseError: There are no faces, no models, or one without a decoder.
    """
    options = titles(faces)
    if not models:
        raise FercourseError("there are no models to choose from.")
    if without := [name for name, m in models.items() if not m.config.decoder]:
        raise FercourseError(f"{without[0]} has no partial decoder: take models 4, 5 or 6.")

    @functools.lru_cache(maxsize=64)
    @torch.no_grad()
    def answers(model: str, face: int) -> tuple[Tensor, list[float], list[float]]:
        net = models[model]
        x = as_input(net, faces[face : face + 1])
        with eval_mode(net):
            usual = net(x)
            with flat_map(net):
                flat = net(x)
        before, after = (o.logits[0].softmax(0).tolist() for o in (usual, flat))
        return usual.maps["global"][0, 0].cpu(), before, after

    def draw(model: str, face: int) -> Figure:
        region, before, after = answers(model, face)
        return plots.decoder_map(faces.images[face], int(faces.labels[face]), region, before, after)

    return Explorer(
        draw,
        "Look for a face whose answer hangs on where the map is high. Is there one?",
        face=menu("face", options, width="170px"),
        model=menu("model", list(models), width="160px"),
        states={"face": varied(faces, 6), "model": list(models)},
    )
