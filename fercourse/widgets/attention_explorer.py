"""Where a model looks: any face, any model, any map."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import ipywidgets
from matplotlib.figure import Figure
from torch import Tensor

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import METHODS, TITLES, Maps, gradcam, maps, truth
from fercourse.labels import Expression
from fercourse.models.recogniser import Recogniser
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import NARROW, menu, titles, varied

PREDICTED = -1


def attention(
    models: Mapping[str, Recogniser], faces: Faces, target: Tensor | None = None
) -> Explorer:
    """One face, one model, one of its maps or a class activation map, held against the truth.

    Args:
        models: By name, such as ``{"model 1": ..., "model 6": ...}``.
        faces: To choose from; built-in ones carry the truth.
        target: bool (N, H, W), outlined and scored against in place of the acting units' masks,
            such as :func:`fercourse.explain.truth`'s of the regions.

    Raises:
        FercourseError: There are no faces or no models.
    """
    if not models:
        raise FercourseError("there are no models to choose from.")
    options = titles(faces)
    if target is not None and target.shape != faces.images.shape:
        raise FercourseError(
            f"a target {tuple(target.shape)} does not fit faces {tuple(faces.images.shape)}."
        )
    truths = truth(faces) if target is None and faces.drawing is not None else target
    names = METHODS | {k: _plain(t) for k, t in TITLES.items() if not k.startswith("after")}

    @functools.lru_cache(maxsize=64)
    def seen(model: str, face: int) -> Maps:
        return maps(models[model], faces[face : face + 1])

    @functools.lru_cache(maxsize=64)
    def activation(model: str, face: int, method: str, aim: int) -> Tensor:
        wanted = None if aim == PREDICTED else aim
        return gradcam(models[model], faces[face : face + 1], method, wanted)[0]

    def draw(model: str, face: int, kind: str, aim: int, opacity: float) -> Figure:
        found = seen(model, face)
        if kind in METHODS:
            heat, title = activation(model, face, kind, aim), METHODS[kind]
            if kind != "eigencam":
                at = int(found.logits[0].argmax()) if aim == PREDICTED else aim
                title += f" for {Expression(at).title}"
        elif kind in found.on_face:
            heat, title = found[kind][0], TITLES[kind]
        else:
            raise FercourseError(
                f"{model} does not make {names[kind]}: it lacks that component; choose another map "
                "or another model."
            )
        return plots.look(
            faces.images[face],
            int(faces.labels[face]),
            heat,
            found.logits[0].softmax(0),
            title,
            opacity,
            None if truths is None else truths[face],
        )

    classes = [("predicted", PREDICTED), *((e.title, int(e)) for e in list(Expression)[:7])]
    return Explorer(
        draw,
        "Which map looks where the expression is made? Dashes mark where that is.",
        face=menu("face", options, width="150px"),
        model=menu("model", list(models), width="150px"),
        kind=menu("map", [(name, key) for key, name in names.items()], width="240px"),
        aim=menu("class, for CAMs", classes, width="215px"),
        opacity=ipywidgets.FloatSlider(
            description="opacity",
            value=0.6,
            max=1,
            step=0.05,
            style=NARROW,
            layout=ipywidgets.Layout(width="260px"),
        ),
        states={
            "face": varied(faces, 4),
            "model": list(models)[:1] + list(models)[1:][-1:],
            "kind": ["gradcam", "eigencam", "before3", "before5", "global", "refined3"],
        },
    )


def _plain(title: str) -> str:
    """A title without mathtext, for a list: "$A_5$" is "A5"."""
    return title.replace("$", "").replace("_", "").replace(r"\sigma", "σ")
