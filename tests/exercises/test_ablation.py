"""Lesson 14's checks: the solutions pass, other styles pass, each known mistake is named."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from made_rows import made_row
from scipy.stats import t as student

import fercourse.plots
from fercourse import FERNet, ModelConfig
from fercourse.course import build
from fercourse.exercises import ablation
from fercourse.runs.credit import shapley
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import record_paper


def test_the_figure_of_costs_names_what_is_cheaper():
    def told(flops):
        figure = fercourse.plots.component_costs([100, 110, 111, 112, 115, 120], flops)
        return " ".join(figure._suptitle.get_text().split())

    grown = "10.0 % more operations and 20.0 % more parameters than VGG16"
    assert f"{grown}; no step makes it cheaper" in told([200, 200, 205, 210, 220, 220])
    assert f"{grown}; partial decoder makes it cheaper" in told([200, 201, 215, 210, 220, 220])
    with pytest.raises(fercourse.FercourseError, match="six models"):
        fercourse.plots.component_costs([1], [1])


def by_numpy(accuracy, t):
    gain = np.diff(accuracy.numpy(), axis=1)
    half = t * gain.std(axis=0, ddof=1) / np.sqrt(len(gain))
    return torch.tensor(gain.mean(axis=0)), torch.tensor(half)


def by_columns(accuracy, t):
    means, halves = [], []
    for k in range(5):
        d = accuracy[:, k + 1] - accuracy[:, k]
        m = d.sum() / len(d)
        means.append(m)
        halves.append(t * (((d - m) ** 2).sum() / (len(d) - 1) / len(d)).sqrt())
    return torch.stack(means), torch.stack(halves)


def by_scipy(accuracy, t):
    return by_numpy(accuracy, student.ppf(0.975, len(accuracy) - 1))


@pytest.mark.parametrize("style", [by_numpy, by_columns, by_scipy])
def test_other_steps_pass(style):
    verdict = ablation.check_steps(style)
    assert verdict, verdict


def wrong_half(of):
    def attempt(accuracy, t):
        gain = accuracy.diff(dim=1)
        return gain.mean(0), of(accuracy, gain, t, math.sqrt(len(gain)))

    return attempt


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (wrong_half(lambda a, g, t, n: t * (a.var(0)[1:] + a.var(0)[:-1]).sqrt() / n), "unrelated"),
        (wrong_half(lambda a, g, t, n: t * g.std(0)), "steadier"),
        (wrong_half(lambda a, g, t, n: t * g.std(0, correction=0) / n), "S - 1"),
        (wrong_half(lambda a, g, t, n: t * g.std(0) / math.sqrt(n * n - 1)), "twice"),
        (wrong_half(lambda a, g, t, n: 2 * t * g.std(0) / n), "whole width"),
        (wrong_half(lambda a, g, t, n: g.std(0) / n), "multiplied by t"),
        (wrong_half(lambda a, g, t, n: 1.96 * g.std(0) / n), "multiplied by t"),
        (wrong_half(lambda a, g, t, n: g.std(0) / n**3), "off by"),
        (lambda a, t: (-by_numpy(a, t)[0], by_numpy(a, t)[1]), "sign"),
        (lambda a, t: ((a[:, 1:] - a[:, :1]).mean(0), by_numpy(a, t)[1]), "model 1"),
        (lambda a, t: (a[:, 1:].mean(0), by_numpy(a, t)[1]), "mean gains are off"),
        (lambda a, t: (a.mean(0), a.std(0)), "five steps"),
        (lambda a, t: by_numpy(a, t)[0], "Two tensors"),
    ],
)
def test_wrong_steps_are_diagnosed(attempt, word):
    verdict = ablation.check_steps(attempt)
    assert not verdict
    assert word in verdict.message


def by_replace(component):
    from dataclasses import replace

    whole = ModelConfig(reverse=component != "decoder")
    return [replace(whole, **{component: False}), whole]


def by_names(component):
    names = set(ablation.COMPONENTS) - ({"reverse"} if component == "decoder" else set())
    both = (names - {component}, names)
    return tuple(ModelConfig(**{c: c in on for c in ablation.COMPONENTS}) for on in both)


@pytest.mark.parametrize("style", [by_replace, by_names])
def test_other_designs_pass(style):
    verdict = ablation.check_one_component(style)
    assert verdict, verdict


def neighbours(component):
    row = 2 + ablation.COMPONENTS.index(component)
    return ModelConfig.table1(row - 1), ModelConfig.table1(row)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (neighbours, "Table 1 asks"),
        (lambda c: (ModelConfig(**{c: False}), ModelConfig()), "must both sides"),
        (
            lambda c: (
                ModelConfig(**{c: False}, **({"reverse": False} if c == "decoder" else {})),
                ModelConfig(),
            ),
            "whose gain",
        ),
        (lambda c: by_names(c)[::-1], "order"),
        (lambda c: (ModelConfig(), ModelConfig()), "nothing is compared"),
        (lambda c: (ModelConfig(), ModelConfig(width=0.5)), "no component"),
        (lambda c: (ModelConfig.table1(1), ModelConfig()), "whose gain"),
        (lambda c: tuple(ModelConfig(**{c: on}, width=0.5) for on in (False, True)), "defaults"),
        (lambda c: c, "Two models"),
        (lambda c: (1, 2), "ModelConfigs"),
    ],
)
def test_wrong_designs_are_diagnosed(attempt, word):
    verdict = ablation.check_one_component(attempt)
    assert not verdict
    assert word in verdict.message


def by_formula(worth, parts):
    """Shapley's weights, without walking through the orders."""
    n, found = len(parts), {}
    for part in parts:
        rest = [p for p in parts if p != part]
        found[part] = sum(
            math.factorial(r)
            * math.factorial(n - r - 1)
            / math.factorial(n)
            * (worth[frozenset(s) | {part}] - worth[frozenset(s)])
            for r in range(n)
            for s in combinations(rest, r)
        )
    return found


def by_mean(worth, parts):
    def gain(order, part):
        before = frozenset(order[: order.index(part)])
        return worth[before | {part}] - worth[before]

    return {p: np.mean([gain(o, p) for o in permutations(parts)]) for p in parts}


def by_possible_mean(worth, parts):
    def gains(order):
        cuts = [worth.get(frozenset(order[:k])) for k in range(len(order) + 1)]
        if None in cuts:
            return None
        return dict(zip(order, np.diff(cuts), strict=True))

    each = [found for o in permutations(parts) if (found := gains(o))]
    return {p: np.mean([found[p] for found in each]) for p in parts}


def by_package(worth, parts):
    return shapley(worth, parts)


@pytest.mark.parametrize("style", [by_possible_mean, by_package])
def test_other_credits_pass(style):
    verdict = ablation.check_credit(style)
    assert verdict, verdict


@pytest.mark.parametrize("style", [by_formula, by_mean])
def test_credits_that_take_every_order_for_possible_are_told_what_is_not(style):
    verdict = ablation.check_credit(style)
    assert not verdict
    assert "24 of the 32 subsets" in verdict.message


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda w, ps: {p: w[frozenset({p})] - w[frozenset()] for p in ps}, "first"),
        (lambda w, ps: {p: w[frozenset(ps)] - w[frozenset(ps) - {p}] for p in ps}, "last"),
        (lambda w, ps: ablation._in_order(w, tuple(ps[::-1])), "one order"),
        (lambda w, ps: {p: math.factorial(len(ps)) * v for p, v in by_mean(w, ps).items()}, "sum"),
        (
            lambda w, ps: {
                p: ablation._plain(w, ps, p) if len(ps) > 2 else by_mean(w, ps)[p] for p in ps
            },
            "subsets",
        ),
        (lambda w, ps: dict.fromkeys(ps, 1.0), "sum to"),
        (
            lambda w, ps: dict.fromkeys(ps, (w[frozenset(ps)] - w[frozenset()]) / len(ps)),
            "in another way",
        ),
        (lambda w, ps: [1.0], "keys"),
        (lambda w, ps: by_mean(w, ps) if len(ps) < 5 else dict.fromkeys(ps, 0.0), "every step"),
    ],
)
def test_wrong_credits_are_diagnosed(attempt, word):
    verdict = ablation.check_credit(attempt)
    assert not verdict
    assert word in verdict.message


def test_what_models_of_one_seed_start_with_is_what_the_lesson_says():
    def start(row):
        torch.manual_seed(0)
        return FERNet(ModelConfig.table1(row, width=0.0625))

    nets = {row: start(row).state_dict() for row in range(1, 7)}

    def alike(a, b, part=""):
        names = [n for n in nets[a] if n.startswith(part) and n.endswith("weight")]
        # drawn alike: the same draws for the same shapes
        return all(torch.equal(nets[a][name], nets[b][name]) for name in names)

    assert alike(1, 2, "backbone")
    assert all(alike(3, row, "backbone") for row in (4, 5, 6))
    assert alike(5, 6)
    assert not alike(2, 3, "backbone.blocks.0.0.0")


LONG = {"train.epochs": 40, "loss.label_smoothing": 0.1}


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [
        ([], []),
        ([made_row(6)], []),
        ([made_row(k, seed) for k in (1, 6) for seed in (0, 1)], ["model1 to model6"]),
        (
            [made_row(k) for k in (1, 3, 6)] + [made_row(k, **LONG) for k in (1, 6)],
            ["model1 to model3", "model3 to model6", "model1 to model6"],
        ),
    ],
    ids=["claims alone", "one model", "two models", "two recipes"],
)
def test_the_lesson_pairs_whatever_a_ledger_holds(rows, pairs, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("FERCOURSE_LEDGER", str(tmp_path / "ledger.jsonl"))
    ledger = Ledger()
    record_paper(ledger)
    for row in rows:
        ledger.append(row)
    (path,) = build.SOURCE.glob("*_ablation.py")
    cells = [c.source for c in build.read(path).cells if c.cell_type == "code"]
    space = {"ledger": ledger, "display": lambda shown: None, "plots": fercourse.plots}
    exec("from itertools import pairwise", space)
    exec("from fercourse.runs.summaries import compare", space)
    exec('claims = ledger.claims(plan="table1")', space)
    start = next(i for i, cell in enumerate(cells) if "import group_by_config" in cell)
    for cell in cells[start:]:
        if "import group_by_config" in cell or "compare(runs" in cell or "plots." in cell:
            exec(cell, space)
        if "ablation_slopes" in cell:
            break
    said = [line for line in capsys.readouterr().out.splitlines() if " to model" in line]
    assert [line.split(":")[0].strip() for line in said] == pairs
