"""Lesson 13's checks: right attempts pass in any style, each likely mistake is named."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from fercourse.course import build
from fercourse.course.lesson import Lesson
from fercourse.exercises import sweeps
from fercourse.experiments.plans import plan
from fercourse.runs.ledger import Ledger


def verdict(name, attempt):
    return getattr(sweeps, f"check_{name}")(attempt)


def loop_search(score, firsts, seconds, start):
    best, found = -1.0, None
    for value in firsts:
        s = score(value, start)
        if s > best:
            best, found = s, value
    scores = [best if value == start else score(found, value) for value in seconds]
    return [found, seconds[int(np.argmax(scores))]]


def exact_best(values, spread, runs):
    def density(x):
        return x * values * norm.pdf(x) * norm.cdf(x) ** (values - 1)

    return quad(density, -8, 8)[0] * spread / runs**0.5


def around_the_truth(values, spread, runs):
    """As the lesson draws its flat sweeps."""
    rng = np.random.default_rng(0)
    return rng.normal(0.74, spread / runs**0.5, size=(20_000, values)).max(1).mean() - 0.74


def simulated_runs(values, spread, runs):
    draws = spread * np.random.default_rng(7).normal(size=(8000, values, runs))
    return draws.mean(2).max(1).mean()


def loop_choice(val, test):
    means = [sum(row) / len(row) for row in val]
    k = means.index(max(means))
    return np.int64(k), np.mean(test[k])


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("count_runs", lambda a, b, s: [s * a * b, s * a + s * (b - 1)]),
        (
            "count_runs",
            lambda a, b, s: (len(list(product(range(a), range(b)))) * s, s * (a + b - 1)),
        ),
        ("coordinate_search", loop_search),
        (
            "coordinate_search",
            lambda f, a, b, s: (
                (x := a[int(np.argmax([f(v, s) for v in a]))]),
                b[int(np.argmax([f(x, v) for v in b]))],
            ),
        ),
        ("choose_and_report", loop_choice),
        ("choose_and_report", lambda v, t: (v.sum(1).argmax(), t.mean(1)[v.sum(1).argmax()])),
        ("best_of_equals", exact_best),
        ("best_of_equals", simulated_runs),
        ("best_of_equals", around_the_truth),
        ("count_runs", lambda a, b, s: s * np.array([a * b, a + b - 1])),
    ],
)
def test_other_styles_pass(name, attempt):
    assert verdict(name, attempt), verdict(name, attempt)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda a, b, s: (a * b, a + b - 1), "seed"),
        (lambda a, b, s: ((a + b) * s, (a + b - 1) * s), "pairs every"),
        (lambda a, b, s: (a * b * s, (a + b) * s), "both sweeps"),
        (lambda a, b, s: ((a + b - 1) * s, a * b * s), "order"),
        (lambda a, b, s: (a**b * s, 1), "grid of"),
        (lambda a, b, s: (a * b * s, 1), "Two sweeps"),
        (lambda a, b, s: a * b * s, "two numbers"),
    ],
)
def test_count_runs_mistakes(attempt, word):
    said = verdict("count_runs", attempt)
    assert not said
    assert word in said.message


def whole_grid(f, a, b, s):
    return max(product(a, b), key=lambda pair: f(*pair))


def lowest(f, a, b, s):
    x = min(a, key=lambda v: f(v, s))
    return x, min(b, key=lambda v: f(x, v))


def stale_first(f, a, b, s):
    x = max(a, key=lambda v: f(v, s))
    return x, max(b, key=lambda v: f(a[0], v))


def other_order(f, a, b, s):
    y = max(b, key=lambda v: f(a[0], v))
    return max(a, key=lambda v: f(v, y)), y


def forgetful(f, a, b, s):
    found = []
    for values, at in ((a, lambda v: (v, s)), (b, lambda v: (found[0], v))):
        best = -1.0
        for value in values:
            if f(*at(value)) > best:
                best, kept = f(*at(value)), value
        found.append(kept)
    return found


def restless(f, a, b, s):
    """Goes round until nothing changes."""
    x, y, before = None, s, None
    while (x, y) != before:
        before = x, y
        x = max(a, key=lambda v: f(v, y))
        y = max(b, key=lambda v: f(x, v))
    return x, y


def one_more(f, a, b, s):
    _, y = sweeps.coordinate_search(f, a, b, s)
    return max(a, key=lambda v: f(v, y)), y


def second_lowest(f, a, b, s):
    x = max(a, key=lambda v: f(v, s))
    return x, min(b, key=lambda v: f(x, v))


def wasteful(f, a, b, s):
    for pair in product(a, b):
        f(*pair)
    return sweeps.coordinate_search(f, a, b, s)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (whole_grid, "whole grid"),
        (lowest, "lowest"),
        (stale_first, "where it began"),
        (other_order, "tuned first"),
        (lambda f, a, b, s: (max(a, key=lambda v: f(v, s)), s), "never tuned"),
        (wasteful, "more settings"),
        (forgetful, "keep what score answered"),
        (restless, "goes round once"),
        (one_more, "goes round once"),
        (second_lowest, "another pair"),
        (lambda f, a, b, s: sweeps.coordinate_search(f, a, b, b[0]), "should stand at start"),
        (lambda f, a, b, s: (max(f(v, s) for v in a), 1), "not their scores"),
        (lambda f, a, b, s: max(a, key=lambda v: f(s, v)), "first setting comes first"),
        (lambda f, a, b, s: max(a, key=lambda v: f(v, s)), "two values"),
    ],
)
def test_coordinate_search_mistakes(attempt, word):
    said = verdict("coordinate_search", attempt)
    assert not said
    assert word in said.message


def chosen(pick, report):
    def attempt(val, test):
        k = pick(val, test)
        return k, report(val, test, k)

    return attempt


def by_val(val, test):
    return val.mean(1).argmax()


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (chosen(lambda v, t: t.mean(1).argmax(), lambda v, t, k: t[k].mean()), "by test accuracy"),
        (chosen(lambda v, t: v.max(1).argmax(), lambda v, t, k: t[k].mean()), "lucky"),
        (chosen(lambda v, t: v.mean(0).argmax(), lambda v, t, k: t[k].mean()), "over values"),
        # These agree by chance, now and then, with one that has a diagnosis of its own.
        (chosen(lambda v, t: np.median(v, 1).argmax(), lambda v, t, k: t[k].mean()), "best mean"),
        (chosen(lambda v, t: v.min(1).argmax(), lambda v, t, k: t[k].mean()), "best mean"),
        (chosen(lambda v, t: 0, lambda v, t, k: t[k].mean()), "best mean"),
        (chosen(by_val, lambda v, t, k: np.median(t[k])), "should be reported"),
        (chosen(lambda v, t: t.max(1).argmax(), lambda v, t, k: t.max()), "by test accuracy"),
        (chosen(lambda v, t: by_val(v + t, t), lambda v, t, k: t[k].mean()), "had a vote"),
        (chosen(by_val, lambda v, t, k: t.mean(1).max()), "best mean of all"),
        (chosen(by_val, lambda v, t, k: 100 * t[k].mean()), "per cent"),
        (chosen(by_val, lambda v, t, k: v[k].mean()), "split that chose"),
        (chosen(by_val, lambda v, t, k: t[k].max()), "best seed"),
        (chosen(by_val, lambda v, t, k: t[k, v[k].argmax()]), "validation alone"),
        (chosen(by_val, lambda v, t, k: t.mean()), "all values"),
        (chosen(by_val, lambda v, t, k: 0.5), "should be reported"),
        (lambda v, t: by_val(v, t), "two things"),
    ],
)
def test_choose_and_report_mistakes(attempt, word):
    said = verdict("choose_and_report", attempt)
    assert not said
    assert word in said.message


def draws(k, r=1):
    return np.random.default_rng(3).normal(size=(20_000, k * r))


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda k, s, r: s * draws(k).max(1).mean(), "single runs"),
        (lambda k, s, r: s / r * draws(k).max(1).mean(), "square root"),
        (lambda k, s, r: s * draws(k, r).max(1).mean(), "single run of all"),
        (lambda k, s, r: s / r**0.5 * draws(k).std(1).mean(), "scatter"),
        (lambda k, s, r: s / r**0.5 * np.ptp(draws(k), 1).mean(), "lowest"),
        (lambda k, s, r: s / r**0.5 * draws(k).mean(0).max(), "before taking"),
        (lambda k, s, r: s / r**0.5 * np.abs(draws(k)).max(1).mean(), "Absolute"),
        (lambda k, s, r: s / r**0.5 * draws(k).max(), "highest of all sweeps"),
        (lambda k, s, r: 7 * s, "should be about"),
        (lambda k, s, r: s / r**0.5 if k == 5 else exact_best(k, s, r), "simulate more sweeps"),
        (lambda k, s, r: draws(k).max(1), "One number"),
        (lambda k, s, r: 0.001 + exact_best(k, s, r), "Without any spread"),
    ],
)
def test_best_of_equals_mistakes(attempt, word):
    said = verdict("best_of_equals", attempt)
    assert not said
    assert word in said.message


def test_the_lesson_says_how_to_measure_what_it_lacks(monkeypatch, tmp_path, capsys):
    """With the settings of the small net: the plan without them is another, of many hours."""
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "ledger.jsonl"))
    (path,) = build.SOURCE.glob("*_lambda_sweeps.py")
    (cell,) = (c.source for c in build.read(path).cells if "def recorded" in c.source)
    space = {"plan": plan, "Ledger": Ledger, "lesson": Lesson(12, "smoke")}
    exec(cell, space)
    small = {"model.width": 0.125, "train.epochs": 4}
    assert space["recorded"]("fig6b", "loss.pair_weight", "fer2013", "cpu", small) == []
    said = capsys.readouterr().out
    assert said.rstrip().endswith(
        "fercourse run fig6b --data fer2013 --preset cpu --seeds 2 "
        "--set model.width=0.125 --set train.epochs=4"
    )
