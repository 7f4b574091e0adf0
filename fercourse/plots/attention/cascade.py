"""The cascade of fig. 1: what reverse attention erases, and what it makes of the rest."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain import Maps, map_statistics, maps
from fercourse.labels import Expression
from fercourse.models.fernet import FERNet
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare, picture
from fercourse.plots.style import GREY, MATRIX, course_style, headline, new_figure, tight

STAGES = {
    "global": r"$\sigma(P_d)$",
    "reverse5": "$A_5$",
    "remaining5": "$R_5$",
    "refined5": r"$\sigma(S_5)$",
    "reverse4": "$A_4$",
    "remaining4": "$R_4$",
    "refined4": r"$\sigma(S_4)$",
    "reverse3": "$A_3$",
    "remaining3": "$R_3$",
    "refined3": r"$\sigma(S_3)$",
}
"""Maps in the order in which fig. 1 makes them."""


@course_style()
def cascade(model: FERNet, faces: Faces) -> Figure:
    """The cascade, a row a face: global map, then per block what is erased, left and refined.

    Each column has one colour scale over all faces, bright is high, so that rows compare; its ends
    are printed below it, for a scale stretched over a flat map would show differences that hardly
    exist. The headline compares the standard deviation over a face of S_3 with that of P_d.

    Args:
        model: With reverse attention, so Table 1's model 5 or 6.
        faces: A few; one row each.

    Raises:
        FercourseError: There are no faces, or the model has no reverse attention.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    if not model.config.reverse:
        raise FercourseError(
            "this model has no reverse attention to show: take Table 1's model 5 or 6, or "
            "plots.through_models to see what this one has."
        )
    found = maps(model, faces)
    figure = new_figure(height=0.95 + 0.62 * len(faces))
    figure.png_dpi = 110
    axes = figure.subplots(len(faces), 1 + len(STAGES), squeeze=False)
    tight(figure, 0.01)
    _faces(axes[:, 0], faces, found)
    for column, (name, title) in enumerate(STAGES.items(), start=1):
        shown = found[name].numpy()
        low, high = float(shown.min()), float(shown.max())
        for row in range(len(faces)):
            axes[row, column].imshow(shown[row], cmap=MATRIX, vmin=low, vmax=high)
            bare(axes[row, column])
        axes[0, column].set_title(title, loc="center")
        axes[-1, column].set_xlabel(f"{low:.2f}\nto {high:.2f}", fontsize=7, color=GREY)
    headline(figure, _in_words(found, faces))
    describe(
        figure,
        "Faces in rows, each beside its maps in the order of fig. 1, from the "
        "global map to the refined one. Bright is high; each column has one scale, and the "
        "numbers below are its ends",
    )
    return figure


def _faces(column: np.ndarray, faces: Faces, found: Maps) -> None:
    answers = found.logits.argmax(1)
    column[0].set_title("face", loc="center")
    for axes, image, label, answer in zip(column, faces.images, faces.labels, answers, strict=True):
        picture(axes, image)
        said = "" if answer == label else f"\n(not {Expression(int(answer)).name.lower()})"
        axes.set_ylabel(
            Expression(int(label)).title + said, fontsize=7, rotation=0, ha="right", va="center"
        )


def _in_words(found: Maps, faces: Faces) -> str:
    first, last = map_statistics(found["global"]), map_statistics(found["refined3"])
    text = (
        f"Refinement makes the map vary {last.within / first.within:.1f} times as much over a face"
    )
    if faces.ids is None:  # a photograph of anyone's, of which nobody said what it shows
        return text
    right = int((found.logits.argmax(1) == faces.labels).sum())
    return f"{text}; {right} of {len(faces)} recognised"
