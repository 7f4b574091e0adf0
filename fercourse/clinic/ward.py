"""A ward of five patients drawn from a seed: examinations at a price, diagnoses, and the bill."""

from __future__ import annotations

import hashlib
import html
import random
from dataclasses import dataclass
from difflib import get_close_matches

from matplotlib.figure import Figure

from fercourse.clinic.bank import recorded
from fercourse.clinic.cases import VARIANTS, case
from fercourse.clinic.examine import in_training_mode
from fercourse.clinic.figures import draw
from fercourse.clinic.findings import PRICES, against, cheapest, fitting
from fercourse.clinic.illnesses import ILLNESSES
from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities
from fercourse.exercises.exercise import Verdict
from fercourse.models.recogniser import Recogniser

BEDS = "ABCDE"
BEST, WRONG = 10, 3
"""Points for the cheapest right diagnosis, and what each wrong one costs."""


@dataclass(frozen=True)
class Remade:
    """A patient trained anew, for examinations that you have written yourself.

    Attributes:
        untrained: The network before its first step, in training mode.
        model: Trained, in the mode that its validation leaves it in.
        train: Training faces.
        val: Validation faces.
        lr: Its learning rate.
    """

    untrained: Recogniser
    model: Recogniser
    train: Faces
    val: Faces
    lr: float


class Patient:
    """Somebody in the ward. What ails it is asked by ordering, and told by :meth:`diagnose`.

    Attributes:
        name: "Patient A" and so on.
        ordered: Examinations so far, in order.
        wrong: Wrong diagnoses so far.
        solved: Whether the right one was given.
        cost: Of what was ordered before that.
    """

    def __init__(self, name: str, illness: str, variant: int) -> None:
        self.name = name
        self.ordered: list[str] = []
        self.wrong: list[str] = []
        self.solved = False
        self.cost = 0
        self._illness, self._variant = illness, variant
        self._chart = recorded(illness, variant)

    def __repr__(self) -> str:
        return f"{self.name}: ordered {', '.join(self.ordered) or 'nothing'}, {self.cost} points"

    def order(self, examination: str) -> Figure:
        """The figure of one examination; paid once, and free after the right diagnosis.

        Raises:
            FercourseError: There is no such examination.
        """
        _known(examination, PRICES, "examination")
        if examination not in self.ordered:
            self.ordered.append(examination)
            self.cost += 0 if self.solved else PRICES[examination]
        return draw(examination, self._chart, self.name)

    def diagnose(self, illness: str) -> Verdict:
        """Right, or wrong with a clue from what was ordered.

        Raises:
            FercourseError: There is no such illness.
        """
        _known(illness, ILLNESSES, "illness")
        if illness == self._illness:
            return Verdict(True, self._solve())
        if self.solved:
            return Verdict(False, f"{self.name} was diagnosed already, and it is not {illness}.")
        if illness not in self.wrong:
            self.wrong.append(illness)
        return Verdict(False, f"Not {illness} (−{WRONG}). {self._clue(illness)}")

    @property
    def score(self) -> int | None:
        """Of 10 points: less the wrong diagnoses, and what was paid beyond the cheapest way.

        None before the right diagnosis. Who guesses before anything could tell gains nothing by it.
        """
        if not self.solved:
            return None
        beyond = max(0, self.cost - self._least()[1])
        return max(0, BEST - beyond - WRONG * len(self.wrong))

    @property
    def cheapest(self) -> str:
        """The cheapest examinations that tell this patient apart; empty before it is diagnosed."""
        if not self.solved:
            return ""
        names, cost = self._least()
        return f"{' + '.join(names)} ({cost})"

    def remake(self) -> Remade:
        """Train the patient anew (half a minute or so), for examinations of your own.

        They cost nothing: you do the work yourself.
        """
        from fercourse.training.learner import Learner
        from fercourse.training.train import train

        made = case(self._illness, self._variant)
        judge = in_training_mode if made.training_mode else probabilities
        fit = train(made.config, made.data, device="cpu", progress=False, validate=judge)
        untrained = Learner(made.config, steps=10).model
        model = fit.model.train(made.training_mode)
        return Remade(untrained, model, made.data.train, made.data.val, made.config.train.lr)

    def _solve(self) -> str:
        fits = [name for name in fitting(self._chart, self.ordered) if name != self._illness]
        self.solved = True
        meaning = ILLNESSES[self._illness]
        if not fits:
            return f"Right: {meaning}. {self.score} of {BEST} points."
        others = " and ".join(fits) if len(fits) < 3 else f"{len(fits)} others"
        return (
            f"Right: {meaning}. {self.score} of {BEST} points. "
            f"(What you ordered would have fitted {others} too.)"
        )

    def _clue(self, illness: str) -> str:
        for examination in self.ordered:
            if sign := against(illness, examination, self._chart):
                return f"Your examination “{examination}” speaks against that: {sign}."
        if not self.ordered:
            return "You have ordered nothing yet that could speak for or against it."
        count = len(fitting(self._chart, self.ordered))
        return (
            f"Nothing that you ordered speaks against it, or for it: {count} of the "
            f"{len(ILLNESSES)} still fit what you have seen. Order what would tell them apart."
        )

    def _least(self) -> tuple[tuple[str, ...], int]:
        return cheapest(self._chart)


class Bill:
    """What was ordered, paid and found, a row a patient."""

    HEAD = ("patient", "ordered", "cost", "diagnosis", "score", "cheapest way")

    def __init__(self, patients: list[Patient]) -> None:
        self.rows = [
            (
                patient.name,
                ", ".join(patient.ordered) or "nothing",
                str(patient.cost),
                "right"
                if patient.solved
                else ", ".join(f"not {w}" for w in patient.wrong) or "none",
                "" if patient.score is None else str(patient.score),
                patient.cheapest,
            )
            for patient in patients
        ]
        self.total = sum(patient.score or 0 for patient in patients)
        self.best = BEST * len(patients)

    def __repr__(self) -> str:
        table = [self.HEAD, *self.rows]
        widths = [max(len(row[k]) for row in table) for k in range(len(self.HEAD))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        return "\n".join([*lines, f"{self.total} of {self.best} points"])

    def _repr_html_(self) -> str:
        style = "style='text-align:left; padding-right:1em'"
        head = "".join(f"<th {style}>{name}</th>" for name in self.HEAD)
        rows = "".join(
            "<tr>" + "".join(f"<td {style}>{html.escape(c)}</td>" for c in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><tr>{head}</tr>{rows}</table>{self.total} of {self.best} points"


class Ward:
    """Five patients, ``ward["A"]`` to ``ward["E"]``; see :func:`ward`."""

    def __init__(self, patients: list[Patient]) -> None:
        self.patients = dict(zip(BEDS, patients, strict=True))

    def __getitem__(self, bed: str) -> Patient:
        if bed not in self.patients:
            raise FercourseError(f"The ward has patients {', '.join(self.patients)}, not {bed!r}.")
        return self.patients[bed]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.patients.values()))

    def bill(self) -> Bill:
        """What was ordered, paid and found so far."""
        return Bill(list(self.patients.values()))


def ward(seed: int | str) -> Ward:
    """Five patients with five illnesses ("healthy" may be one), by a number or somebody's name.

    The same seed draws the same patients on every machine.
    """
    digest = hashlib.sha256(str(seed).encode()).digest()
    draws = random.Random(int.from_bytes(digest, "big"))
    chosen = draws.sample(list(ILLNESSES), len(BEDS))
    return Ward(
        [
            Patient(f"Patient {bed}", illness, draws.randrange(VARIANTS))
            for bed, illness in zip(BEDS, chosen, strict=True)
        ]
    )


def _known(name: object, names: dict, kind: str) -> None:
    if name not in names:
        near = get_close_matches(str(name), list(names), 1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise FercourseError(f"{name!r} is no {kind}.{meant} There are {', '.join(names)}.")
