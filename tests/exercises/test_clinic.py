"""Lesson 20's checks: the solutions pass, other styles pass, each known mistake is named."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fercourse.exercises import clinic
from fercourse.preprocess import normalise

pytestmark = pytest.mark.numeric


# Judge twice


def state_put_back(model, images):
    state = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        p, q = [F.softmax(model(normalise(images)).logits, dim=1) for _ in range(2)]
    model.load_state_dict(state)
    return (p - q).abs().max()


def face_by_face_maximum(model, images):
    spare, x = copy.deepcopy(model), normalise(images)
    p = spare(x).logits.softmax(-1).detach().numpy()
    q = spare(x).logits.softmax(-1).detach().numpy()
    return max(np.abs(a - b).max() for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize("style", [state_put_back, face_by_face_maximum])
def test_other_second_judgements_pass(style):
    verdict = clinic.check_judge_twice(style)
    assert verdict, verdict


def twice(result, judge=lambda m, x: m(x).logits.softmax(1), prepare=lambda m: m.training):
    """An attempt on a copy, with one thing wrong."""

    def attempt(model, images):
        spare = copy.deepcopy(model)
        prepare(spare)
        with torch.no_grad():
            p, q = (judge(spare, normalise(images)) for _ in range(2))
        return result(p, q)

    return attempt


def largest(p, q):
    return (p - q).abs().max()


def on_the_patient(model, images):
    with torch.no_grad():
        p, q = (model(normalise(images)).logits.softmax(1) for _ in range(2))
    return largest(p, q)


def cured(model, images):
    return on_the_patient(model.eval(), images)


def one_pass(model, images):
    p = copy.deepcopy(model)(normalise(images)).logits.softmax(1)
    return (p - p).abs().max()


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (on_the_patient, "running statistics"),
        (cured, "must not treat"),
        (twice(largest, prepare=lambda m: m.eval()), "call eval"),
        (one_pass, "one pass twice"),
        (twice(lambda p, q: (p - q).max()), "downwards"),
        (twice(lambda p, q: (p - q).abs().mean()), "mean change"),
        (twice(lambda p, q: (p - q).abs().sum()), "sum of all"),
        (twice(largest, judge=lambda m, x: m(x).logits), "logit"),
        (twice(lambda p, q: (p.argmax(1) != q.argmax(1)).float().mean()), "share of answers"),
        (twice(lambda p, q: largest(p, q) + 2), "2 is right|equal, and you found"),
        (twice(lambda p, q: p - q), "stopped|number"),
        (twice(lambda p, q: None), "`return` missing"),
        (lambda model, images: 0.0, "gets 0"),
    ],
)
def test_wrong_second_judgements_are_diagnosed(attempt, word):
    verdict = clinic.check_judge_twice(attempt)
    assert not verdict
    assert any(part in verdict.message for part in word.split("|")), verdict


# One batch by heart


def gradients_dropped_last(model, x, y, lr=0.05, steps=40):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr, momentum=0.9), []
    model.train()
    while len(losses) < steps:
        loss = -F.log_softmax(model(x).logits, 1)[torch.arange(len(y)), y].mean()
        loss.backward()
        optimizer.step()
        model.zero_grad()
        losses.append(loss.detach().numpy())
    return losses


def momentum_by_hand(model, x, y, lr=0.05, steps=40):
    model.train()
    speed = {name: 0.0 for name, _ in model.named_parameters()}
    losses = torch.zeros(steps)
    for k in range(steps):
        loss = F.cross_entropy(model(x).logits, y)
        found = torch.autograd.grad(loss, list(model.parameters()), materialize_grads=True)
        with torch.no_grad():
            for (name, p), g in zip(model.named_parameters(), found, strict=True):
                speed[name] = 0.9 * speed[name] + g
                p -= lr * speed[name]
        losses[k] = loss.item()
    return losses


@pytest.mark.parametrize("style", [gradients_dropped_last, momentum_by_hand])
def test_other_ways_to_learn_by_heart_pass(style):
    verdict = clinic.check_one_batch_by_heart(style)
    assert verdict, verdict


def heart(
    momentum=0.9, zero=True, step=True, late=False, twice=False, mode=True, anew=False, keep=False,
    extra=0, nesterov=False,
):  # fmt: skip
    """Written apart from the check's own list of mistakes."""

    def attempt(model, x, y, lr=0.05, steps=40):
        def made():
            return torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, nesterov=nesterov)

        model.train(mode)
        optimizer, losses = made(), []
        for _ in range(steps + extra):
            out = model(x).logits
            loss = F.cross_entropy(F.softmax(out, 1) if twice else out, y)
            if zero:
                optimizer.zero_grad()
            loss.backward()
            if step:
                optimizer.step()
            if anew:
                optimizer = made()
            losses.append(loss if keep else loss.item())
        return losses[1:] if late else losses

    return attempt


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (heart(zero=False), "pile up"),
        (heart(step=False), "missing"),
        (heart(late=True, extra=1), "begin after"),
        (heart(twice=True), "softmax itself"),
        (heart(mode=False), "evaluation mode"),
        (heart(momentum=0.0), "no momentum"),
        (heart(anew=True), "forgets"),
        (heart(keep=True), "graph"),
        (heart(extra=1), "gave 13"),
        (heart(nesterov=True), "look at the step"),
        (lambda model, x, y, lr, steps: [0.5] * steps, "untouched net"),
        (lambda model, x, y, lr, steps: 0.5, "list"),
    ],
)
def test_wrong_ways_to_learn_by_heart_are_diagnosed(attempt, word):
    verdict = clinic.check_one_batch_by_heart(attempt)
    assert not verdict
    assert word in verdict.message, verdict


# Gradient norms


def by_backward_on_a_clean_slate(model, loss):
    kept = {p: p.grad for p in model.parameters()}
    for p in kept:
        p.grad = None
    loss.backward()
    found = {
        name: 0.0 if p.grad is None else p.grad.norm() / p.data.norm()
        for name, p in model.named_parameters()
        if len(p.shape) > 1
    }
    for p, gradient in kept.items():
        p.grad = gradient
    return found


def by_hand(model, loss):
    found = {}
    for name, p in model.named_parameters():
        if p.dim() >= 2:
            (g,) = torch.autograd.grad(loss, p, retain_graph=True, allow_unused=True)
            g = torch.zeros_like(p) if g is None else g
            found[name] = float((g**2).sum() ** 0.5 / (p.detach() ** 2).sum() ** 0.5)
    return found


@pytest.mark.parametrize("style", [by_backward_on_a_clean_slate, by_hand])
def test_other_gradient_norms_pass(style):
    verdict = clinic.check_gradient_norms(style)
    assert verdict, verdict


def norms(value=lambda g, p: (g.norm() / p.norm()).item(), axes=2, unused=True):
    def attempt(model, loss):
        found = {}
        for name, p in model.named_parameters():
            (g,) = torch.autograd.grad(loss, p, retain_graph=True, allow_unused=True)
            if p.ndim >= axes and (g is not None or unused):
                found[name] = value(torch.zeros_like(p) if g is None else g, p.detach())
        return found

    return attempt


def piled(model, loss):
    loss.backward()
    return {
        name: 0.0 if p.grad is None else (p.grad.norm() / p.norm()).item()
        for name, p in model.named_parameters()
        if p.ndim > 1
    }


def wiped(model, loss):
    model.zero_grad()
    return norms()(model, loss)


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (piled, "adds up"),
        (wiped, "no more what they were"),
        (norms(lambda g, p: g.norm().item()), "alone"),
        (norms(lambda g, p: (g.norm() / p.norm()).item() ** 2), "squares"),
        (norms(lambda g, p: (p.norm() / g.norm()).item() if g.any() else 0.0), "upside down"),
        (norms(lambda g, p: (g.abs().mean() / p.abs().mean()).item()), "mean size"),
        (norms(axes=1), "does not belong"),
        (norms(unused=False), "spare.weight is missing"),
        (norms(lambda g, p: 0.5), "is right"),
        (norms(lambda g, p: None), "`return` missing"),
        (lambda model, loss: [1.0], "dict"),
    ],
)
def test_wrong_gradient_norms_are_diagnosed(attempt, word):
    verdict = clinic.check_gradient_norms(attempt)
    assert not verdict
    assert word in verdict.message, verdict


# Mask a strip


def answer(model, images):
    return model(normalise(images)).logits.argmax(1)


def by_mask(model, images, labels, height=8):
    strips = torch.arange(images.shape[1]) // height
    found = []
    for k in range(int(strips.max()) + 1):
        inside = (strips == k)[None, :, None]
        covered = torch.where(inside, torch.tensor(128, dtype=torch.uint8), images)
        found.append((answer(model, covered) == labels).double().mean())
    return torch.stack(found)


def all_at_once(model, images, labels, height=8):
    count = images.shape[1] // height
    copies = images.repeat(count, 1, 1, 1)
    for k, copy_ in enumerate(copies):
        copy_[:, k * height : (k + 1) * height] = 128
    right = answer(model, copies.flatten(0, 1)).reshape(count, -1) == labels
    return right.float().mean(1).tolist()


@pytest.mark.parametrize("style", [by_mask, all_at_once])
def test_other_strips_pass(style):
    verdict = clinic.check_mask_a_strip(style)
    assert verdict, verdict


def strips(
    clone=True, columns=False, grey=128, backwards=False, pile=False, skip=0,
    result=lambda right, bare: right.float().mean().item(),
):  # fmt: skip
    def attempt(model, images, labels, height=8):
        found, covered = [], images.clone() if clone else images
        bare = (answer(model, images) == labels).float().mean().item()
        for top in range(0, images.shape[1] - skip * height, height):
            if clone and not pile:
                covered = images.clone()
            if columns:
                covered[:, :, top : top + height] = grey
            else:
                covered[:, top : top + height] = grey
            found.append(result(answer(model, covered) == labels, bare))
        return found[::-1] if backwards else found

    return attempt


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (strips(clone=False), "were changed"),
        (strips(columns=True), "axis 1 is the rows"),
        (strips(grey=255), "128"),
        (strips(backwards=True), "wrong order"),
        (strips(pile=True), "add up"),
        (strips(skip=1), "yours has 1"),
        (strips(result=lambda right, bare: 1 - right.float().mean().item()), "wrong answers"),
        (strips(result=lambda right, bare: bare - right.float().mean().item()), "falls"),
        (strips(result=lambda right, bare: right.sum().item()), "counts"),
        (strips(result=lambda right, bare: 0.123), "is right"),
        (lambda model, images, *rest: model(images[:, None]), "not normalised"),
        (lambda *given: 0.5, "list of one accuracy"),
    ],
)
def test_wrong_strips_are_diagnosed(attempt, word):
    verdict = clinic.check_mask_a_strip(attempt)
    assert not verdict
    assert word in verdict.message, verdict
