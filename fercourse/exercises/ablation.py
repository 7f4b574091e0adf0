"""Lesson 14: paired steps, an experiment for one component, and credit over all orders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

import fercourse
from fercourse.config import COMPONENTS, ModelConfig
from fercourse.errors import FercourseError
from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape
from fercourse.runs.credit import Worths, worths
from fercourse.runs.ledger import Ledger


@exercise(
    "Every step with its error",
    difficulty=2,
    minutes=8,
    hints=[
        "One row is one seed: subtract within the row first.",
        "A mean of S numbers has the standard error s / sqrt(S), where s divides by S - 1.",
        "`torch.Tensor.std` divides by S - 1 unless told otherwise.",
    ],
)
def steps(accuracy: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """What each of Table 1's steps adds, and half the width of its interval.

    accuracy: (S, 6), one row a seed, one column a model. t: Student's quantile for S - 1 degrees
    of freedom. Returns two tensors (5,): mean gain of model k + 1 on model k, paired over the
    seeds, and t standard errors of that mean.
    """
    # your turn
    gain = accuracy[:, 1:] - accuracy[:, :-1]  # (S, 5)
    return gain.mean(0), t * gain.std(0) / len(gain) ** 0.5


@check(steps, praise="Paired within seeds: what all models share has cancelled.")
def check_steps(attempt: Any) -> None:
    """Diagnose an attempt at :func:`steps`."""
    # All digits, so that whoever takes t from scipy instead agrees.
    for s, t in ((3, 4.3026527), (10, 2.2621572), (6, 2.5705818)):
        shared = 0.02 * torch.randn(s, 1)  # good and bad seeds
        accuracy = 0.7 + shared + 0.004 * torch.randn(s, 6) + 0.005 * torch.arange(6)
        out = attempt(accuracy.clone(), t)
        if not isinstance(out, tuple | list) or len(out) != 2:
            raise Wrong("Two tensors are asked for: the mean gains, and half their intervals.")
        mean, half = out
        expect_shape(mean, (5,), "Six models make five steps.")
        expect_shape(half, (5,), "Six models make five steps.")
        gain = accuracy.diff(dim=1)
        if close(mean, -gain.mean(0), 1e-5):
            raise Wrong("The sign is turned: later model minus earlier one.")
        if close(mean, (accuracy[:, 1:] - accuracy[:, :1]).mean(0), 1e-5):
            raise Wrong("Those are gains on model 1; a step is the gain on the model before.")
        if not close(mean, gain.mean(0), 1e-5):
            raise Wrong(f"The mean gains are off by up to {(mean - gain.mean(0)).abs().max():.2g}.")
        deviation, apart = gain.std(0), accuracy.var(0)
        right = t * deviation / math.sqrt(s)
        if close(half, right, 1e-6):
            continue
        if close(half, t * (apart[1:] + apart[:-1]).sqrt() / math.sqrt(s), 1e-6):
            raise Wrong(
                "Your error is that of two unrelated samples: it still holds the good and bad "
                "seeds that both models share. Take the spread of the differences."
            )
        if close(half, t * deviation, 1e-6):
            raise Wrong("That is how far single differences spread; a mean of S is steadier.")
        if close(half, t * gain.std(0, correction=0) / math.sqrt(s), 1e-6):
            raise Wrong(
                "The spread divides by S, as Sta does (eq. 9); for the error of a mean it must "
                "divide by S - 1."
            )
        if close(half, t * deviation / math.sqrt(s - 1), 1e-6):
            raise Wrong(
                "S - 1 was taken off twice: the root of S - 1 belongs to a spread that divides by "
                "S, as Sta does; yours divides by S - 1 already."
            )
        if close(half, 2 * right, 1e-6):
            raise Wrong("That is the whole width; half of it is asked for.")
        if close(half, deviation / math.sqrt(s), 1e-6) or close(
            half, 1.96 * deviation / math.sqrt(s), 1e-6
        ):
            raise Wrong("With so few seeds the standard error must be multiplied by t.")
        raise Wrong(f"Half the intervals are off by up to {(half - right).abs().max():.2g}.")


@exercise(
    "One component, alone",
    difficulty=2,
    minutes=8,
    hints=[
        "Start from the finished framework, `fercourse.ModelConfig()`, and take one thing away.",
        "`fercourse.ModelConfig(gcca=False)` has all but GCCA.",
        "Reverse attention starts from the decoder's map. To see the decoder alone, reverse "
        "attention must be absent on both sides.",
    ],
)
def one_component(
    component: str,
) -> tuple[fercourse.ModelConfig, fercourse.ModelConfig]:
    """Two models whose difference is the worth of one component within the whole framework.

    component: "fusion", "gcca", "decoder", "reverse" or "joint_loss". Returns the model without and
    the model with it, all other components on as far as that is possible, and alike on both sides.
    """
    # your turn
    rest = {"reverse": False} if component == "decoder" else {}
    off: dict = {component: False, **rest}
    on: dict = {component: True, **rest}
    return fercourse.ModelConfig(**off), fercourse.ModelConfig(**on)


@check(one_component, praise="One switch moves and nothing else does: that is an experiment.")
def check_one_component(attempt: Any) -> None:
    """Diagnose an attempt at :func:`one_component`."""
    for name in (*COMPONENTS[:2], "reverse", "joint_loss", "decoder"):
        try:
            out = attempt(name)
        except FercourseError as error:
            raise Wrong(
                f"For {name!r} no such model exists: {error} What must both sides do without?"
            ) from error
        if not isinstance(out, tuple | list) or len(out) != 2:
            raise Wrong("Two models are asked for: without the component, and with it.")
        without, with_it = out
        if not all(isinstance(model, ModelConfig) for model in out):
            raise Wrong(f"Two ModelConfigs are asked for, not {type(without).__name__}.")
        if without == with_it:
            raise Wrong(f"For {name!r} both models are the same: nothing is compared.")
        changed = [c for c in COMPONENTS if getattr(without, c) != getattr(with_it, c)]
        if len(changed) > 1:
            raise Wrong(
                f"For {name!r} the two differ in {' and '.join(changed)}: whose gain would it be?"
            )
        if changed != [name]:
            raise Wrong(f"For {name!r} the two differ in {changed or 'no component at all'}.")
        if getattr(without, name):
            raise Wrong("The order is without, then with.")
        right = one_component(name)
        if any(getattr(without, c) != getattr(right[0], c) for c in COMPONENTS):
            missing = [c for c in COMPONENTS if getattr(right[0], c) and not getattr(without, c)]
            raise Wrong(
                f"For {name!r} one switch moves, but {', '.join(missing) or 'something'} could be "
                "on as well on both sides. Table 1 asks what a part adds to those before it; this "
                "asks what the whole loses without it."
            )
        if (without, with_it) != right:
            raise Wrong("The components are right; other settings should stay at their defaults.")


@exercise(
    "Credit over all orders",
    difficulty=3,
    minutes=12,
    hints=[
        "`itertools.permutations(parts)` gives every order; some have a step without a worth.",
        "In one order, a part's gain is worth[those before and it] - worth[those before].",
        "Sum the gains of a part over all orders and divide by the number of orders.",
    ],
)
def credit(worth: dict[frozenset, float], parts: list[str]) -> dict[str, float]:
    """Each part's gain, averaged over all orders in which the parts can be added.

    worth: accuracy of every possible subset of the parts, the empty one included. Reverse attention
    needs the decoder, so {"reverse"} has no worth, and an order that begins with it does not count.
    The result sums to what all parts together gain (Shapley 1953).
    """
    import itertools

    # your turn
    total = dict.fromkeys(parts, 0.0)
    orders = [
        order
        for order in itertools.permutations(parts)
        if all(frozenset(order[:k]) in worth for k in range(len(parts)))
    ]
    for order in orders:
        there = frozenset()
        for part in order:
            total[part] += worth[there | {part}] - worth[there]
            there |= {part}
    return {part: gain / len(orders) for part, gain in total.items()}


@check(credit, praise="No order is preferred, and the shares sum to the whole gain.")
def check_credit(attempt: Any) -> None:
    """Diagnose an attempt at :func:`credit`."""
    for parts in (["a", "b"], ["fusion", "gcca", "joint"], ["p", "q", "r", "s"]):
        worth = _made_worths(parts)
        out = attempt(dict(worth), list(parts))
        if not isinstance(out, Mapping) or set(out) != set(parts):
            raise Wrong(f"A dict with the keys {', '.join(parts)} is asked for.")
        right = credit(worth, parts)
        whole, none = frozenset(parts), frozenset()
        if _same(out, right):
            continue
        orders = math.factorial(len(parts))
        if _same(out, {p: worth[frozenset({p})] - worth[none] for p in parts}):
            raise Wrong("Those are the gains of each part on nothing: it is always added first.")
        if _same(out, {p: worth[whole] - worth[whole - {p}] for p in parts}):
            raise Wrong("Those are the losses from taking a part away: it is always added last.")
        if _same(out, {p: orders * gain for p, gain in right.items()}):
            raise Wrong(f"You have the sum over {orders} orders; the mean is asked for.")
        if any(_same(out, _in_order(worth, order)) for order in itertools.permutations(parts)):
            raise Wrong("That is one order, as in Table 1; average over all of them.")
        if _same(out, {p: _plain(worth, parts, p) for p in parts}):
            raise Wrong(
                "You average over subsets. Orders do not meet all subsets equally often: the empty "
                "one stands before a part in one of every K orders."
            )
        total = sum(float(gain) for gain in out.values())
        if math.isclose(total, worth[whole] - worth[none], rel_tol=1e-6):
            raise Wrong(
                f"The credits sum to the whole gain, {total:.3g}, as they must, but it is shared "
                f"out in another way. Are all {orders} orders of these parts in the mean?"
            )
        raise Wrong(
            f"The credits sum to {total:.3g}, and all parts together gain "
            f"{worth[whole] - worth[none]:.3g}. Does every order's gain go to the part just added?"
        )
    worth = _measured_worths()
    needs = "Reverse attention needs the decoder, so 24 of the 32 subsets of five components exist"
    try:
        out = attempt(dict(worth), list(COMPONENTS))
    except KeyError as missing:
        raise Wrong(
            f"{needs}; you asked for {missing}. Leave out orders with such a step."
        ) from None
    if not isinstance(out, Mapping) or not _same(out, credit(worth, list(COMPONENTS))):
        raise Wrong(f"{needs}, and only orders whose every step exists belong into the mean.")


def _made_worths(parts: list[str]) -> Worths:
    subsets = [
        frozenset(c) for r in range(len(parts) + 1) for c in itertools.combinations(parts, r)
    ]
    return dict(zip(subsets, (60 + 10 * torch.rand(len(subsets)).double()).tolist(), strict=True))


def _measured_worths() -> Worths:
    """Of the five components, as far as they can be combined: one seed of what was recorded."""
    measured = worths(Ledger().rows(plan="combinations", dataset="synthetic"))
    made = _made_worths(list(COMPONENTS))
    return next(
        iter(measured.values()),
        {on: value for on, value in made.items() if "decoder" in on or "reverse" not in on},
    )


def _same(a: Mapping[str, Any], b: Mapping[str, float]) -> bool:
    return all(math.isclose(float(a[key]), b[key], rel_tol=1e-6, abs_tol=1e-9) for key in b)


def _in_order(worth: Mapping[frozenset[str], float], order: tuple[str, ...]) -> dict[str, float]:
    return {
        part: worth[frozenset(order[: i + 1])] - worth[frozenset(order[:i])]
        for i, part in enumerate(order)
    }


def _plain(worth: Mapping[frozenset[str], float], parts: list[str], part: str) -> float:
    before = [s for s in worth if part not in s and s <= set(parts)]
    return sum(worth[s | {part}] - worth[s] for s in before) / len(before)
