"""Lesson 13: what a search costs, coordinate search, and how much of a sweep's best is noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fercourse.exercises.exercise import Wrong, check, exercise, several


@exercise(
    "What a search costs",
    difficulty=1,
    minutes=5,
    hints=[
        "A grid tries every value of one with every value of the other.",
        "One after the other: the second sweep starts from a setting the first has already run.",
        "Everything is run once a seed.",
    ],
)
def count_runs(firsts: int, seconds: int, seeds: int) -> tuple[int, int]:
    """How many trainings: (of the whole grid, of two sweeps one after the other).

    firsts, seconds: how many values of each setting; a setting tried in both sweeps is run once.
    """
    # your turn
    return firsts * seconds * seeds, (firsts + seconds - 1) * seeds


@check(
    count_runs,
    praise="The grid grows with the product, two sweeps with the sum: that is why the paper did "
    "not search the grid.",
)
def check_count_runs(attempt):
    """Compare for the paper's sizes and two more."""
    for a, b, s in ((10, 5, 1), (10, 5, 10), (3, 4, 2)):
        out = attempt(a, b, s)
        told = "Return two numbers: runs of the grid, runs of the two sweeps."
        grid, sweeps = several(out, 2, told)
        right = (a * b * s, (a + b - 1) * s)
        if (grid, sweeps) == right:
            continue
        if (grid, sweeps) == right[::-1]:
            raise Wrong("Both are right, in the wrong order: the grid comes first.")
        if s > 1 and (grid, sweeps) == (a * b, a + b - 1):
            raise Wrong("Each setting is trained once for every seed.")
        if grid == (a + b) * s:
            raise Wrong("A grid pairs every value of the one with every value of the other.")
        if grid != right[0]:
            raise Wrong(f"The grid of {a} by {b} with {s} seeds is {right[0]} runs, not {grid:g}.")
        if sweeps == (a + b) * s:
            raise Wrong(
                "One setting is in both sweeps: the second starts where the first found its best, "
                "and that has been run."
            )
        raise Wrong(f"Two sweeps of {a} and {b} are {right[1]} runs here, not {sweeps:g}.")


@exercise(
    "One after the other",
    difficulty=2,
    minutes=10,
    hints=[
        "`max(values, key=...)` finds the value with the best score.",
        "While the first setting is tuned, the second stays at `start`.",
        "While the second is tuned, the first stays at the best found, not where it began.",
    ],
)
def coordinate_search(
    score, firsts: list[float], seconds: list[float], start: float
) -> tuple[float, float]:
    """Section 3.3's search: the best (first, second).

    score(first, second) is an accuracy. Tune the first with the second at start; then tune the
    second with the first at its best.
    """
    # your turn
    first = max(firsts, key=lambda value: score(value, start))
    second = max(seconds, key=lambda value: score(first, value))
    return first, second


@check(
    coordinate_search,
    praise="That is the paper's order. It ends at the best of a line, which on a tilted surface is "
    "not the best of the plane.",
)
def check_coordinate_search(attempt):
    """Follow it on tilted surfaces, and count what it tries."""
    rng = np.random.default_rng(0)
    found = []  # on each surface: where the attempt ends, and where the likely mistakes do
    settings, calls, higher = 0, 0, True
    for _ in range(60):
        a, b = rng.integers(4, 8, size=2)
        table = rng.permutation(a * b).reshape(a, b) / (a * b)
        firsts = [float(v) for v in rng.permutation(a) + 1]
        seconds = [float(v) for v in rng.permutation(b) / 100]
        start = int(rng.integers(b))
        ends = _ends(table, start)
        tried: list[tuple[int, int]] = []

        def score(first, second, table=table, firsts=firsts, seconds=seconds, tried=tried):
            if first not in firsts or second not in seconds:
                raise Wrong(
                    f"score was asked for ({first!r}, {second!r}): the first setting comes first, "
                    "and only values of the two lists are tried."
                )
            at = firsts.index(first), seconds.index(second)
            tried.append(at)
            return table[at]

        out = attempt(score, firsts, seconds, seconds[start])
        if not isinstance(out, tuple | list) or len(out) != 2:
            raise Wrong("Return the two values found: first, second.")
        if out[0] not in firsts or out[1] not in seconds:
            raise Wrong(
                f"{tuple(out)} is not a pair of values from the two lists: return the settings, "
                "not their scores or places."
            )
        end = firsts.index(out[0]), seconds.index(out[1])
        found.append((end, ends))
        settings = max(settings, len(set(tried)) - (a + b - 1))
        calls = max(calls, len(tried) - (a + b))  # the setting of both sweeps may be asked twice
        higher = higher and table[end] >= table[ends["right"]]
    # Judged over all surfaces: on a single one two searches may end at the same place by chance.
    said = [name for name in found[0][1] if all(end == ends[name] for end, ends in found)]
    if not said and settings > 0 and higher:
        raise Wrong(
            "It goes on after the two sweeps and ends higher for it, at the price of more "
            "trainings: the paper's search goes round once."
        )
    if "right" not in said:
        raise Wrong(
            said[0]
            if said
            else "The search ends at another pair than section 3.3's would: follow its two steps."
        )
    if settings > 0:
        raise Wrong(
            "It finds the right pair, but tries more settings than two sweeps need; each is a "
            "whole training."
        )
    if calls > 0:
        raise Wrong(
            "It finds the right pair, but asks for the same settings again; keep what score "
            "answered, for each call is a whole training."
        )


def _ends(table: np.ndarray, start: int) -> dict[str, tuple[int, int]]:
    """Where the search ends, and where the likely mistakes end."""
    first = int(table[:, start].argmax())
    worst = int(table[:, start].argmin())
    tuned = int(table[0].argmax())
    other = int(table[:, 0].argmax())
    whole = np.unravel_index(table.argmax(), table.shape)
    return {
        "right": (first, int(table[first].argmax())),
        "It looks for the lowest score; an accuracy is to be high.": (
            worst,
            int(table[worst].argmin()),
        ),
        "That is the best of the whole grid. The paper's search never sees most of it: one "
        "setting at a time.": (int(whole[0]), int(whole[1])),
        "The second setting was never tuned: it stayed where it started.": (first, start),
        "The second setting was tuned with the first where it began; by then the first should "
        "stand at its best.": (first, tuned),
        "The second setting was tuned first: the paper starts with the other one.": (
            int(table[:, tuned].argmax()),
            tuned,
        ),
        "The first setting was tuned with the second at the first of its values; it should stand "
        "at start.": (other, int(table[other].argmax())),
    }


@exercise(
    "Choose, then report",
    difficulty=2,
    minutes=8,
    hints=[
        "Two splits, two jobs: which one may choose?",
        "Average over seeds before you choose, or one lucky seed decides.",
    ],
)
def choose_and_report(val: np.ndarray, test: np.ndarray) -> tuple[int, float]:
    """(which of V values a sweep should choose, the accuracy to report for it).

    val, test: accuracies (V, S) of V values with S seeds each, on the two splits
    """
    # your turn
    best = int(val.mean(axis=1).argmax())
    return best, float(test[best].mean())


@check(
    choose_and_report,
    praise="Validation chooses by its mean over seeds, and the test split speaks once, for the "
    "chosen value, with all its seeds.",
)
def check_choose_and_report(attempt):
    """Compare on accuracies in which every wrong way of choosing chooses something else."""
    rng = np.random.default_rng(5)
    places, reports = [], []
    for _ in range(400):
        v = int(rng.integers(4, 9))
        s = int(rng.integers(2, min(v, 5) + 1))  # no more than v: a seed's place is a value's, too
        val, test = 0.7 + 0.02 * rng.normal(size=(2, v, s))
        best = int(val.mean(1).argmax())
        by_test, lucky = int(test.mean(1).argmax()), int(val.max(1).argmax())
        across = int(val.mean(0).argmax())
        if len({best, by_test, lucky, across}) < 4:
            continue
        out = attempt(val.copy(), test.copy())
        if not isinstance(out, tuple | list) or len(out) != 2:
            raise Wrong("Return two things: the place of the value, and the accuracy to report.")
        place, reported = _number(out[0]), _number(out[1])
        chose_by_test = (
            "You chose by test accuracy. A split that has chosen can no longer judge: its best is "
            "partly luck."
        )
        places.append(
            (
                place,
                best,
                [
                    (by_test, chose_by_test),
                    (test.max(1).argmax(), chose_by_test),
                    (
                        (val + test).mean(1).argmax(),
                        "The test split had a vote, too. Choose on validation "
                        "alone, or nobody is left to judge.",
                    ),
                    (
                        lucky,
                        "The value with the single best run was chosen. One lucky seed should not "
                        "decide: average over seeds first.",
                    ),
                    (across, "You averaged over values and chose a seed: rows are values."),
                ],
            )
        )
        mean = test[best].mean()
        reports.append(
            (
                reported,
                mean,
                [
                    (
                        val[best].mean(),
                        "Reported on the split that chose: that number is the highest of "
                        "many, and so too high. Report on the test split.",
                    ),
                    (
                        test[best].max(),
                        "You report the best seed; a reader will not get that one. Take "
                        "the mean over seeds.",
                    ),
                    (
                        test[best, val[best].argmax()],
                        "You report the seed that did best on validation "
                        "alone; take the mean over all seeds.",
                    ),
                    (
                        test.max(),
                        "That is the best test accuracy of all: chosen on the test split.",
                    ),
                    (
                        test.mean(1).max(),
                        "That is the best mean of all on the test split, which so has "
                        "chosen after all; report the chosen value's.",
                    ),
                    (test.mean(), "That is the mean over all values; report the chosen one."),
                    (100 * mean, "Report a fraction, as the accuracies come, not per cent."),
                ],
            )
        )
    assert len(places) > 20
    _judge(places, "Value {right:.0f} has the best mean on validation, not value {out:g}.")
    _judge(reports, "{right:.4f} should be reported, not {out:.4f}.")


def _judge(trials: list[tuple[float, float, list[tuple[float, str]]]], otherwise: str) -> None:
    """Raise the mistake that explains every trial: a single one may be explained by chance.

    Args:
        trials: What came back, what is right, and what each likely mistake gives.
        otherwise: What to say where no mistake explains them all.
    """
    if all(_near(out, right) for out, right, _ in trials):
        return
    for k, (_, message) in enumerate(trials[0][2]):
        if all(_near(out, slips[k][0]) for out, _, slips in trials):
            raise Wrong(message)
    out, right = next((o, r) for o, r, _ in trials if not _near(o, r))
    raise Wrong(otherwise.format(out=out, right=right))


@exercise(
    "The best of equals",
    difficulty=3,
    minutes=12,
    hints=[
        "Draw many sweeps at once: an array (sweeps, values) of normal numbers.",
        "The mean of `runs` runs scatters by spread / sqrt(runs).",
        "Take the highest of each sweep, then the mean over sweeps. All true values are equal, so "
        "let them be 0.",
    ],
)
def best_of_equals(values: int, spread: float, runs: int) -> float:
    """How far the winner of a sweep lies above the truth, on average, if all values are equal.

    Each of the values is measured by the mean of some runs; a single run scatters normally
    with this standard deviation. A simulation of some 10,000 sweeps is good enough.
    """
    # your turn
    rng = np.random.default_rng(0)
    sweeps = spread / np.sqrt(runs) * rng.normal(size=(20_000, values))
    return float(sweeps.max(axis=1).mean())


@check(
    best_of_equals,
    praise="More values raise the winner, more runs of each lower it: 1.54 standard errors for "
    "ten values, and nothing in it is real.",
)
def check_best_of_equals(attempt):
    """Compare with a simulation of our own, within 5 %."""
    rng = np.random.default_rng(1)
    for k, s, r in ((10, 0.24, 1), (5, 1.0, 4), (2, 0.5, 9)):
        normal = rng.normal(size=(60_000, k))
        unit = normal.max(1).mean()
        right = unit * s / math.sqrt(r)
        out = _number(attempt(k, s, r))
        if _like(out, right):
            # Not exactly: who simulates around the truth and subtracts it is left with rounding.
            if abs(_number(attempt(k, 0.0, r))) > 1e-5:
                raise Wrong("Without any spread the winner should lie at 0, the truth.")
            continue
        if r > 1 and _like(out, unit * s):
            raise Wrong("You took single runs; the mean of several scatters less.")
        if r > 1 and _like(out, unit * s / r):
            raise Wrong(
                "Divided by the runs; a mean scatters with the square root of their number."
            )
        best_run = rng.normal(size=(20_000, k * r)).max(1).mean() * s
        if r > 1 and _like(out, best_run):
            raise Wrong("That is the best single run of all; runs of one value are averaged first.")
        scatter = (normal.std(1).mean() * s / math.sqrt(r), s / math.sqrt(r))
        # With single runs only: later a winner of too few simulated sweeps may come as low.
        if r == 1 and any(_like(out, each) for each in scatter):
            raise Wrong("That is how far values scatter, not how high the highest one lies.")
        if _like(out, np.ptp(normal, axis=1).mean() * s / math.sqrt(r)):
            raise Wrong("That is from the lowest to the highest; measure from the truth, 0.")
        if _like(out, np.abs(normal).max(1).mean() * s / math.sqrt(r)):
            raise Wrong("Absolute values: a value far *below* the truth does not win a sweep.")
        if 3 < out * math.sqrt(r) / s < 6:
            raise Wrong("Is that the highest of all sweeps? Each has its own winner: average them.")
        if abs(out) < 0.05 * s:
            raise Wrong("About 0: you averaged before taking the maximum. Each sweep has a winner.")
        raise Wrong(
            f"For {k} values of {r} runs it should be about {right:.3f}, not {out:.3f}. If it "
            "changes from call to call, simulate more sweeps."
        )


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


def _like(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=0.05)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Wrong(f"One number is asked for, and {type(value).__name__} came back.") from None
