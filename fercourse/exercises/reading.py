"""Lesson 19: name a slip, count in images, ask whether a number can be, take out what leaked."""

from typing import Any

import torch

from fercourse.exercises.exercise import Wrong, check, exercise

KINDS = ("contradicts itself", "contradicts a source", "unsupported", "cannot be repeated")


@exercise(
    "Name the slip",
    difficulty=1,
    minutes=10,
    hints=[
        "Ask in this order: does another place of the paper say otherwise? Does a cited paper, a "
        "data set or a data sheet say otherwise? Is there a number behind the claim, larger than "
        "its error? Is enough said to do it again?",
        "Two of the eight are unsupported, one cannot be repeated; of the other five, two "
        "contradict the paper itself only where captions and text are laid side by side.",
    ],
)
def name_the_slip() -> dict[str, str]:
    """For each sentence one of "contradicts itself", "contradicts a source", "unsupported",
    "cannot be repeated". Replace each None."""
    answers = {
        "74.08% and 98.66% on the CK+ and FER2013 datasets, respectively": None,
        "The number of sad images in the training set was only approximately 500": None,
        "While the SENet exclusively employs maximum pooling": None,
        "CBAM was introduced in every block of the backbone network": None,
        "discarding lower-resolution shallow features": None,
        "the module effectively reduced the computational complexity": None,
        "increasing the processing speed": None,
        "a validation set was tested": None,
    }
    # your turn
    itself, source = "contradicts itself", "contradicts a source"
    kinds = [itself, source, source, itself, itself, "unsupported", "unsupported"]
    return dict(zip(answers, [*kinds, "cannot be repeated"], strict=True))


_SENTENCES = {
    "74.08%": (KINDS[0], "Compare it with the abstract and with the last row of Table 1."),
    "sad images": (KINDS[1], "Lay it beside the data set's own counts."),
    "SENet": (KINDS[1], "What does the cited paper, [17], squeeze with?"),
    "CBAM": (KINDS[0], "Which module do section 2.3 and Fig. 3 put into every block?"),
    "lower-resolution": (KINDS[0], "What does the caption of Fig. 4 say of the same features?"),
    "computational complexity": (KINDS[2], "Look for one number of operations or of parameters."),
    "processing speed": (KINDS[2], "Look for one time, or one number of images a second."),
    "validation set": (KINDS[3], "Which images are they, and how many? Could you draw the same?"),
}


@check(
    name_the_slip,
    praise="Four different faults, and each asks for something else: an erratum, a look at the "
    "source, a measurement, a question to the authors.",
)
def check_name_the_slip(attempt):
    """Eight sentences; where an answer is off, say where to look."""
    answers = attempt()
    if not isinstance(answers, dict):
        raise Wrong("Return the dictionary, with one of the four kinds for each sentence.")
    for word, (kind, look) in _SENTENCES.items():
        found = [value for sentence, value in answers.items() if word in str(sentence)]
        if len(found) != 1:
            raise Wrong(f"The sentence with “{word}” is missing: keep the keys.")
        if found[0] is None:
            raise Wrong(f"The sentence with “{word}” has no answer yet.")
        if found[0] not in KINDS:
            raise Wrong(f"{found[0]!r} is none of the four kinds: {', '.join(KINDS)}.")
        if found[0] != kind:
            raise Wrong(f"“{word}”: not “{found[0]}”. {look}")


@exercise(
    "How many images is that?",
    difficulty=1,
    minutes=4,
    hints=[
        "Per cent of what? The difference is a share of the test images.",
        "One per cent of 3,589 images are 35.89 images.",
    ],
)
def in_images(before: float, after: float, n: int) -> float:
    """How many more of n test images are right after a change of accuracy, both in per cent.

    Negative where it fell; not rounded.
    """
    # your turn
    return (after - before) / 100 * n


@check(in_images, praise="In images a hundredth of a point loses its magic.")
def check_in_images(attempt):
    """The definition on random accuracies, and on Table 1's step from model 3 to 4."""
    cases = [(50.0, 51.0, 3589), (73.85, 73.84, 3589), (92.14, 98.66, 981)]
    cases += [(60 + 20 * torch.rand(()).item(), 75.0, int(torch.randint(100, 9000, ())))]
    for before, after, n in cases:
        value = _number(attempt(before, after, n))
        right = (after - before) * n / 100
        if abs(value - right) < 1e-6 * n:
            continue
        if abs(value + right) < 1e-6 * n:  # the first case is a rise
            raise Wrong(
                "The sign is turned: a rise is positive."
                if right > 0
                else "A fall must come out negative."
            )
        if abs(value - 100 * right) < 1e-3 * n:
            raise Wrong("A hundred times too many: the accuracies are in per cent.")
        if before and abs(value - (after - before) / before * n) < 1e-6 * n:
            raise Wrong("A difference of points is a share of all images, not of the first result.")
        if value in (round(right), int(right)):
            raise Wrong("Do not round: less than one image is the point here.")
        raise Wrong(f"From {before} to {after} on {n} images is {right:.2f}; you say {value:.2f}.")


@exercise(
    "Can this percentage be?",
    difficulty=2,
    minutes=10,
    hints=[
        "With n images only n + 1 accuracies exist: 0/n, 1/n, ..., n/n.",
        "Which two counts k are nearest to percent / 100 * n? Print each as a percentage with that "
        "many digits: is one of them what the paper prints?",
        "Compare as text or with `round(100 * k / n, digits) == percent`; look at the counts "
        "around the nearest one.",
    ],
)
def attainable(percent: float, n: int, digits: int = 2) -> bool:
    """Whether some whole number of right answers out of n prints as this percentage."""
    # your turn
    nearest = round(percent / 100 * n)
    counts = range(max(0, nearest - 1), min(n, nearest + 1) + 1)
    return any(f"{100 * k / n:.{digits}f}" == f"{percent:.{digits}f}" for k in counts)


@check(
    attainable,
    praise="This is the idea of the GRIM test (Brown and Heathers, 2017): arithmetic alone can "
    "say that a number was not counted as described.",
)
def check_attainable(attempt):
    """All counts of random sizes are attainable; percentages between them are not."""
    cases: list[tuple[float, int, int]] = []
    for n in (7, 55, 594, 3589, 7178, 20000):
        for k in torch.randint(0, n + 1, (12,)).tolist():
            cases += [(round(100 * k / n, 2), n, 2), (round(100 * k / n, 1), n, 1)]
        cases += [(round(100 * (k + 0.5) / n, 2), n, 2) for k in range(0, n, max(1, n // 9))]
    answers = [attempt(*case) for case in cases]
    if not all(isinstance(bool(a), bool) and a in (True, False) for a in answers):
        raise Wrong("Answer True or False.")
    truth = [_printed(*case) for case in cases]
    wrong = [case for case, a, t in zip(cases, answers, truth, strict=True) if bool(a) != t]
    if not wrong:
        return
    whole = (
        "percent / 100 * n need not be whole: the paper's number is rounded. Go the other "
        "way: which counts, printed with so many digits, give it?"
    )
    known = [
        (lambda p, n, d: abs(p / 100 * n - round(p / 100 * n)) < 1e-9, whole),
        (lambda p, n, d: (p * n / 100).is_integer(), whole),
        (lambda p, n, d: (p / 100 * n).is_integer(), whole),
        (
            lambda p, n, d: abs(100 * round(p / 100 * n) / n - p) < 10**-d,
            "Too generous: rounding moves a number by half of its last digit at most, not by a "
            "whole one.",
        ),
        (
            lambda p, n, d: round(100 * int(p / 100 * n) / n, d) == p,
            "`int` cuts off: the count just above may be the one. Look at both neighbours.",
        ),
        (lambda p, n, d: _printed(p, n, 2), "Two digits are not always given: use `digits`."),
        (lambda p, n, d: True, "Is everything attainable? With 7 images 50.00 % is not."),
        (lambda p, n, d: False, "Is nothing attainable? 1 of 2 prints as 50.00 %."),
    ]
    for slip, told in known:
        if [bool(slip(*case)) for case in cases] == [bool(a) for a in answers]:
            raise Wrong(told)
    percent, n, digits = wrong[0]
    says = "is" if _printed(*wrong[0]) else "is not"
    raise Wrong(f"{percent:.{digits}f} % of {n} images {says} attainable; you say otherwise.")


@exercise(
    "What is left without the leak?",
    difficulty=2,
    minutes=8,
    hints=[
        "Count right answers: how many in all, how many of them among the leaked images?",
        "What remains is a share of the images that remain.",
    ],
)
def without_leaks(accuracy: float, n: int, leaked: int, recognised: float = 1.0) -> float:
    """Accuracy on the test images that are not in training, if we knew that of the others.

    accuracy: on all n test images, a fraction. leaked: how many of them also train.
    recognised: share of those that is answered rightly. Returns a fraction.
    """
    # your turn
    right = accuracy * n - recognised * leaked
    return right / (n - leaked)


@check(
    without_leaks,
    praise="With `recognised=1` this is the least the clean accuracy can be: what a leak could "
    "hide, before anybody measures what it does.",
)
def check_without_leaks(attempt):
    """The definition on several sizes, with known slips."""
    cases = [(0.74, 3589, 311, 1.0), (0.66, 3589, 444, 0.9), (0.8, 500, 50, 0.8), (0.5, 90, 0, 1.0)]
    for accuracy, n, leaked, seen in cases:
        value = _number(attempt(accuracy, n, leaked, seen))
        right = (accuracy * n - seen * leaked) / (n - leaked)
        if abs(value - right) < 1e-9:
            continue
        known = [
            (
                (accuracy * n - seen * leaked) / n,
                "The right answers are fewer now, but so are the images: divide by what remains.",
            ),
            (
                accuracy * n / (n - leaked),
                "The leaked images went from the total but stayed among the right answers.",
            ),
            (
                (accuracy * n - leaked) / (n - leaked),
                "Not every leaked image need be recognised: use `recognised`.",
            ),
            (
                accuracy - seen * leaked / n,
                "Subtracting shares of all images is not enough: the total shrinks, too.",
            ),
            (100 * right, "That is per cent: give a fraction."),
            (accuracy * n - seen * leaked, "That is a number of images; which share is it?"),
        ]
        for wrong, told in known:
            if abs(value - wrong) < 1e-9:
                raise Wrong(told)
        raise Wrong(
            f"{accuracy} of {n} with {leaked} leaked, {seen:.0%} of them right, leaves "
            f"{right:.4f}; you say {value:.4f}."
        )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Wrong(f"A number is asked for, and {type(value).__name__} came back.") from None


def _printed(percent: float, n: int, digits: int) -> bool:
    near = round(percent / 100 * n)
    wanted = f"{percent:.{digits}f}"
    return any(
        f"{100 * k / n:.{digits}f}" == wanted for k in range(max(0, near - 2), near + 3) if k <= n
    )
