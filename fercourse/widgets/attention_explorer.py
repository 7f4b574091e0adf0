"""Where a model looks: any face, any model, any map."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import METHODS, TITLES, Maps, baselines, gradcam, maps, truth
from fercourse.explain.score import precision_recall_area
from fercourse.labels import Expression
from fercourse.models.build import build
from fercourse.models.recogniser import Recogniser
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import NARROW, menu, titles, varied

PREDICTED = -1
OWN, TWIN, EDGES, CENTRE = "trained", "untrained", "own edges", "centre"
SHOWN = {
    "the model's map": OWN,
    "the same of an untrained twin": TWIN,
    "the face's own edges": EDGES,
    "a Gaussian in the centre": CENTRE,
}
"""What may lie on the face."""


def attention(
    models: Mapping[str, Recogniser], faces: Faces, target: Tensor | None = None
) -> Explorer:
    """One face, one model, one of its maps or a class activation map, held against the truth.

    Where the truth is known, the map's score stands beside those of three rivals that learnt
    nothing: the same map of an untrained twin, the face's own edges, and a Gaussian in the centre.

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

    @functools.lru_cache(maxsize=8)
    def network(model: str, twin: bool) -> Recogniser:
        if not twin:
            return models[model]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return build(models[model].config).to(next(models[model].parameters()).device).eval()

    @functools.lru_cache(maxsize=64)
    def seen(model: str, twin: bool, face: int) -> Maps:
        return maps(network(model, twin), faces[face : face + 1])

    @functools.lru_cache(maxsize=64)
    def heat(model: str, twin: bool, face: int, kind: str, at: int) -> Tensor:
        if kind in METHODS:
            return gradcam(network(model, twin), faces[face : face + 1], kind, at)[0]
        return seen(model, twin, face)[kind][0]

    def draw(model: str, face: int, kind: str, aim: int, opacity: float, shown: str) -> Figure:
        found = seen(model, False, face)
        at = int(found.logits[0].argmax()) if aim == PREDICTED else aim
        if kind in METHODS:
            title = METHODS[kind]
            if kind != "eigencam":
                title += f" for {Expression(at).title}"
        elif kind in found.on_face:
            title = TITLES[kind]
        else:
            raise FercourseError(
                f"{model} does not make {names[kind]}: it lacks that component; choose another map "
                "or another model."
            )
        blind = baselines(faces[face : face + 1], faces)
        rivals = {
            OWN: heat(model, False, face, kind, at),
            TWIN: heat(model, True, face, kind, at),
            EDGES: blind["own edges"][0],
            CENTRE: blind["centre"][0],
        }
        known = None if truths is None else truths[face]
        scores = None
        if known is not None and known.any():
            scores = {
                name: float(precision_recall_area(rival[None], known[None]))
                for name, rival in rivals.items()
            }
        return plots.look(
            faces.images[face],
            int(faces.labels[face]),
            rivals[shown],
            found.logits[0].softmax(0),
            {OWN: title, TWIN: f"{title}, untrained", EDGES: "own edges", CENTRE: "centre"}[shown],
            opacity,
            known,
            scores,
            shown,
        )

    classes = [("predicted", PREDICTED), *((e.title, int(e)) for e in list(Expression)[:7])]
    return Explorer(
        draw,
        "Does a trained map find the dashed truth better than three rivals that learnt nothing?",
        face=menu("face", options, width="150px"),
        model=menu("model", list(models), width="150px"),
        kind=menu("map", [(name, key) for key, name in names.items()], width="240px"),
        shown=menu("shown", list(SHOWN.items()), width="260px"),
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
