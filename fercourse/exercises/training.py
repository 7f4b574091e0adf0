"""Lesson 11: batches, the halving rule, choosing an epoch, and averaging weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "The batches of one epoch",
    difficulty=1,
    minutes=5,
    hints=[
        "`torch.randperm(n, generator=...)` is a shuffled 0 to n - 1.",
        "`order.split(size)` cuts it; the last piece may be shorter, and is to be left out.",
    ],
)
def batches(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """The row numbers of one epoch's batches, n // size tensors of int64 (size,).

    Every row comes at most once, in an order drawn from the generator; an incomplete last batch is
    left out, so that batch norm never sees a batch of one.
    """
    # your turn
    order = torch.randperm(n, generator=generator)
    return list(order[: n // size * size].split(size))


@check(batches, praise="Each face once, a new order each epoch, and every batch is full.")
def check_batches(attempt: Any) -> None:
    """Diagnose an attempt at :func:`batches`."""
    for n, size in ((100, 8), (64, 16), (37, 5)):
        draw = torch.Generator().manual_seed(1)
        first, second = _listed(attempt(n, size, draw)), _listed(attempt(n, size, draw))
        again = _listed(attempt(n, size, torch.Generator().manual_seed(1)))
        rows = torch.cat(first)
        if rows.min() < 0 or rows.max() >= n:
            raise Wrong(f"Rows run from 0 to {n - 1}; yours from {rows.min()} to {rows.max()}.")
        if any(len(batch) != size for batch in first[:-1]):
            raise Wrong(f"Some batches before the last do not hold {size} rows.")
        if len(first[-1]) < size or len(first) > n // size:
            raise Wrong(
                f"With {n} faces and batches of {size} a last, incomplete batch of {n % size} "
                "came along; it is to be left out."
            )
        if len(rows.unique()) < len(rows):
            raise Wrong("Some rows come twice in one epoch: drawing with replacement?")
        if len(first) < n // size:
            raise Wrong(f"{n} faces fill {n // size} batches of {size}; you made {len(first)}.")
        if torch.equal(rows, torch.arange(len(rows))):
            raise Wrong("The order is that of the data: nothing was shuffled.")
        if torch.equal(rows, torch.cat(second)):
            raise Wrong(
                "Two epochs came in the same order. Is a seed set inside, so that the generator "
                "starts anew each time?"
            )
        if not torch.equal(rows, torch.cat(again)):
            raise Wrong(
                "The same generator seed gave another order: are you drawing from torch's global "
                "generator? Then a resumed run could not repeat itself."
            )


@exercise(
    "Halve on a plateau",
    difficulty=2,
    minutes=10,
    hints=[
        "Keep two things besides the rate: the lowest loss so far, and for how many epochs it has "
        "stood.",
        "After a halving the count starts again, or the next epoch halves at once.",
        "Write down the rate of the epoch first; only then look at its loss.",
    ],
)
def halve(losses: list[float], lr: float, patience: int = 3) -> list[float]:
    """The learning rate of each epoch, by section 3.3's rule.

    losses: validation loss after each epoch. The rate of an epoch is fixed before its loss is
    known. It is halved when ``patience`` epochs in a row brought no loss below the lowest so far;
    then counting starts anew.
    """
    # your turn
    rates, lowest, waited = [], float("inf"), 0
    for loss in losses:
        rates.append(lr)
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited == patience:
            lr, waited = lr / 2, 0
    return rates


@check(halve, praise="That is the rule, to the epoch: compare it with torch's patience=3.")
def check_halve(attempt: Any) -> None:
    """Diagnose an attempt at :func:`halve`."""
    known: list[tuple[Callable[..., list[float]], str]] = [
        (
            _rule(late=1),
            "It halves one epoch too late, as torch's ReduceLROnPlateau with the same "
            "number does: torch bears `patience` epochs, and halves after one more.",
        ),
        (
            _rule(late=-1),
            "It halves one epoch too early: does your count start at 1, or count the "
            "epoch that brought the lowest loss?",
        ),
        (
            _rule(restart=False),
            "After a halving it halves again at once: the count must start anew.",
        ),
        (
            _rule(previous=True),
            "It compares with the loss of the epoch before. A loss that falls "
            "back from a bump is no progress: compare with the lowest so far.",
        ),
        (
            _rule(forgives=False),
            "The count goes on over epochs that did bring a lower loss; they must set it to zero.",
        ),
        (
            _rule(ties=True),
            "A loss equal to the lowest has not fallen, yet you count it as progress.",
        ),
        (
            _rule(now=True),
            "The new rate is written down for the epoch whose loss caused it; that "
            "epoch is over. It holds from the next one on.",
        ),
        (
            _rule(late=1, now=True),
            "Two slips cancel at the first halving: the new rate is written "
            "down an epoch too early, and torch's rule bears one epoch more than `patience` says.",
        ),
        (
            _rule(once=True),
            'It halves once and never again. The lesson reads "its original '
            'value" as the present one: at each new plateau the rate halves anew.',
        ),
        (
            _rule(forget=True),
            "After a halving you forget the lowest loss. Only the count starts "
            "anew; what is to be beaten stays.",
        ),
    ]
    cases = [
        ([3.0, 2.0, 2.5, 2.4, 2.3, 2.2, 2.1, 2.05, 2.3, 2.0], 0.1, 3),
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1.0, 3),
        ([2.0, 3.0, 1.0, 2.0, 0.5, 3.0, 0.4, 1.0, 0.9, 1.0], 0.4, 2),
        ([5.0, 4.0, 3.0, 2.0, 1.0], 0.2, 3),
        ([2.0, 1.0, 1.0, 1.0, 1.0, 0.5], 0.1, 3),
    ]
    draw = torch.Generator().manual_seed(0)
    for _ in range(8):
        losses = torch.randint(1, 9, (14,), generator=draw).float().tolist()
        cases.append((losses, 0.8, int(torch.randint(1, 5, (), generator=draw))))
    answers = []
    for losses, lr, patience in cases:
        out = [float(rate) for rate in attempt(list(losses), lr, patience)]
        if len(out) != len(losses):
            raise Wrong(f"{len(losses)} epochs need as many rates; {len(out)} came back.")
        answers.append(out)
    right = _rule()
    if all(_equal(out, right(*case)) for out, case in zip(answers, cases, strict=True)):
        return
    for rule, told in known:
        if all(_equal(out, rule(*case)) for out, case in zip(answers, cases, strict=True)):
            raise Wrong(told)
    if all(len(set(out)) == 1 for out in answers):
        raise Wrong("The rate never changes.")
    if any(not _halvings(out) for out in answers):
        raise Wrong("Rates should stay or become half; some of yours change by another factor.")
    losses, lr, patience = next(
        case for out, case in zip(answers, cases, strict=True) if not _equal(out, right(*case))
    )
    epoch = next(
        i
        for i, (a, b) in enumerate(
            zip(
                answers[cases.index((losses, lr, patience))],
                right(losses, lr, patience),
                strict=True,
            )
        )
        if not math.isclose(a, b)
    )
    raise Wrong(
        f"With losses {losses[: epoch + 1]} and patience {patience} the rate of epoch {epoch} "
        "(counted from 0) is wrong: how long has the lowest loss stood before it?"
    )


@exercise(
    "Choose the epoch",
    difficulty=1,
    minutes=5,
    hints=[
        "Which of the numbers may a choice look at?",
        "`max(range(len(history)), key=...)` gives the first of several equal ones.",
    ],
)
def pick_epoch(history: list[dict[str, float]]) -> int:
    """The position of the epoch whose weights are kept.

    Each entry has ``train_accuracy``, ``val_loss``, ``val_accuracy`` and, by a colleague's mistake,
    ``test_accuracy``. Kept is the epoch that is most often right on faces that are neither trained
    on nor reported; the first, if several are equal.
    """
    # your turn
    return max(range(len(history)), key=lambda i: history[i]["val_accuracy"])


@check(pick_epoch, praise="The test split had no say, and so its accuracy still means something.")
def check_pick_epoch(attempt: Any) -> None:
    """Diagnose an attempt at :func:`pick_epoch`."""
    history = [
        dict(zip(("train_accuracy", "val_loss", "val_accuracy", "test_accuracy"), row, strict=True))
        for row in (
            (0.3, 1.9, 0.30, 0.31),
            (0.6, 1.1, 0.58, 0.60),
            (0.8, 0.8, 0.66, 0.63),
            (0.9, 0.9, 0.71, 0.65),
            (0.94, 1.0, 0.70, 0.69),
            (0.98, 1.2, 0.71, 0.66),
        )
    ]
    told = {
        0: "That is the worst epoch.",
        2: "That is the epoch of the lowest validation loss: a fair choice, too, but the task asks "
        "for the one most often right. The two part when the network grows overconfident.",
        4: "You chose by test accuracy. Then the number you report is the best of many tries on "
        "the test split, and too high.",
        5: "That epoch is the last: either training accuracy chose it, or of two equal epochs you "
        "took the later.",
    }
    for shift in (0, 2):
        longer = history[:1] * shift + history
        out = attempt([dict(epoch) for epoch in longer])
        if isinstance(out, dict):
            raise Wrong("The epoch's position is asked for, not its entry.")
        if isinstance(out, bool) or int(out) != out:
            raise Wrong(f"A whole number is asked for; {out!r} came back.")
        if out == 4 + shift:
            raise (
                Wrong("Positions count from 0 in Python.")
                if _counts_from_one(attempt)
                else Wrong(told[4])
            )
        if out != 3 + shift:
            raise Wrong(told.get(int(out) - shift, f"{out} is no epoch that any rule would keep."))


@exercise(
    "A moving average of weights",
    difficulty=2,
    minutes=6,
    hints=[
        "Start from the first weights, not from zero.",
        "average = decay * average + (1 - decay) * weights, once for each later entry.",
    ],
)
def moving_average(weights: list[Tensor], decay: float) -> Tensor:
    """The exponential moving average of a weight over training.

    weights: the same weight after each step, all of one shape. The average begins as the first and
    keeps a share ``decay`` of itself at each step after it. Returns a new tensor of that shape.
    """
    # your turn
    average = weights[0].clone()
    for w in weights[1:]:
        average = decay * average + (1 - decay) * w
    return average


@check(moving_average, praise="Noise is averaged away, and old weights fade.")
def check_moving_average(attempt: Any) -> None:
    """Diagnose an attempt at :func:`moving_average`."""
    for shape, n, decay in (((3, 2), 5, 0.9), ((4,), 9, 0.7), ((2, 2, 3), 2, 0.99)):
        weights = [torch.randn(shape) for _ in range(n)]
        before = [w.clone() for w in weights]
        out = attempt(weights, decay)
        if any(not torch.equal(a, b) for a, b in zip(weights, before, strict=True)):
            raise Wrong(
                "The weights given have changed: training goes on from them, so the average must "
                "be a tensor of its own (clone the first)."
            )
        expect_shape(out, shape)
        right, zero = _ema(weights, decay), _ema([torch.zeros(shape), *weights], decay)
        if close(out, right):
            continue
        if close(out, _ema(weights, 1 - decay)):
            raise Wrong(
                "Old and new have changed places: with decay 0.999 your average forgets all but "
                "the last step."
            )
        if close(out, zero):
            raise Wrong("You begin at zero, and the average is drawn towards zero for long.")
        if close(out, zero / (1 - decay**n)):
            raise Wrong(
                "You begin at zero and correct for it, as Adam does. Here the average begins as "
                "the first weights."
            )
        if close(out, torch.stack(weights).mean(0)):
            raise Wrong("That is the plain mean: the first steps weigh as much as the last.")
        if close(out, weights[-1]):
            raise Wrong("That is the last weight itself: nothing is averaged.")
        if close(out, _ema([weights[0], *weights], decay)) or close(out, weights[0]):
            raise Wrong("The later weights do not get through; do you assign the new average?")
        share = (out - right).abs().max().item()
        raise Wrong(
            f"After {n} steps with decay {decay} the average is off by {share:.2g}. The weights' "
            "shares should sum to 1: do they?"
        )


def _listed(out: Iterable[Tensor]) -> list[Tensor]:
    found = [torch.as_tensor(batch) for batch in out]
    if not found:
        raise Wrong("No batch came back.")
    if any(batch.ndim != 1 or batch.is_floating_point() for batch in found):
        raise Wrong("Each batch is a one-dimensional tensor of whole row numbers.")
    return found


def _rule(
    late: int = 0,
    restart: bool = True,
    previous: bool = False,
    forgives: bool = True,
    ties: bool = False,
    now: bool = False,
    once: bool = False,
    forget: bool = False,
) -> Callable[[Sequence[float], float, int], list[float]]:
    """Section 3.3's rule, or one of the ways to get it wrong."""

    def rates(losses: Sequence[float], lr: float, patience: int) -> list[float]:
        found, lowest, waited, original = [], math.inf, 0, lr
        for loss in losses:
            if not now:
                found.append(lr)
            if loss < lowest or (ties and loss == lowest):
                waited = 0 if forgives else waited
            else:
                waited += 1
            lowest = loss if previous else min(lowest, loss)
            if waited >= max(patience + late, 1):
                lr = original / 2 if once else lr / 2
                waited = 0 if restart else waited
                lowest = loss if forget else lowest
            if now:
                found.append(lr)
        return found

    return rates


def _equal(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(math.isclose(x, y) for x, y in zip(a, b, strict=True))


def _halvings(rates: Sequence[float]) -> bool:
    return all(any(math.isclose(b, f * a) for f in (1, 0.5)) for a, b in pairwise(rates))


def _counts_from_one(attempt: Any) -> bool:
    row = {"train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "test_accuracy": 0.5}
    return attempt([row]) == 1


def _ema(weights: Sequence[Tensor], decay: float) -> Tensor:
    average = weights[0]
    for w in weights[1:]:
        average = decay * average + (1 - decay) * w
    return average
