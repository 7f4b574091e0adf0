"""Lesson 00: a first exercise, and three readings of one paper."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fercourse.exercises.exercise import Wrong, check, exercise


@exercise(
    "The share of right answers",
    difficulty=1,
    minutes=3,
    hints=[
        "Compare the two tensors element by element; what type does the comparison have?",
        "A mean needs numbers, not truth values: `.float()` turns True into 1.",
    ],
)
def accuracy(answers: Tensor, labels: Tensor) -> float:
    """Share of answers that are right, a Python float in [0, 1].

    answers: int64 (N,), labels: int64 (N,).
    """
    # your turn
    return (answers == labels).float().mean().item()


@check(accuracy, praise="A fraction between 0 and 1, which is how every accuracy is kept here.")
def check_accuracy(attempt: Any) -> None:
    """Diagnose an attempt at :func:`accuracy`."""
    n = 40
    labels = torch.randint(7, (n,))
    wrong = torch.rand(n) < 0.3
    answers = torch.where(wrong, (labels + torch.randint(1, 7, (n,))) % 7, labels)
    truth = 1 - wrong.float().mean().item()
    out = attempt(answers, labels)
    if isinstance(out, Tensor) and out.numel() > 1:
        raise Wrong(
            f"One number is asked for, and {out.numel()} came back: you know of every answer "
            "whether it is right; now summarise."
        )
    if isinstance(out, Tensor):
        raise Wrong("The value is still a tensor; .item() makes a Python number of it.")
    if isinstance(out, bool) or not isinstance(out, int | float):
        raise Wrong(f"A Python float is asked for, and {type(out).__name__} came back.")
    if abs(out - truth * n) < 1e-6:
        raise Wrong("You counted the right answers; a share does not grow with N.")
    if abs(out - 100 * truth) < 1e-3:
        raise Wrong("That is per cent; a fraction in [0, 1] is asked for.")
    if abs(out - (1 - truth)) < 1e-6:
        raise Wrong("That is the share of wrong answers.")
    if abs(out - truth) > 1e-6:
        raise Wrong(f"Of {n} answers a share of {truth:.3f} is right, and you say {out:.3f}.")
    for size in (1, 3):
        same = attempt(torch.zeros(size).long(), torch.zeros(size).long())
        if abs(same - 1) > 1e-6:
            raise Wrong(f"{size} of {size} right is 1, and you say {same}; do you divide by N?")


KINDS = ("claimed", "shown", "left out")
_PLACES = {
    "accuracy of six models": ("shown", "look at Table 1"),
    "decoder saves computation": (
        "claimed",
        "section 3.4 says so; is there a time, a count of operations or of parameters anywhere?",
    ),
    "reverse attention is faster": (
        "claimed",
        "section 3.4 says so; which table or figure holds a speed?",
    ),
    "accuracy for five lambdas": ("shown", "look at Fig. 6"),
    "batch size": ("left out", "section 3.3 tells how the model was trained; search it for this"),
    "how CK+ was split": (
        "left out",
        "section 3.1 tells how many people CK+ shows; does it say who is in which split?",
    ),
}


@exercise(
    "Claimed, shown, left out",
    difficulty=1,
    minutes=10,
    hints=[
        "Something is shown when a table or a figure has numbers for it, claimed when only a "
        "sentence says so, and left out when not even that.",
        "Two of the six are shown, two claimed, two left out.",
    ],
)
def reading() -> dict[str, str]:
    """For each statement "claimed", "shown" or "left out".

    The keys: "accuracy of six models", "decoder saves computation", "reverse attention is faster",
    "accuracy for five lambdas", "batch size", "how CK+ was split".
    """
    # your turn
    return {
        "accuracy of six models": "shown",
        "decoder saves computation": "claimed",
        "reverse attention is faster": "claimed",
        "accuracy for five lambdas": "shown",
        "batch size": "left out",
        "how CK+ was split": "left out",
    }


@check(reading, praise="You can now tell a measurement from a sentence, and both from silence.")
def check_reading(attempt: Any) -> None:
    """Diagnose an attempt at :func:`reading`."""
    out = attempt()
    if not isinstance(out, dict):
        raise Wrong(f"A dict is asked for, and {type(out).__name__} came back.")
    missing = [name for name in _PLACES if name not in out]
    if missing:
        raise Wrong(f"There is no answer for {missing[0]!r}.")
    unknown = [value for value in out.values() if value not in KINDS]
    if unknown:
        raise Wrong(f"{unknown[0]!r} is not one of {', '.join(KINDS)}.")
    for name, (kind, look) in _PLACES.items():
        if out[name] != kind:
            end = "" if look.endswith("?") else "."
            raise Wrong(f"{name!r} is not {out[name]}: {look}{end}")
