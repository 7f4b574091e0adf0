"""Turn MTCNN's thresholds, and see what each of its three networks lets through."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import ipywidgets as w
import numpy as np
from matplotlib.figure import Figure

from fercourse.datasets.synthetic import scene
from fercourse.detection import StagedSearch
from fercourse.detection.stages import THRESHOLDS
from fercourse.plots.data.mtcnn_stages import mtcnn
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.pictures import example, read_upload

PICTURES = {
    "photograph, 1 face": 0,
    "drawn, 4 faces": 4,
    "drawn, 6 faces": 6,
    "drawn, 12 faces": 12,
}
HOPPER = (177.0, 110.0, 352.0, 345.0)
"""Where the face is in matplotlib's grace_hopper.jpg, by eye: left, top, right, bottom, pixels."""


class _Shown(NamedTuple):
    image: np.ndarray
    truth: np.ndarray


def detection(picture: str = "drawn, 6 faces") -> Explorer:
    """Three thresholds and the smallest face, on a drawn scene or a photograph.

    Args:
        picture: One of :data:`PICTURES`, shown first.
    """
    small = w.Layout(width="330px")
    nets = [
        w.FloatSlider(
            t,
            min=0.3,
            max=0.999,
            step=0.01,
            description=name,
            layout=small,
            tooltip=f"least probability that passes {name}",
        )
        for name, t in zip(("P-Net", "R-Net", "O-Net"), THRESHOLDS, strict=True)
    ]
    return Explorer(
        _figure,
        "Raise O-Net's threshold, then the smallest face: which faces go first?",
        picture=w.Dropdown(
            options=list(PICTURES), value=picture, layout=small, description="picture"
        ),
        seed=w.IntSlider(
            0,
            0,
            30,
            description="scene",
            layout=small,
            tooltip="who stands where, in the drawn pictures",
        ),
        pnet=nets[0],
        rnet=nets[1],
        onet=nets[2],
        min_face=w.IntSlider(
            20,
            12,
            160,
            description="smallest",
            layout=small,
            tooltip="smallest face looked for, pixels",
        ),
        states={
            "picture": [picture, next(name for name, faces in PICTURES.items() if not faces)],
            "onet": [0.4, THRESHOLDS[2], 0.9, 0.99, 0.998],
            "min_face": [12, 20, 60, 110],
        },
    )


def _figure(
    picture: str, seed: int, pnet: float, rnet: float, onet: float, min_face: int
) -> Figure:
    count = PICTURES[picture]
    shown = _shown(count, seed if count else 0)
    stages = _search(count, seed if count else 0, min_face).stages((pnet, rnet, onet))
    return mtcnn(shown.image, stages, shown.truth)


@lru_cache(maxsize=4)
def _shown(count: int, seed: int) -> _Shown:
    if count:
        drawn = scene(count, seed=seed)
        return _Shown(drawn.image, drawn.boxes)
    return _Shown(np.asarray(read_upload(example())), np.array([HOPPER]))


@lru_cache(maxsize=2)
def _search(count: int, seed: int, min_face: int) -> StagedSearch:
    return StagedSearch(_shown(count, seed).image, min_face)
