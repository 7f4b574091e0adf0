"""A row of faces, where a network seems to look, and what it answers: a first impression."""

from __future__ import annotations

from matplotlib.figure import Figure
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.plots.overlay import overlay, picture
from fercourse.plots.style import FADED, SKY, TRAIN, course_style, headline, new_figure, tight


@course_style()
def first_look(faces: Faces, probabilities: Tensor, heats: Tensor) -> Figure:
    """A column a face: as it is, under its map, and the three likeliest answers as bars.

    Args:
        faces: N of them, few enough for a row.
        probabilities: (N, K), K expressions in label order.
        heats: A map a face, (N, H, W), each shown on its own scale.

    Raises:
        FercourseError: The three do not hold the same faces.
    """
    if not len(faces) or not len(faces) == len(probabilities) == len(heats):
        raise FercourseError(
            f"first_look needs as many answers and maps as faces: {len(faces)} faces, "
            f"{len(probabilities)} answers, {len(heats)} maps."
        )
    figure = new_figure(height=3.7)
    figure.png_dpi = 120
    axes = figure.subplots(3, len(faces), height_ratios=[1, 1, 0.85], squeeze=False)
    tight(figure, 0.03)
    right = 0
    for k, label in enumerate(faces.labels.tolist()):
        picture(axes[0, k], faces.images[k])
        axes[0, k].set_title(Expression(label).title, loc="center", fontweight="normal")
        overlay(axes[1, k], faces.images[k], heats[k], float(heats[k].min()), float(heats[k].max()))
        best = probabilities[k].argsort(descending=True)[:3].tolist()
        hit = best[0] == label
        right += hit
        bars = axes[2, k]
        bars.barh(
            range(3),
            probabilities[k][best].tolist(),
            0.75,
            color=[SKY if hit else TRAIN, FADED, FADED],
        )
        for at, answer in enumerate(best):
            bars.text(0.03, at, Expression(answer).title, va="center", fontsize=7.5)
        bars.invert_yaxis()
        bars.set(xlim=(0, 1), xticks=[], yticks=[])
        bars.set_xlabel(f"{'✓' if hit else '✗'} {probabilities[k][best[0]]:.0%}")
        bars.spines[:].set_visible(False)
    for row, words in enumerate(("drawn as", "its map", "answers")):
        axes[row, 0].set_ylabel(words)
    headline(figure, f"{right} of {len(faces)} faces are answered as they were meant")
    return figure
