"""All scores of one trained model, as rows for the score book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from fercourse.datasets.faces import FaceDataset, Faces
from fercourse.errors import FercourseError
from fercourse.explain.baselines import baselines, untrained
from fercourse.explain.faithful import SHARES, curves, road
from fercourse.explain.gradcam import METHODS, gradcam
from fercourse.explain.map_statistics import map_statistics
from fercourse.explain.maps import maps
from fercourse.explain.sanity import DRAWS, Explain, flips, randomise
from fercourse.explain.score import Estimate, bootstrap, score, truth
from fercourse.models.recogniser import Recogniser
from fercourse.runs.measured import commit, versions
from fercourse.runs.score_book import ScoreRow, weights_digest
from fercourse.runs.statistics import mean_interval
from fercourse.weights.trained import Trained

Scores = dict[str, dict[str, list[float]]]
"""By metric and group, as a row has them."""

Stamp = dict[str, Any]
"""What all rows of one model share."""

_FEWEST = 7
"""Faces of Ablation-CAM's sanity check."""

CHECKED = ("before2", "before3", "global", "refined3")
"""Internal maps that are put to the slow checks too, as far as a model has them."""


def measure(
    trained: Trained,
    data: FaceDataset,
    *,
    methods: Sequence[str] = tuple(METHODS),
    layers: Sequence[str] = ("block5",),
    count: int = 210,
    slow_count: int = 70,
    sanity: bool = False,
    faithful: bool = False,
    seed: int = 0,
    variant: str | None = None,
    draws: int = DRAWS,
) -> list[ScoreRow]:
    """Hold every map of a model against the truth, or, on photographs, against its own answer.

    On built-in faces: scores of all internal maps, of class activation maps of the predicted
    class, of baselines, and of untrained networks. On faces without masks: deletion, insertion and
    ROAD of the class activation maps, of :data:`CHECKED` and of the baselines.

    Args:
        trained: As :func:`fercourse.load_weights` or :func:`fercourse.pretrained` gives it.
        data: The held-out split is explained, the mean of the training split is a baseline.
        methods: Of :data:`METHODS`.
        layers: Where class activation maps are made.
        count: Faces of the held-out split, from its start.
        slow_count: Faces for Ablation-CAM, the sanity checks and ROAD.
        sanity: Add cascading randomisation and flip agreement.
        faithful: Add deletion, insertion and ROAD on faces that have masks too.
        seed: Of the bootstrap and the random map.
        draws: Initialisations of untrained networks and of the sanity checks.
        variant: What is varied; by default the row of Table 1, "model6".
    """
    model = trained.network
    unknown = set(methods) - METHODS.keys()
    if unknown:
        raise FercourseError(
            f"there is no method {min(unknown)!r}; use one of {', '.join(METHODS)}."
        )
    faces, few = data.test[:count], data.test[: min(count, slow_count)]
    stamp = {
        "run": trained.key,
        "variant": variant or model.config.name,
        "weights": weights_digest(model),
        "fingerprint": data.fingerprint,
        "split": "test",
        "seed": seed,
        "commit": commit(),
        "versions": versions(),
    }
    flat = baselines(faces, data.train, seed)
    cams: dict[tuple[str, str], Tensor] = {}
    for place in layers:
        for method in methods:
            shown = few if method == "ablationcam" else faces
            cams[method, place] = gradcam(model, shown, method, layer=place)

    rows = []
    if faces.drawing is not None:
        own, regions = maps(model, faces), truth(faces, regions=True)
        for name, found in own.on_face.items():
            if name.startswith("after") and not model.config.gcca:
                continue  # the same as before
            about = map_statistics(found.clamp_min(0), truth(faces))._asdict()
            rows.append(_row("map", name, found, faces, regions, stamp, spread=_rounded(about)))
        for name, found in flat.items():
            rows.append(_row("baseline", name, found, faces, regions, _of_no_model(stamp)))
        rows += _untrained(faces, regions, model.config.width, draws, _of_no_model(stamp))
        for (method, place), found in cams.items():
            n = len(found)
            rows.append(_row("cam", method, found, faces[:n], regions[:n], stamp, layer=place))
        if model.config.gcca:
            rows.append(_gates(own.weights, faces, stamp))
    if faithful or faces.drawing is None:
        for (method, place), found in cams.items():
            rows.append(_faithful(model, method, place, found, few, stamp))
        for name, found in (_checked(model, few) | flat).items():
            rows.append(_faithful(model, name, "", found, few, stamp))
    if sanity:
        with torch.no_grad():
            classes = maps(model, few).logits.argmax(1)
        for method in methods:
            for place in layers:
                n = _FEWEST if method == "ablationcam" else len(few)  # a pass for each channel
                cam = partial(gradcam, method=method, target=classes[:n], layer=place)
                rows.append(_sanity(model, method, place, cam, few[:n], draws, stamp))
        for name in _checked(model, few):
            own_map = partial(_own_map, name=name)
            rows.append(_sanity(model, name, "", own_map, few, draws, stamp))
    return rows


def _checked(model: Recogniser, faces: Faces) -> dict[str, Tensor]:
    found = maps(model, faces).on_face
    return {name: found[name] for name in CHECKED if name in found}


def _own_map(model: Recogniser, images: Tensor, name: str) -> Tensor:
    return maps(model, images)[name]


def _row(
    kind: str, name: str, found: Tensor, faces: Faces, regions: Tensor, stamp: Stamp, **more: Any
) -> ScoreRow:
    scores = _scores(found, faces, regions, stamp["seed"])
    return ScoreRow(kind=kind, name=name, n=len(faces), scores=scores, **stamp, **more)


def _scores(found: Tensor, faces: Faces, regions: Tensor, seed: int) -> Scores:
    """A map against both truths: the pixels that changed, and the regions units could move."""
    return {
        f"{metric}{suffix}": {group: _list(e) for group, e in groups.items()}
        for suffix, masks in (("", None), ("_regions", regions))
        for metric, groups in score(found, faces, seed, masks).items()
    }


def _untrained(
    faces: Faces, regions: Tensor, width: float, draws: int, stamp: Stamp
) -> list[ScoreRow]:
    """Networks that learnt nothing: mean over initialisations, between the lowest and highest."""
    drawn: dict[str, list[Scores]] = {}
    for seed in range(draws):
        for name, found in untrained(faces, width, seed).items():
            drawn.setdefault(name, []).append(_scores(found, faces, regions, stamp["seed"]))
    return [
        ScoreRow(
            kind="baseline",
            name=name,
            n=len(faces),
            scores={
                metric: {group: _range([s[metric][group] for s in each]) for group in groups}
                for metric, groups in each[0].items()
            },
            note=f"mean, lowest and highest of {draws} initialisations at width {width:g}",
            **stamp,
        )
        for name, each in drawn.items()
    ]


def _range(draws: Sequence[list[float]]) -> list[float]:
    values = [value for value, *_ in draws]
    return [round(sum(values) / len(values), 4), min(values), max(values), draws[0][3]]


def _faithful(
    model: Recogniser, name: str, place: str, found: Tensor, faces: Faces, stamp: Stamp
) -> ScoreRow:
    found = found[: len(faces)]
    result = curves(model, faces, found)
    names = [f"{share:.1f}" for share in SHARES]
    deletion, insertion = result.areas
    scores = {
        "deletion": _steps(names, result.deletion.T, faces),
        "insertion": _steps(names, result.insertion.T, faces),
        "area": _steps(["deletion", "insertion"], [deletion, insertion], faces),
        "road": _steps(["all"], [road(model, faces, found)], faces),
    }
    return ScoreRow(kind="faithful", name=name, layer=place, n=len(faces), scores=scores, **stamp)


def _sanity(
    model: Recogniser,
    name: str,
    place: str,
    explain: Explain,
    faces: Faces,
    draws: int,
    stamp: Stamp,
) -> ScoreRow:
    alike = randomise(model, faces, explain, draws)
    alike = {part: found.mean(1) for part, found in alike.items()}  # (D,) each
    turned = flips(model, faces, explain)  # (N,)
    scores = {
        # Initialisations differ more than faces do: the interval is over them, and each is kept.
        "randomised": {part: _over_draws(means, len(faces)) for part, means in alike.items()},
        "draws": {
            f"{part}, {k}": [round(float(v), 4)] * 3 + [len(faces)]
            for part, means in alike.items()
            for k, v in enumerate(means)
        },
        "flip": _steps(["all"], [turned], faces),
    }
    return ScoreRow(kind="sanity", name=name, layer=place, n=len(faces), scores=scores, **stamp)


def _gates(weights: dict[int, Tensor], faces: Faces, stamp: Stamp) -> ScoreRow:
    """How much GCCA chooses: spread of its weights over channels, and over faces."""
    blocks = [f"block{i}" for i in weights]
    chosen = [w.std(1, correction=0) for w in weights.values()]
    changed = [(w - w.mean(0)).abs().mean(1) for w in weights.values()]
    scores = {
        "over channels": _steps(blocks, chosen, faces),
        "over faces": _steps(blocks, changed, faces),
    }
    return ScoreRow(kind="gate", name="gcca", n=len(faces), scores=scores, **stamp)


def _steps(names: Sequence[str], values: Iterable[Any], faces: Faces) -> dict[str, list[float]]:
    """One estimate a step, over faces."""
    return {
        name: _list(bootstrap(v, faces.subjects)) for name, v in zip(names, values, strict=True)
    }


def _over_draws(means: Tensor, n: int) -> list[float]:
    low, high = mean_interval(means.tolist())
    return [round(means.mean().item(), 4), round(low, 4), round(high, 4), n]


def _list(e: Estimate) -> list[float]:
    return [round(e.value, 4), round(e.low, 4), round(e.high, 4), e.n]


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(v, 5) for name, v in values.items()}


def _of_no_model(stamp: Stamp) -> dict[str, Any]:
    """A baseline's score is the same for every model, so the book holds it once."""
    return stamp | {"weights": "", "run": "", "variant": "baseline"}
