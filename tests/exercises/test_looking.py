"""Every mistake in lesson 16 gets its diagnosis, and several right ways pass."""

import pytest
import torch
from diagnoses import diagnosed

from fercourse.exercises import looking

pytestmark = pytest.mark.numeric


def alpha(g):
    return g.mean((2, 3), keepdim=True)


def test_cam():
    def face_by_face(a, g):
        pairs = zip(a, g, strict=True)
        return torch.stack([(x * d.mean((1, 2))[:, None, None]).sum(0) for x, d in pairs]).relu()

    def by_einsum(a, g):
        return torch.einsum("nc,nchw->nhw", g.flatten(2).mean(2), a).clamp_min(0)

    for right in (face_by_face, by_einsum):
        assert looking.check_class_map(right), looking.check_class_map(right)
    diagnosed(
        looking.check_class_map,
        {
            "ReLU is missing": lambda a, g: (alpha(g) * a).sum(1),
            "Absolute": lambda a, g: (alpha(g) * a).sum(1).abs(),
            "before the sum": lambda a, g: (alpha(g) * a).relu().sum(1),
            "on the weights": lambda a, g: (alpha(g).relu() * a).sum(1),
            "HiResCAM": lambda a, g: (g * a).sum(1).relu(),
            "Layer-CAM": lambda a, g: (g.relu() * a).sum(1),
            "summed the gradient": lambda a, g: (g.sum((2, 3), keepdim=True) * a).sum(1).relu(),
            "averaged over channels at the end": lambda a, g: (alpha(g) * a).mean(1).relu(),
            "gradient was averaged over channels": lambda a, g: (
                (g.mean(1, keepdim=True) * a).sum(1).relu()
            ),
            "batch": lambda a, g: (g.mean((0, 2, 3), keepdim=True) * a).sum(1).relu(),
            "stretched": lambda a, g: (
                looking.class_map(a, g)
                / looking.class_map(a, g).amax((1, 2), keepdim=True).clamp_min(1e-7)
            ),
            "no say": lambda a, g: a.mean(1),
            "channels are still there": lambda a, g: (alpha(g) * a).relu(),
            "length 1": lambda a, g: (alpha(g) * a).sum(1, keepdim=True).relu(),
            "negative": lambda a, g: looking.class_map(a, g) - 1,
            "check alpha": lambda a, g: 3 * looking.class_map(a, g),
        },
    )


def test_energy_inside():
    for right in (
        lambda m, t: torch.stack([a[b].sum() / a.sum() for a, b in zip(m, t, strict=True)]),
        lambda m, t: 1 - (m * ~t).flatten(1).sum(1) / m.flatten(1).sum(1),
        lambda m, t: torch.einsum("nhw,nhw->n", m / m.sum((1, 2), keepdim=True), t.float()),
    ):
        assert looking.check_energy_inside(right)
    diagnosed(
        looking.check_energy_inside,
        {
            "That is a sum": lambda m, t: (m * t).sum((1, 2)),
            "mean inside": lambda m, t: (m * t).sum((1, 2)) / t.sum((1, 2)),
            "mask's share of the picture: the map": lambda m, t: t.float().mean((1, 2)),
            "sum over all faces": lambda m, t: (m * t).sum((1, 2)) / m.sum(),
            "*outside*": lambda m, t: (m * ~t).sum((1, 2)) / m.sum((1, 2)),
            "odds": lambda m, t: (m * t).sum((1, 2)) / (m * ~t).sum((1, 2)),
            "One number": lambda m, t: (m * t).sum() / m.sum(),
            "run up to": lambda m, t: 7 * looking.energy_inside(m, t),
            "not the share": lambda m, t: looking.energy_inside(m**2, t),
        },
    )


def test_pointing():
    def by_row_and_column(maps, masks):
        at = maps.flatten(1).argmax(1)
        rows, columns = at // maps.shape[2], at % maps.shape[2]
        return masks[torch.arange(len(maps)), rows, columns]

    def by_comparison(maps, masks):
        return ((maps == maps.amax((1, 2), keepdim=True)) & masks).any(2).any(1).float()

    assert looking.check_pointing(by_row_and_column)
    assert looking.check_pointing(by_comparison)

    def swapped(maps, masks):
        at = maps.flatten(1).argmax(1)
        h, w = maps.shape[1:]
        return masks[torch.arange(len(maps)), (at % w).clamp_max(h - 1), (at // w).clamp_max(w - 1)]

    def of_the_batch(maps, masks):
        at = int(maps.flatten().argmax()) % maps[0].numel()
        return masks.flatten(1)[:, at]

    diagnosed(
        looking.check_pointing,
        {
            "lowest": lambda m, t: looking.pointing(-m, t),
            "whole batch": of_the_batch,
            "highest value inside": lambda m, t: (m * t).flatten(1).amax(1),
            "*whole* map": lambda m, t: looking.pointing(m.exp() * t, t),
            "share of the picture": lambda m, t: t.float().mean((1, 2)),
            "Absolute": lambda m, t: looking.pointing(m.abs(), t),
            "One answer for all": lambda m, t: looking.pointing(m, t).float().mean(),
            "row and": swapped,
        },
    )


def test_claims():
    right = looking.claims()
    assert looking.check_claims(lambda: {name: int(value) for name, value in right.items()})
    assert looking.check_claims(lambda: dict(reversed(right.items())))
    words = ("Gaussian", "thrown away", "stretched", "flat map", "photographs|Deletion blurs")
    for name, word in zip(right, words, strict=True):
        verdict = looking.check_claims(lambda name=name: right | {name: not right[name]})
        assert not verdict
        assert any(w in verdict.message for w in word.split("|"))
    assert "no answer yet" in looking.check_claims(lambda: dict.fromkeys(right)).message
    assert "dict" in looking.check_claims(lambda: [True]).message
