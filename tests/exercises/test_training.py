"""Lesson 11's checks: the solutions pass, other styles pass, each known mistake is named."""

import numpy as np
import pytest
import torch

from fercourse import FercourseError, plots
from fercourse.exercises import training

pytestmark = pytest.mark.numeric


def words(figure):
    return " ".join(figure._suptitle.get_text().split())


def test_figures_say_what_was_measured():
    told = words(plots.throughput({2: 10.0, 64: 500.0, 8: 90.0}, {"forward": 1.0, "backward": 3.0}))
    assert "Batches of 64 are fastest here, 50.0 times as fast as batches of 2" in told
    assert told.endswith("backward takes 75 % of a step")
    told = words(plots.averaging([0.1, 0.5, 0.3, 0.6, 0.55], [0.1, 0.3, 0.5, 0.6, 0.6]))
    assert "25.0 points in all, their average by 0.0" in told
    with pytest.raises(FercourseError, match="cannot be compared"):
        plots.averaging([0.1], [])
    with pytest.raises(FercourseError, match="measured"):
        plots.throughput({}, {"forward": 1.0})


def by_slices(n, size, generator):
    order = torch.randperm(n, generator=generator)
    return [order[i : i + size] for i in range(0, n - size + 1, size)]


def by_table(n, size, generator):
    order = torch.rand(n, generator=generator).argsort()
    return order[: n - n % size].reshape(-1, size)


@pytest.mark.parametrize("style", [by_slices, by_table])
def test_other_batches_pass(style):
    verdict = training.check_batches(style)
    assert verdict, verdict


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda n, s, g: torch.randperm(n, generator=g).split(s), "incomplete"),
        (lambda n, s, g: torch.arange(n // s * s).split(s), "shuffled"),
        (lambda n, s, g: torch.randint(n, (n // s * s,), generator=g).split(s), "twice"),
        (lambda n, s, g: by_slices(n, s, torch.Generator().manual_seed(0)), "same order"),
        (lambda n, s, g: torch.randperm(n)[: n // s * s].split(s), "global"),
        (lambda n, s, g: by_slices(n, s, g)[:-1], "fill"),
        (lambda n, s, g: [1 + b for b in by_slices(n, s, g)], "run from 0"),
        (lambda n, s, g: [], "No batch"),
        (lambda n, s, g: 3, "TypeError"),
    ],
)
def test_wrong_batches_are_diagnosed(attempt, word):
    verdict = training.check_batches(attempt)
    assert not verdict
    assert word in verdict.message


def halving(
    late=0, restart=True, previous=False, forgives=True, ties=False, now=False, by=0.5, forget=False
):
    """Written apart from the check's own list of mistakes."""

    def rates(losses, lr, patience=3):
        out, best, bad = [], 1e9, 0
        for loss in losses:
            out.append(lr)
            improved = loss <= best if ties else loss < best
            if improved and forgives:
                bad = 0
            elif not improved:
                bad += 1
            best = loss if previous or improved else best
            if bad >= max(1, patience + late):
                lr *= by
                best = loss if forget else best
                if restart:
                    bad = 0
            if now:
                out[-1] = lr
        return out

    return rates


def by_history(losses, lr, patience=3):
    """Looks back instead of counting."""
    out, since = [], 0
    for epoch in range(len(losses)):
        out.append(lr)
        seen = losses[: epoch + 1]
        last = max(since, 1 + int(np.argmin(seen)))
        if epoch + 1 - last == patience:
            lr, since = lr / 2, epoch + 1
    return out


def by_torch(losses, lr, patience=3):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=lr)
    rule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold=0.0
    )
    out = []
    for loss in losses:
        out.append(optimizer.param_groups[0]["lr"])
        rule.step(loss)
    return out


def by_torch_late(losses, lr, patience=3):
    """The lesson's own loop around torch's rule: rates are read after the step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    rule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience)
    out = []
    for loss in losses:
        rule.step(loss)
        out.append(optimizer.param_groups[0]["lr"])
    return out


def only_once(losses, lr, patience=3):
    return [max(rate, lr / 2) for rate in halving()(losses, lr, patience)]


@pytest.mark.parametrize("style", [halving(), by_history, by_torch])
def test_other_halvings_pass(style):
    verdict = training.check_halve(style)
    assert verdict, verdict


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda losses, lr, patience=3: by_torch(losses, lr, patience + 1), "too late"),
        (halving(late=-1), "too early"),
        (halving(restart=False), "at once"),
        (halving(previous=True), "the epoch before"),
        (halving(forgives=False), "goes on over"),
        (halving(ties=True), "equal to the lowest"),
        (halving(now=True), "is over"),
        (by_torch_late, "Two slips"),
        (only_once, "never again"),
        (halving(forget=True), "forget the lowest"),
        (halving(by=0.1), "another factor"),
        (lambda losses, lr, patience=3: [lr] * len(losses), "never changes"),
        (lambda losses, lr, patience=3: [lr / 2 ** (i // 3) for i in range(len(losses))], "epoch"),
        (lambda losses, lr, patience=3: [lr], "as many rates"),
    ],
)
def test_wrong_halvings_are_diagnosed(attempt, word):
    verdict = training.check_halve(attempt)
    assert not verdict
    assert word in verdict.message


def by_loop(history):
    best = 0
    for i, epoch in enumerate(history):
        if epoch["val_accuracy"] > history[best]["val_accuracy"]:
            best = i
    return best


def by_numpy(history):
    return int(np.argmax([epoch["val_accuracy"] for epoch in history]))


@pytest.mark.parametrize("style", [by_loop, by_numpy])
def test_other_choices_pass(style):
    assert training.check_pick_epoch(style)


def most(name, last=False):
    def attempt(history):
        values = [epoch[name] for epoch in history]
        best = max(values)
        return max(i for i, v in enumerate(values) if v == best) if last else values.index(best)

    return attempt


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (most("test_accuracy"), "test"),
        (most("train_accuracy"), "training accuracy"),
        (most("val_accuracy", last=True), "later"),
        (most("val_loss"), "worst"),
        (lambda h: min(range(len(h)), key=lambda i: h[i]["val_loss"]), "lowest validation loss"),
        (lambda h: 1 + by_loop(h), "from 0"),
        (lambda h: h[by_loop(h)], "position"),
        (lambda h: 1, "no epoch that any rule"),
        (lambda h: None, "return"),
    ],
)
def test_wrong_choices_are_diagnosed(attempt, word):
    verdict = training.check_pick_epoch(attempt)
    assert not verdict
    assert word in verdict.message


def by_lerp(weights, decay):
    average = weights[0].clone()
    for w in weights[1:]:
        average.lerp_(w, 1 - decay)
    return average


def by_shares(weights, decay):
    n = len(weights)
    shares = torch.tensor([decay ** (n - 1 - i) * (1 - decay if i else 1) for i in range(n)])
    return torch.tensordot(shares, torch.stack(weights), 1)


@pytest.mark.parametrize("style", [by_lerp, by_shares])
def test_other_averages_pass(style):
    verdict = training.check_moving_average(style)
    assert verdict, verdict


def in_place(weights, decay):
    for w in weights[1:]:
        weights[0].lerp_(w, 1 - decay)
    return weights[0]


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (in_place, "own"),
        (lambda w, d: by_lerp(w, 1 - d), "changed places"),
        (lambda w, d: by_lerp([torch.zeros_like(w[0]), *w], d), "begin at zero"),
        (
            lambda w, d: by_lerp([torch.zeros_like(w[0]), *w], d) / (1 - d ** len(w)),
            "as Adam does",
        ),
        (lambda w, d: torch.stack(list(w)).mean(0), "plain mean"),
        (lambda w, d: w[-1].clone(), "last weight itself"),
        (lambda w, d: w[0].clone(), "do not get through"),
        (lambda w, d: 2 * by_lerp(w, d), "sum to 1"),
        (lambda w, d: by_lerp(w, d)[None], "shape"),
    ],
)
def test_wrong_averages_are_diagnosed(attempt, word):
    verdict = training.check_moving_average(attempt)
    assert not verdict
    assert word in verdict.message
