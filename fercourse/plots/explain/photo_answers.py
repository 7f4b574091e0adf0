"""A photograph, the faces found in it, and what a model says of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from torch import Tensor

from fercourse.detection import crop
from fercourse.evaluation.recognise import FacePrediction
from fercourse.labels import Expression
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import FADED, GREY, INK, OURS, TRAIN, course_style, headline, new_figure

MOST = 3
"""Faces whose probabilities are shown."""


@course_style()
def reading(
    photo: Image.Image,
    predictions: Sequence[FacePrediction],
    size: int,
    seen: str = "",
    cuts: Sequence[Tensor] | None = None,
) -> Figure:
    """The photograph with numbered boxes; for its largest faces the crop and a bar an expression.

    Args:
        photo: RGB.
        readings: From :func:`fercourse.evaluation.recognise.recognise`, largest first.
        size: Of the crops, pixels: what the model sees.
        seen: A clause about what the model was trained on, for the headline.
        cuts: What it saw of each face, uint8 (size, size); None cuts the boxes.
    """
    shown = min(len(predictions), MOST)
    content = max(2.7, 1.3 * shown)  # inches
    figure = new_figure(height=content + 0.75)
    figure.set_layout_engine("none")  # places are fixed, so that it redraws fast
    inch = 1 / figure.get_figheight()
    axes = figure.add_axes((0.005, 0.1 * inch, 0.435 if shown else 0.99, content * inch))
    axes.imshow(_small(photo), extent=(0, photo.width, photo.height, 0))
    axes.set_anchor("NW")
    bare(axes)
    for k, found in enumerate(predictions, start=1):
        left, top, right, bottom = found.found.box
        colour = TRAIN if k <= shown else GREY
        axes.add_patch(
            Rectangle(
                (left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.8
            )
        )
        axes.text(
            left,
            top,
            f" {k} ",
            color=INK,
            fontsize=8,
            va="bottom",
            clip_on=True,
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8},
        )
    each = content / max(shown, 1)
    for k, found in enumerate(predictions[:shown]):
        base = 0.1 + content - (k + 1) * each  # inches from below
        top = figure.add_axes((0.46, (base + 0.3) * inch, 0.17, (each - 0.5) * inch))
        picture(top, crop(photo, found.found.box, size) if cuts is None else cuts[k])
        top.set_title(f"{k + 1}", loc="left")
        top.set_xlabel(f"{size} × {size}", fontsize=7.5)
        bars = figure.add_axes((0.735, (base + 0.12) * inch, 0.21, (each - 0.24) * inch))
        _bars(bars, found.probabilities)
    headline(figure, _in_words(predictions, shown, seen))
    describe(
        figure,
        "The photograph with numbered boxes around faces; beside it the cut "
        "faces with bars of the expressions' probabilities"
        if predictions
        else "The photograph, without a box",
    )
    return figure


def _bars(axes: Axes, probabilities: Sequence[float]) -> None:
    at = np.arange(len(probabilities))
    best = int(np.argmax(probabilities))
    axes.barh(at, probabilities, 0.7, color=[OURS if k == best else FADED for k in at])
    for k, p in enumerate(probabilities):
        axes.annotate(
            f"{p:.0%}",
            (p, k),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            fontweight="bold" if k == best else "normal",
        )
    axes.set_yticks(at, [Expression(k).title for k in at], fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(at) - 0.4, -0.6)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_visible(False)


def _small(photo: Image.Image) -> np.ndarray:
    """No more pixels than are shown."""
    copy = photo.copy()
    copy.thumbnail((640, 640), Image.Resampling.BILINEAR, reducing_gap=2)
    return np.asarray(copy)


def _in_words(predictions: Sequence[FacePrediction], shown: int, seen: str) -> str:
    if not predictions:
        return (
            "No face found. MTCNN looks for faces that look at you: come nearer, turn to the "
            "light, take off what hides eyes or mouth"
        )
    said = f"{len(predictions)} face{'s' * (len(predictions) > 1)} found"
    if len(predictions) > shown:
        said += f", the largest {shown} read"
    answers = [reading.ranked()[0] for reading in predictions[:shown]]
    said += ": " + ", ".join(f"{expression.title} {p:.0%}" for expression, p in answers)
    return said + (f". {seen}" if seen else "")
