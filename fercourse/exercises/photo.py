"""Lesson 17: two views of a face, honest probabilities, a check for bias, and what the law says."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape, several


@exercise(
    "A face and its mirror image",
    difficulty=1,
    minutes=5,
    hints=[
        "Left and right change places; which axis of (N, 1, H, W) runs from left to right?",
        "`x.flip(3)` mirrors. Make probabilities of both views first, and average those.",
    ],
)
def flip_average(classify, x: Tensor) -> Tensor:
    """Probabilities averaged over each face and its mirror image.

    classify takes faces (N, 1, H, W) and returns logits (N, K). Returns (N, K), rows sum to 1.
    """
    # your turn
    views = [x, x.flip(3)]
    return torch.stack([classify(view).softmax(1) for view in views]).mean(0)


@check(flip_average, praise="Both views count alike, and each row is still a distribution.")
def check_flip_average(attempt):
    """Compare with the mean of two softmaxes on a classifier that sees left from right."""
    x = torch.rand(5, 1, 6, 7)
    weight = 3 * torch.randn(42, 4)

    def classify(faces: Tensor) -> Tensor:
        return faces.flatten(1) @ weight

    def p(faces: Tensor) -> Tensor:
        return classify(faces).softmax(1)

    out = attempt(classify, x)
    expect_shape(out, (5, 4), "One row a face: average over the two views, not over faces.")
    known = [
        (p(x), "That is the face alone: where does its mirror image come in?"),
        (p(x.flip(3)), "That is the mirror image alone: the face itself counts as well."),
        (p(x) + p(x.flip(3)), "The rows sum to 2: two views were added, not averaged."),
        ((p(x) + p(x.flip(2))) / 2, "The second view is upside down: flip the axis of the width."),
        (
            (p(x) + p(x.flip((2, 3)))) / 2,
            "The second view is turned by 180 degrees: flip the width alone.",
        ),
        (
            ((classify(x) + classify(x.flip(3))) / 2).softmax(1),
            "Logits were averaged, then one softmax taken. That is another mean (a geometric "
            "one): average the probabilities.",
        ),
        (
            (classify(x) + classify(x.flip(3))) / 2,
            "These are averaged logits: make each view's probabilities first.",
        ),
    ]
    for wrong, told in known:
        if close(out, wrong):
            raise Wrong(told)
    right = (p(x) + p(x.flip(3))) / 2
    if not close(out.sum(1), torch.ones(5)):
        worst = out.sum(1)[(out.sum(1) - 1).abs().argmax()].item()
        raise Wrong(
            f"One row sums to {worst:.2f}, not to 1: softmax over the classes (axis 1) in each "
            "view, then the mean of both."
        )
    if not close(out, right):
        gap = (out.float() - right).abs().max().item()
        raise Wrong(f"Not the mean of the two views' probabilities: off by up to {gap:.3f}.")


@exercise(
    "Expected calibration error",
    difficulty=2,
    minutes=12,
    hints=[
        "Confidence is the largest probability of a row, right is whether its class is the label. "
        "Which bin a face falls into, only its confidence decides.",
        "In a bin compare two means: how often right, how confident. Take the distance, then weigh "
        "it with the share of all faces in that bin. An empty bin weighs nothing.",
        "`bin_of = (confidence * bins).long().clamp(max=bins - 1)`, then a loop over the bins.",
    ],
)
def calibration_error(p: Tensor, labels: Tensor, bins: int = 10) -> float:
    """Mean distance between confidence and accuracy, over equal bins of confidence.

    p (N, K) probabilities, labels (N,). sum over bins of (faces in bin / N) * |accuracy in bin -
    mean confidence in bin|; bins of equal width over [0, 1]. Returns a number in [0, 1].
    """
    # your turn
    confidence, answer = p.max(dim=1)  # (N,), (N,)
    right = (answer == labels).float()
    bin_of = (confidence * bins).long().clamp(max=bins - 1)  # (N,)
    error = 0.0
    for b in range(bins):
        inside = bin_of == b
        if inside.any():
            distance = (right[inside].mean() - confidence[inside].mean()).abs()
            error += inside.float().mean().item() * distance.item()
    return error


@check(
    calibration_error, praise="Bins weigh as much as they hold, and over- and underconfidence add."
)
def check_calibration_error(attempt):
    """Compare with the definition on sharp and blunt predictions, and with known slips."""
    for bins, sharpness in ((10, 1.0), (5, 3.0), (10, 0.3)):
        p = (sharpness * torch.randn(400, 5)).softmax(1)
        labels = torch.where(torch.rand(400) < 0.6, p.argmax(1), torch.randint(5, (400,)))
        out = attempt(p, labels, bins)
        value = _number(out)
        truth = _bins(p.amax(1), (p.argmax(1) == labels).float(), bins)
        right = sum(n * abs(a - c) for n, a, c in truth)
        if abs(value - right) < 1e-4:
            continue
        own = p.gather(1, labels[:, None])[:, 0]
        known = [
            (
                sum(n * (a - c) for n, a, c in truth),
                "Signs cancel: an overconfident bin must not make up for an underconfident one. "
                "Take each bin's distance.",
            ),
            (sum(n * (c - a) for n, a, c in truth), "Signs cancel between bins: take distances."),
            (
                sum(abs(a - c) for _, a, c in truth) / len(truth),
                "Every bin weighs alike here; a bin with two faces says little. Weigh by how many "
                "faces it holds.",
            ),
            (
                sum(abs(a - c) for _, a, c in truth) / bins,
                "Every bin weighs alike here, even empty ones. Weigh by how many faces it holds.",
            ),
            (
                sum(abs(a - c) for _, a, c in truth),
                "The bins' distances are summed without weight.",
            ),
            (100 * right, "That is per cent: give a fraction in [0, 1]."),
            (
                sum(
                    n * abs(a - c) for n, a, c in _bins(own, (p.argmax(1) == labels).float(), bins)
                ),
                "Confidence is what the model says of its own answer, the largest probability; "
                "you took the probability of the label, which nobody has at hand.",
            ),
            (
                _equal_counts(p.amax(1), (p.argmax(1) == labels).float(), bins),
                "Your bins hold equally many faces; equally wide ones over [0, 1] are asked for.",
            ),
            (
                max(abs(a - c) for _, a, c in truth),
                "That is the worst bin's distance, not the mean.",
            ),
            (
                _own_range(p.amax(1), (p.argmax(1) == labels).float(), bins),
                "Your bins span the smallest to the largest confidence found; they are to span 0 "
                "to 1, whatever the network says.",
            ),
            (
                _bin_middles(p.amax(1), (p.argmax(1) == labels).float(), bins),
                "You compare with the middle of each bin; the mean confidence of its faces is "
                "asked for.",
            ),
            (
                (p.amax(1) - (p.argmax(1) == labels).float()).abs().mean().item(),
                "Distances were taken face by face. One face is right or wrong; only a bin has an "
                "accuracy that a confidence can be held against.",
            ),
        ]
        for wrong, told in known:
            if abs(value - wrong) < 1e-4:
                raise Wrong(told)
        if math.isnan(value):
            raise Wrong("The result is nan: a mean over an empty bin. Leave empty bins out.")
        raise Wrong(f"With {bins} bins the error is {right:.4f}; yours says {value:.4f}.")
    sure = torch.eye(3)[torch.tensor([0, 1, 2, 0])]  # confidence exactly 1 belongs to the last bin
    value = _number(attempt(sure, torch.tensor([0, 1, 2, 1])))
    if abs(value - 0.25) > 1e-4:
        raise Wrong(
            "Faces with confidence exactly 1 are lost: they belong to the last bin. Check the "
            "upper edge."
        )


@exercise(
    "The gap between two groups, and its error",
    difficulty=2,
    minutes=10,
    hints=[
        "Two accuracies, one for each group; the gap is the first minus the second.",
        "An accuracy a measured on n faces has the variance a (1 - a) / n.",
        "The groups hold different faces, so the variances add; the error is the root of their "
        "sum.",
    ],
)
def accuracy_gap(right: Tensor, first: Tensor) -> tuple[float, float]:
    """Difference of accuracy between two groups, and its standard error.

    right bool (N,): which faces were recognised. first bool (N,): which of them belong to the
    first group; the others are the second. Returns (accuracy of first - of second, error).
    """
    # your turn
    parts = [right[first].double(), right[~first].double()]
    a, b = (part.mean().item() for part in parts)
    error = (a * (1 - a) / len(parts[0]) + b * (1 - b) / len(parts[1])) ** 0.5
    return a - b, error


@check(accuracy_gap, praise="A gap without its error is an anecdote; now you have both.")
def check_accuracy_gap(attempt):
    """Compare with the definition on groups of unequal size."""
    for n, share, one, other in (
        (300, 0.3, 0.85, 0.55),
        (90, 0.7, 0.85, 0.55),
        (80, 0.4, 0.4, 0.8),
    ):
        first = torch.rand(n) < share
        right = torch.rand(n) < torch.where(first, one, other)
        out = attempt(right, first)
        gap, error = several(out, 2, "Return two numbers: the gap and its standard error.")
        a, b = right[first].double().mean().item(), right[~first].double().mean().item()
        na, nb = int(first.sum()), int((~first).sum())
        va, vb = a * (1 - a) / na, b * (1 - b) / nb
        both = (na * a + nb * b) / n
        if abs(gap - (b - a)) < 1e-4:
            raise Wrong(
                "The gap has the other sign: the first group's accuracy minus the other's."
                if a > b
                else "The first group may be the worse one: the gap is negative then."
            )
        if abs(gap - 100 * (a - b)) < 1e-2:
            raise Wrong("That is per cent: give fractions.")
        if abs(gap - (a - both)) < 1e-4:
            raise Wrong(
                "You compared the first group with everybody, itself included. Compare it with the "
                "rest: which faces are `~first`?"
            )
        if abs(gap - abs((right & first).sum().item() - (right & ~first).sum().item()) / n) < 1e-4:
            raise Wrong("Each group's right answers belong over that group's own size, not over N.")
        if abs(gap - (a - b)) > 1e-4:
            raise Wrong(f"The gap is {a - b:.4f}; yours says {gap:.4f}.")
        known = [
            (va + vb, "That is the variance: its square root has the unit of the gap."),
            (va**0.5 + vb**0.5, "Errors of separate groups do not add; their variances do."),
            (
                (both * (1 - both) / n) ** 0.5,
                "That is the error of the overall accuracy. The gap is between two smaller "
                "groups, so it is far less certain.",
            ),
            (abs(va - vb) ** 0.5, "Variances add, also for a difference."),
            ((a * (1 - a) + b * (1 - b)) ** 0.5, "Each variance belongs over its group's size."),
            (
                right[first].double().std().item() + right[~first].double().std().item(),
                "That is how far single faces scatter; a mean of n of them scatters less.",
            ),
            (
                ((a * (1 - a) + b * (1 - b)) / n) ** 0.5,
                "Each variance belongs over its own group's size, not over N.",
            ),
            (
                1.96 * (va + vb) ** 0.5,
                "That is 1.96 standard errors, the reach of a 95 % interval; one is asked for.",
            ),
            (va**0.5, "That is the first group's error alone; the second adds its own."),
            (vb**0.5, "That is the second group's error alone; the first adds its own."),
        ]
        for wrong, told in known:
            if abs(error - wrong) < 1e-6:
                raise Wrong(told)
        if abs(error - (va + vb) ** 0.5) > 2e-3 * (va + vb) ** 0.5 + 1e-6:
            # the n - 1 form differs by less than one per cent
            pooled = (both * (1 - both) * (1 / na + 1 / nb)) ** 0.5
            unbiased = (a * (1 - a) / (na - 1) + b * (1 - b) / (nb - 1)) ** 0.5
            if min(abs(error - pooled), abs(error - unbiased)) > 1e-6:
                raise Wrong(f"The error is {(va + vb) ** 0.5:.4f}; yours says {error:.4f}.")


@exercise(
    "Which of these is prohibited?",
    difficulty=1,
    minutes=8,
    hints=[
        "Two questions decide: is somebody's emotion inferred from their body, and is it at work "
        "or in education?",
        "There is an exception for medical or safety reasons. Tiredness is a physical state, and "
        "saying that somebody smiles, without concluding what they feel, is not an inference.",
    ],
)
def prohibited() -> dict[str, bool]:
    """For each use: does Article 5(1)(f) of the EU AI Act prohibit it? Replace each None."""
    answers = {
        "a call centre scores its agents' mood from their webcams": None,
        "an exam platform flags students whose faces look nervous": None,
        "a lorry's camera warns a driver whose eyes fall shut": None,
        "a camera app fires when everybody smiles": None,
        "an employer screens the emotions of applicants in video interviews": None,
        "a museum piece reacts to the mood of visitors who step up to it": None,
    }
    # your turn
    yes = ("call centre", "exam platform", "employer")
    return {use: any(word in use for word in yes) for use in answers}


_REASONS = {
    "call centre": (True, "Agents are at work, and their mood is inferred from their faces."),
    "exam platform": (True, "An exam is education, and nervousness is an emotion."),
    "lorry": (
        False,
        "Eyes falling shut show tiredness, a physical state, and a safety reason would be an "
        "exception.",
    ),
    "camera app": (
        False,
        "That a smile is there is a readily apparent expression; nobody's emotion is inferred.",
    ),
    "employer": (
        True,
        "Choosing whom to employ is part of the workplace, as the Commission's guidelines read it.",
    ),
    "museum": (
        False,
        "A museum's visitors are neither at work nor being taught. It is a high-risk use all the "
        "same, and visitors must be told.",
    ),
}


@check(
    prohibited,
    praise="You asked both questions: is an emotion inferred, and is it at work or in education? "
    "What is not prohibited may still be high-risk, and GDPR holds throughout.",
)
def check_prohibited(attempt):
    """Six uses, each with its reason."""
    answers = attempt()
    if not isinstance(answers, dict):
        raise Wrong("Return the dictionary, with True or False for each use.")
    for word, (truth, reason) in _REASONS.items():
        found = [value for use, value in answers.items() if word in str(use)]
        if len(found) != 1:
            raise Wrong(f"The use with “{word}” is missing: keep the keys, replace the values.")
        if found[0] is None:
            raise Wrong(f"The use with “{word}” has no answer yet.")
        if found[0] is not True and found[0] is not False:
            raise Wrong(f"Answer True or False for “{word}”, not {found[0]!r}.")
        if found[0] is not truth:
            raise Wrong(f"Look again at the one with “{word}”. {reason}")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Wrong(f"A number is asked for, and {type(value).__name__} came back.") from None


def _equal_counts(confidence: Tensor, right: Tensor, bins: int) -> float:
    parts = confidence.argsort().tensor_split(bins)
    distances = [abs((right[i].mean() - confidence[i].mean()).item()) for i in parts]
    return sum(len(i) * d for i, d in zip(parts, distances, strict=True)) / len(right)


def _own_range(confidence: Tensor, right: Tensor, bins: int) -> float:
    low, high = confidence.min(), confidence.max()
    stretched = _index((confidence - low) / (high - low), bins)
    gaps = torch.zeros(bins).index_add(0, stretched, right - confidence)
    return gaps.abs().sum().item() / len(right)


def _bin_middles(confidence: Tensor, right: Tensor, bins: int) -> float:
    index = _index(confidence, bins)
    gaps = torch.zeros(bins).index_add(0, index, right - (index + 0.5) / bins)
    return gaps.abs().sum().item() / len(right)


def _index(share: Tensor, bins: int) -> Tensor:
    """Which of ``bins`` equal parts of [0, 1] each number lies in; 1 belongs to the last."""
    return (share * bins).long().clamp(max=bins - 1)


def _bins(confidence: Tensor, right: Tensor, bins: int) -> list[tuple[float, float, float]]:
    """Share of faces, accuracy and mean confidence of each bin that holds any."""
    index = _index(confidence, bins)
    held = F.one_hot(index, bins).float()  # (N, bins)
    count = held.sum(0)
    found = []
    for b in count.nonzero().flatten().tolist():
        n = count[b].item()
        found.append(
            (n / len(right), (held[:, b] @ right).item() / n, (held[:, b] @ confidence).item() / n)
        )
    return found
