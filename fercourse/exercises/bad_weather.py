"""Lesson 18: light through fog, corruptions that count alike, and what is dark in a patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "Through fog",
    difficulty=1,
    minutes=5,
    hints=[
        "Two lights reach the camera: what is left of the face's, and what the fog sends itself.",
        "The share that gets through is t = exp(-density * thickness), pixel by pixel.",
        "What the face loses is what the air gains: face * t + air * (1 - t).",
    ],
)
def through_fog(face: Tensor, thickness: Tensor, density: float, air: float) -> Tensor:
    """A face (H, W) in [0, 1] behind fog of a thickness (H, W), whose own light is ``air``."""
    # your turn
    t = torch.exp(-density * thickness)  # (H, W)
    return face * t + air * (1 - t)


@check(through_fog, "At density 0 the face is there; at a large one, only air.")
def check_through_fog(attempt: Callable[..., Any]) -> None:
    """Diagnoses: a sign, a straight line, shares exchanged, air all over, one thickness for all."""
    face, thickness = torch.rand(5, 7), 0.5 + torch.rand(5, 7)
    density, air = 0.8, 0.9
    found = attempt(face, thickness, density, air)
    expect_shape(found, (5, 7))
    t = torch.exp(-density * thickness)
    if close(found, face * t + air * (1 - t)):
        return
    even = torch.exp(-density * thickness.mean())
    wrong = {
        "The share that gets through grows with thickness: the exponent is negative.": (
            face / t + air * (1 - 1 / t)
        ),
        "Each further metre takes a share of what is left, not of what there was: exp, not a "
        "straight line.": face * (1 - density * thickness) + air * density * thickness,
        "The shares are exchanged: t belongs to the face.": face * (1 - t) + air * t,
        "The air's light comes from the fog alone: its share is 1 - t.": face * t + air,
        "The face fades, and where is the fog's own light?": face * t,
        "The fog is thicker in some places: t is a picture, not a number.": (
            face * even + air * (1 - even)
        ),
        "Density and thickness are multiplied: twice as far is twice as thick.": (
            face * torch.exp(-thickness) + air * (1 - torch.exp(-thickness))
        ),
    }
    for says, result in wrong.items():
        if close(found, result):
            raise Wrong(says)
    raise Wrong("On paper: where half the light arrives, black becomes air / 2.")


@exercise(
    "Mean corruption error",
    difficulty=2,
    minutes=10,
    hints=[
        "For each corruption: errors in all five severities, as a share of the baseline's.",
        "Sum over the severities first, divide then, and take the mean over corruptions last.",
    ],
)
def mean_ce(errors: dict[str, list[float]], baseline: dict[str, list[float]]) -> float:
    """mCE: errors and baseline hold, by corruption, the error rates at five severities.

    1 is as good as the baseline; less is better.
    """
    # your turn
    ratios = [sum(errors[kind]) / sum(baseline[kind]) for kind in errors]
    return sum(ratios) / len(ratios)


@check(mean_ce, "Every corruption counts alike, however hard it is.")
def check_mean_ce(attempt: Callable[..., Any]) -> None:
    """Diagnoses: ratios by severity, one ratio of all, accuracies, per cent, upside down."""
    errors = {"fog": [0.1, 0.2, 0.3, 0.5, 0.8], "noise": [0.5, 0.6, 0.7, 0.8, 0.85]}
    base = {"fog": [0.2, 0.25, 0.3, 0.6, 0.7], "noise": [0.3, 0.5, 0.6, 0.7, 0.9]}
    found = attempt(errors, base)
    if not isinstance(found, int | float):
        raise Wrong(f"One number was asked for, not a {type(found).__name__}.")

    def mean(values: Any) -> float:
        values = list(values)
        return sum(values) / len(values)

    def total(table: dict[str, list[float]]) -> float:
        return sum(map(sum, table.values()))

    right = mean(sum(errors[k]) / sum(base[k]) for k in errors)
    if abs(found - right) < 1e-6:
        return
    wrong = {
        "Sum over the severities before you divide, or the mildest one decides.": mean(
            e / b for k in errors for e, b in zip(errors[k], base[k], strict=True)
        ),
        "One ratio of everything: the hardest corruption decides. Divide for each by itself.": (
            total(errors) / total(base)
        ),
        "Upside down: the baseline goes below.": mean(sum(base[k]) / sum(errors[k]) for k in base),
        "Those are accuracies; errors are asked for, and they are what was given.": mean(
            sum(1 - e for e in errors[k]) / sum(1 - b for b in base[k]) for k in errors
        ),
        "A ratio, not per cent of one.": 100 * right,
        "The sum of the ratios; their mean is asked for.": 2 * right,
    }
    for says, result in wrong.items():
        if abs(found - result) < 1e-6:
            raise Wrong(says)
    raise Wrong(f"It should be {right:.4f} for the example, not {found:.4f}.")


@exercise(
    "The dark channel",
    difficulty=2,
    minutes=10,
    hints=[
        "torch has no minimum pooling; but the least value is minus the greatest of the negatives.",
        "Padding: max_pool2d pads with minus infinity, which never wins. That is what you want.",
        "-F.max_pool2d(-x, patch, stride=1, padding=patch // 2)",
    ],
)
def dark_channel(x: Tensor, patch: int) -> Tensor:
    """The least grey value of the patch x patch pixels around each pixel, patch odd.

    x float (N, 1, H, W), nothing about its range. Returns (N, 1, H, W); patches end at the border.
    """
    # your turn
    return -F.max_pool2d(-x, patch, stride=1, padding=patch // 2)


@check(dark_channel, "Where a clear picture's patch has something black, haze has not.")
def check_dark_channel(attempt: Callable[..., Any]) -> None:
    """Diagnoses: the greatest, the mean, a border of zeros, patches side by side, a stride."""
    x = 0.2 + torch.rand(2, 1, 11, 13)
    found = attempt(x, 5)
    right = -F.max_pool2d(-x, 5, 1, 2)
    if isinstance(found, Tensor) and found.shape == (2, 1, 7, 9):
        raise Wrong("The border is missing: pad by half a patch, so that every pixel has one.")
    if isinstance(found, Tensor) and found.shape[2] < 7:
        raise Wrong("A patch around *each* pixel: the stride is 1.")
    expect_shape(found, (2, 1, 11, 13))
    if close(found, right):
        if not close(attempt(x, 3), -F.max_pool2d(-x, 3, 1, 1)):
            raise Wrong("The patch is an argument; yours is always five wide.")
        return
    padded = F.pad(x, (2, 2, 2, 2))
    wrong = {
        "The greatest; the least is asked for.": F.max_pool2d(x, 5, 1, 2),
        "The least, with its sign changed.": -right,
        "The mean of a patch, not its least value.": F.avg_pool2d(x, 5, 1, 2),
        "Zeros beyond the border are darker than anything in the picture.": -F.max_pool2d(
            -padded, 5, 1
        ),
    }
    for says, result in wrong.items():
        if close(found, result):
            raise Wrong(says)
    raise Wrong("Some values differ. In a picture with one black pixel, a square of it is 0.")
