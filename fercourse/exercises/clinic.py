"""Lesson 20: five diagnoses."""

from __future__ import annotations

from typing import Any

from fercourse.clinic import ILLNESSES
from fercourse.exercises.exercise import Wrong, check, exercise


@exercise(
    "Patient A",
    difficulty=1,
    minutes=3,
    hints=[
        "Training is well. Which is more likely then, a net that cannot, or a judge who errs?",
        "Read the matrix by rows: four classes are fine. What happens to the other three is no "
        "confusion, it is nearly as regular as a healthy diagonal.",
        "Write the seven names in the order of the alphabet and number them.",
    ],
)
def diagnose_a() -> str:
    """Patient A's illness, a name from ward.ILLNESSES."""
    # your turn
    # Validation was read from folders, which a file system sorts by name: neutral became 4, sad 5
    # and surprise 6. Cure: one label order for every data set, and a map from each one's own words.
    return "permuted label order"


@exercise(
    "Patient B",
    difficulty=2,
    minutes=4,
    hints=[
        "Without augmentation, which of the two accuracies should be the higher one?",
        "What could make the training faces harder than new ones?",
        "A net that has understood faces cannot get a label right that has nothing to do with one.",
    ],
)
def diagnose_b() -> str:
    """Patient B's illness, a name from ward.ILLNESSES."""
    # your turn
    # Two in five training labels were drawn anew; validation labels are clean. The net finds the
    # rule in the others. Trained for longer, it would learn the wrong labels by heart and
    # validation would fall. Cure: look at the training faces of highest loss.
    return "shuffled labels"


@exercise(
    "Patient C",
    difficulty=2,
    minutes=4,
    hints=[
        "Compare the training curve with the healthy one's.",
        "Same weights, same faces, two answers. Which parts of the net are random, and when?",
    ],
)
def diagnose_c() -> str:
    """Patient C's illness, a name from ward.ILLNESSES."""
    # your turn
    # model.eval() was forgotten in validation, and its faces came class after class. Batch norm
    # took its statistics from batches of one class, and GCCA's random pooling went on drawing.
    # Cure: model.eval() in the function that judges, not in the cell that calls it.
    return "left in training mode"


@exercise(
    "Patient D",
    difficulty=2,
    minutes=4,
    hints=[
        "Divide the total by the healthy run's. Which setting multiplies both terms of eq. 5?",
        "Nothing leaps: the steps are not too long. They lead somewhere else.",
    ],
)
def diagnose_d() -> str:
    """Patient D's illness, a name from ward.ILLNESSES."""
    # your turn
    # lambda was 5 in place of 0.005. Nearly all of the gradient asks for embeddings that lie on
    # their centres, and all of them in one place is the quickest way there. (Most of the total is
    # the pair sum, which under the published rule has no gradient for the network.) Cure: weigh
    # every term by its gradient at the embedding, as in lesson 13, and start where cross-entropy's
    # is the largest.
    return "island loss too heavy"


@exercise(
    "Patient E",
    difficulty=3,
    minutes=5,
    hints=[
        "Two illnesses make validation too good. In one of them the net still looks at faces.",
        "Which muscles act in the last five rows of the picture?",
    ],
)
def diagnose_e() -> str:
    """Patient E's illness, a name from ward.ILLNESSES."""
    # your turn
    # A white square of four pixels stood at the lower edge, further right for each class, in
    # training and validation alike. On faces without it the net is lost. Cure: look where it looks,
    # and test on faces that come from somewhere else.
    return "shortcut"


CLUES = {
    "a": {
        "healthy": "Validation stands far below the healthy run's, with training as good as there.",
        "shuffled labels": "The net learns its training labels nearly perfectly in ten epochs; it "
        "could not do that with labels that follow no rule.",
        "left in training mode": "Judged twice it gives the same number, and four classes are as "
        "well as in the healthy run.",
        "too little regularisation": "A net that knows its training faces by heart is wrong here "
        "and there, in all classes. Look how few cells of the matrix hold the mistakes.",
        "": "Training is as good as in the healthy run, and so are four rows of the matrix. Look "
        "at the other three: are they spread, or moved?",
    },
    "b": {
        "healthy": "Training accuracy stays far below validation, and nothing was augmented.",
        "too little regularisation": "That would show as training far ahead of validation; here "
        "it is the other way round.",
        "learning rate too low": "In a slow run both rise together, training a little ahead. Here "
        "validation is ahead, and by more from epoch to epoch.",
        "learning rate too high": "Nothing leaps: all three losses fall smoothly. Only their order "
        "is odd.",
        "permuted label order": "The matrix has its diagonal: validation's labels fit what was "
        "learned.",
        "training faces in validation": "Faces that were trained on would be as right as the "
        "training faces, not far better.",
        "": "Look at the order of the two accuracies: new faces are easier than those trained on. "
        "What do training faces have that could not be learned?",
    },
    "c": {
        "healthy": "Training is well, validation is not, and the headline gives two numbers.",
        "too little regularisation": "The training curve is the healthy run's, and that run did "
        "well on new faces. And why would the same weights give two numbers?",
        "permuted label order": "Permuted labels move whole rows of the matrix; here they are "
        "smeared. And why would the same weights give two numbers?",
        "shuffled labels": "The training labels are learned as well as in the healthy run. Look "
        "at the headline.",
        "": "Training is the healthy run's, number by number. So the weights are well, and the "
        "way they are judged is not: look at the headline.",
    },
    "d": {
        "healthy": "Not even the training faces are learned: its loss stands at ln 7.",
        "learning rate too high": "After too long a step the losses leap, and validation's most of "
        "all. Here every line is flat from the first epoch. Look at the scale of the total.",
        "learning rate too low": "The rate is the healthy run's, and a slow net's loss does fall a "
        "little. Look at how large the total is beside the healthy run's.",
        "shuffled labels": "Then the labels that are right would still be learned, and "
        "validation would show it. Look at how large the total is beside the healthy run's.",
        "": "It does not learn its training faces, so validation is not the cause. Look at the "
        "loss panel: what is the optimiser really asked to make small?",
    },
    "e": {
        "healthy": "It is better than the healthy run, and sooner. Does it look at the face?",
        "training faces in validation": "A good guess, and one sign speaks against it: to know "
        "a face again the net would have to look at the face.",
        "too little regularisation": "New faces are as right as those trained on: it has found "
        "something that holds for both.",
        "": "Nothing is wrong with its numbers, that is what is wrong. Look at the map: which part "
        "of a face is there?",
    },
}
"""By patient and wrong answer, what in the chart speaks against it; "" where no other fits."""


def _examine(patient: str, solution: Any, attempt: Any) -> None:
    answer = attempt()
    if answer == solution():
        return
    if not isinstance(answer, str) or answer not in ILLNESSES:
        raise Wrong(f"{answer!r} is no name from ward.ILLNESSES; those are {', '.join(ILLNESSES)}.")
    clues = CLUES[patient]
    raise Wrong(f"Not {answer}. {clues.get(answer, clues[''])}")


@check(diagnose_a, praise="Right: the net answers well, and validation numbers its classes anew.")
def check_diagnose_a(attempt: Any) -> None:
    """Diagnose a diagnosis of patient A."""
    _examine("a", diagnose_a, attempt)


@check(diagnose_b, praise="Right: it learned the rule, which has no say in spoilt labels.")
def check_diagnose_b(attempt: Any) -> None:
    """Diagnose a diagnosis of patient B."""
    _examine("b", diagnose_b, attempt)


@check(diagnose_c, praise="Right: the weights are well; they were judged in training mode.")
def check_diagnose_c(attempt: Any) -> None:
    """Diagnose a diagnosis of patient C."""
    _examine("c", diagnose_c, attempt)


@check(diagnose_d, praise="Right: lambda is a thousand times 0.005, and drowns cross-entropy.")
def check_diagnose_d(attempt: Any) -> None:
    """Diagnose a diagnosis of patient D."""
    _examine("d", diagnose_d, attempt)


@check(diagnose_e, praise="Right: it reads the mark at the lower edge and never looks at a face.")
def check_diagnose_e(attempt: Any) -> None:
    """Diagnose a diagnosis of patient E."""
    _examine("e", diagnose_e, attempt)
