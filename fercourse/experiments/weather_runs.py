"""Judging recognisers in bad weather: every corruption, every severity, every cure asked for.

Nothing is trained or chosen here: networks come from weights, classics from their own validation
split, and the test split in bad weather only reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from tqdm.auto import tqdm

from fercourse.datasets.faces import FaceDataset, Faces
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities
from fercourse.experiments.shallow_runs import shallow_plan
from fercourse.runs.measured import commit, versions
from fercourse.runs.weather_row import WeatherRow, digits
from fercourse.shallow import CLASSICS, fit
from fercourse.weather import CORRUPTIONS, SEVERITIES, corrupt, cure
from fercourse.weights.trained import Trained

Answer = Callable[[Faces], Tensor]
"""Faces to class probabilities (N, K)."""


def weather_of(
    trained: Trained,
    data: FaceDataset,
    cures: Sequence[str] = ("none",),
    device: str | torch.device | None = None,
    progress: bool = False,
) -> list[WeatherRow]:
    """A trained network in bad weather, a row a cure.

    Args:
        trained: As :func:`fercourse.load_weights` gives it.
        data: Its test split is corrupted.
        cures: "none", or of :data:`fercourse.weather.CURES`.
        device: None takes the best there is.
        progress: Show a bar.
    """
    run = trained.run
    stamp = {
        "run": trained.key,
        "variant": f"{run.model.name}{'-fog' if run.train.fog else ''}",
        "recipe": f"{run.data.size} px, width {run.model.width:g}, {run.train.epochs} epochs, "
        f"{'no' if run.train.augment == 'none' else run.train.augment} augmentation",
        "seed": run.seed,
    }

    def answer(faces: Faces) -> Tensor:
        return probabilities(trained.network, faces.images, device=device)

    return [_judge(answer, data, name, stamp, progress) for name in cures]


def weather_of_classics(
    data: FaceDataset, cures: Sequence[str] = ("none",), progress: bool = False
) -> Iterable[WeatherRow]:
    """The methods before deep learning, trained anew, in bad weather: a row a method and cure.

    Args:
        data: All three splits are used, each for its own purpose.
        cures: "none", or of :data:`fercourse.weather.CURES`.
        progress: Show a bar.
    """
    if known(data.name).folded:
        raise FercourseError(f"{data.name} is cut into folds: take fer2013 or synthetic.")
    for planned in shallow_plan(data.name, CLASSICS):
        fitted = fit(planned.method, data.train, data.val, planned.seed)
        stamp = {
            "run": planned.key,
            "variant": planned.method.name,
            "recipe": "linear classifier",
            "seed": planned.seed,
        }
        for name in cures:
            yield _judge(fitted.probabilities, data, name, stamp, progress)


def _judge(answer: Answer, data: FaceDataset, name: str, stamp: dict, progress: bool) -> WeatherRow:
    """Clear air first, then every corruption: corrupted, then cured, then answered."""
    test = data.test

    def right(images: Tensor) -> Tensor:
        seen = replace(test, images=cure(images, name), drawing=None)
        return answer(seen).argmax(1) == test.labels  # bool (N,)

    places = [(kind, severity) for kind in CORRUPTIONS for severity in SEVERITIES]
    bar = partial(tqdm, desc=f"{stamp['variant']}, {name}", unit="weather", leave=False)
    found = {
        place: right(corrupt(test.images, *place)) for place in bar(places, disable=not progress)
    }
    counts = torch.stack(list(found.values())).sum(0)  # (N,)
    return WeatherRow(
        **stamp,
        dataset=data.name,
        fingerprint=data.fingerprint,
        n=len(test),
        cure=name,
        clear=int(right(test.images).sum()),
        right={
            kind: [int(found[kind, severity].sum()) for severity in SEVERITIES]
            for kind in CORRUPTIONS
        },
        hits=digits(counts.tolist()),
        commit=commit(),
        versions=versions(),
    )
