"""Faces to label by hand, and how the labels agree with those that are there."""

from __future__ import annotations

import time
from typing import Any

import ipywidgets as w
import numpy as np
import traitlets
from matplotlib.figure import Figure

from fercourse import plots
from fercourse.datasets.faces import Faces
from fercourse.datasets.field import people
from fercourse.labels import BASIC, Expression
from fercourse.settings import interactive
from fercourse.widgets.explorer import Explorer
from fercourse.widgets.parts import lines, titles

COUNT = 20


class _Answers(traitlets.HasTraits):
    """What was said so far."""

    value = traitlets.Tuple()


class Labelling(Explorer):
    """See :func:`label_yourself`.

    Args:
        faces: Those shown, in this order; with 0 to 6 for labels.
    """

    def __init__(self, faces: Faces) -> None:
        titles(faces)  # refuses an empty list
        self.faces = faces
        self.seconds: list[float] = []
        self._given = _Answers()
        self._since = time.monotonic()
        buttons = []
        for expression in BASIC:
            button = w.Button(description=expression.title, layout=w.Layout(width="88px"))
            button.on_click(lambda _, e=expression: self.answer(e))
            buttons.append(button)
        again = w.Button(description="Start over", icon="undo", layout=w.Layout(width="110px"))
        again.on_click(lambda _: self.start_over())
        super().__init__(
            self._draw,
            f"Which expression do you see? {len(faces)} faces; the labels are shown at the end.",
            panel=lines(tuple(buttons), (again,)),
            answers=self._given,
            states="Labelling takes somebody who presses the buttons.",
        )

    @property
    def answers(self) -> list[Expression]:
        """What was said of the faces so far, in their order."""
        return list(self._given.value)

    def answer(self, expression: Expression | str | int) -> None:
        """Label the face that is asked, as the buttons do; after the last one, do nothing."""
        if len(self.answers) == len(self.faces):
            return
        self.seconds.append(time.monotonic() - self._since)
        self._since = time.monotonic()
        self._given.value = (*self._given.value, Expression.parse(expression))

    def start_over(self) -> None:
        """Forget all answers."""
        self.seconds = []
        self._since = time.monotonic()
        self._given.value = ()

    def _draw(self, answers: tuple[Expression, ...]) -> Figure:
        count = len(self.faces)
        if not answers and not interactive():
            made, seconds = simulated(self.faces)
            who = "A simulated labeller, since nobody presses buttons here"
            return plots.labelling_sheet(self.faces, made, seconds, people(), who)
        if len(answers) < count:
            at = len(answers)
            return plots.face_to_label(self.faces.images[at].numpy(), at + 1, count)
        return plots.labelling_sheet(self.faces, answers, self.seconds, people())


def label_yourself(faces: Faces, count: int = COUNT, seed: int = 0) -> Labelling:
    """Label some faces; then see agreement, time, and what you took for what.

    Where nobody can press a button it shows the sheet of a labeller made by chance, and says so.
    What was answered stays in ``answers`` and ``seconds`` of what is returned, and ``faces`` holds
    the faces.

    Args:
        faces: To draw from, each as likely as any other.
        count: How many to label.
        seed: Of which.

    Raises:
        FercourseError: There are no faces.
    """
    chosen = np.random.default_rng(seed).permutation(len(faces))[:count]
    return Labelling(faces[chosen])


def simulated(faces: Faces, seed: int = 0) -> tuple[list[int], list[float]]:
    """Answers as right as people's on FER2013, wrong ones by chance, and made-up times, seconds."""
    rng = np.random.default_rng(seed)
    labels = faces.labels.numpy()
    wrong = (labels + rng.integers(1, len(BASIC), len(labels))) % len(BASIC)
    right = rng.random(len(labels)) < people().accuracy
    answers: Any = np.where(right, labels, wrong)
    return answers.tolist(), rng.lognormal(1.1, 0.4, len(labels)).tolist()
