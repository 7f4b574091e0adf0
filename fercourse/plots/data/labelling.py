"""Twenty faces labelled by hand: the one that is asked, and the sheet at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fercourse.datasets.faces import Faces
from fercourse.datasets.field import People
from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import INK, MATRIX, PAPER, course_style, headline, new_figure, tight

CLASSES = 7
COLUMNS = 5


@course_style()
def face_to_label(image: np.ndarray, number: int, count: int) -> Figure:
    """One face, large, and how many there are."""
    figure = new_figure(height=3.2, width=3.2)
    axes = figure.add_subplot()
    tight(figure, 0.02)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    bare(axes)
    headline(figure, f"Face {number} of {count}: which expression?")
    return figure


@course_style()
def labelling_sheet(
    faces: Faces, answers: Sequence[int], seconds: Sequence[float], people: People, who: str = "You"
) -> Figure:
    """All faces with answer and label, what was taken for what, and agreement in numbers.

    Args:
        faces: Those shown.
        answers: One a face, values of :class:`fercourse.Expression`.
        seconds: That each took.
        people: What others reached on FER2013.
        who: Gave the answers.

    Raises:
        FercourseError: There is not one answer a face.
    """
    if not len(faces) or not len(faces) == len(answers) == len(seconds):
        raise FercourseError(
            f"{len(answers)} answers with {len(seconds)} times for {len(faces)} faces: the sheet "
            "takes one of each a face."
        )
    labels = faces.labels.numpy()
    given = np.asarray(answers)
    rows = -(-len(faces) // COLUMNS)
    figure = new_figure(height=0.92 * rows + 1.25)
    both: Any = figure.subfigures(1, 2, width_ratios=[1.15, 1])
    left, right = both
    for k, axes in enumerate(left.subplots(rows, COLUMNS, squeeze=False).ravel()):
        bare(axes)
        if k < len(faces):
            picture(axes, faces.images[k])
            same = given[k] == labels[k]
            title = Expression(int(given[k])).title
            axes.set_title(
                title if same else f"✗ {title}",
                loc="center", fontsize=7.5, color=INK if same else PAPER, pad=2,
                fontweight="normal" if same else "bold",
            )  # fmt: skip
            if not same:
                axes.set_xlabel(
                    f"label: {Expression(int(labels[k])).title}", fontsize=7, labelpad=1
                )
                corner, side = (-0.5, -0.5), faces.size
                axes.add_patch(Rectangle(corner, side, side, fill=False, ec=PAPER, lw=2, ls="--"))
    _matrix(right, labels, given)
    headline(figure, _in_words(labels, given, seconds, people, who))
    return figure


def _matrix(figure: Figure, labels: np.ndarray, given: np.ndarray) -> None:  # a subfigure
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, given), 1)
    axes = figure.add_subplot()
    axes.imshow(counts, cmap=MATRIX, vmin=0, vmax=max(1, counts.max()))
    for (y, x), n in np.ndenumerate(counts):
        if n:
            axes.text(x, y, str(n), ha="center", va="center", fontsize=8, fontweight="bold",
                      color=INK if n > 0.5 * counts.max() else "white")  # fmt: skip
    names = [Expression(k).title for k in range(CLASSES)]
    axes.set_xticks(range(CLASSES), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(CLASSES), names)
    axes.set(xlabel="answered", ylabel="label")
    axes.tick_params(length=0)
    axes.set_title("what was taken for what")


def _in_words(
    labels: np.ndarray, given: np.ndarray, seconds: Sequence[float], people: People, who: str
) -> str:
    from sklearn.metrics import cohen_kappa_score

    same = int((given == labels).sum())
    kappa = cohen_kappa_score(labels, given, labels=list(range(CLASSES)))
    agreed = "1 label of 1" if len(labels) == 1 else f"{same} of {len(labels)} labels"
    return (
        f"{who}: {agreed} ({same / len(labels):.0%}), Cohen's κ = {kappa:.2f}, "
        f"{np.median(seconds):.1f} s a face. People on FER2013: {people.accuracy:.0%} ± "
        f"{100 * people.error:.0f} ({people.source})"
    )
