"""Lesson 15: the hardest triplets, the shape of a triangle, and a sixth rival."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape
from fercourse.losses import triplet_loss
from fercourse.models import Output, Recogniser


@exercise(
    "How equilateral?",
    difficulty=1,
    minutes=10,
    hints=[
        "Twice a triangle's area is the cross product of two of its sides: ux vy - uy vx.",
        "An equilateral triangle of side 1 has the area sqrt(3) / 4, and its squared sides sum "
        "to 3.",
    ],
)
def triangle_shape(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """4 sqrt(3) times the area, over the sum of the squared sides: (N, 2) three times -> (N,).

    1 for an equilateral triangle, 0 where the corners lie on one line, whatever place, size and
    turn.
    """
    # your turn
    u, v = b - a, c - a
    area = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).abs() / 2
    squared = (u**2).sum(1) + (v**2).sum(1) + ((c - b) ** 2).sum(1)
    return 4 * 3**0.5 * area / squared


@check(triangle_shape, "A number that place, size and turn leave alone: a signature.")
def check_triangle_shape(attempt: Callable[..., Any]) -> None:
    """Diagnoses: the factor, the sign, sides not squared, a side forgotten."""
    triangles = torch.randn(6, 3, 2, dtype=torch.float64)
    a, b, c = triangles.unbind(1)
    u, v = b - a, c - a
    twice = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    sides = torch.stack([(b - a).norm(dim=1), (c - b).norm(dim=1), (a - c).norm(dim=1)], 1)
    right = 2 * 3**0.5 * twice.abs() / (sides**2).sum(1)
    found = attempt(a, b, c)
    expect_shape(found, (6,))
    if close(found, right):
        return
    if close(found.abs(), right):
        raise Wrong("Some are negative: the area has no sign here, whichever way the corners go.")
    if close(found, 2 * right):
        raise Wrong("Twice too large: the cross product is twice the area.")
    if close(found * 4 * 3**0.5, right) or close(found * 2 * 3**0.5, right):
        raise Wrong("The factor 4 sqrt(3) is missing, which makes an equilateral triangle 1.")
    if close(found, 2 * 3**0.5 * twice.abs() / sides.sum(1)):
        raise Wrong("The sides are not squared: larger triangles would have larger numbers.")
    if close(found, 2 * 3**0.5 * twice.abs() / (sides[:, [0, 2]] ** 2).sum(1)):
        raise Wrong("One side is missing: a triangle has three.")
    raise Wrong(f"The values are off by {(found - right).abs().max():.3g}.")


@exercise(
    "The hardest triplets",
    difficulty=3,
    minutes=20,
    hints=[
        "All distances at once: torch.cdist(embedding, embedding), (N, N).",
        "For each face: the farthest of its own expression is a maximum over its row, with all "
        "others masked to 0; the nearest other is a minimum, with its own masked to something far.",
        "max(0, margin + farthest - nearest) for each face, then the mean.",
    ],
)
def hardest_triplets(embedding: Tensor, labels: Tensor, margin: float) -> Tensor:
    """The triplet loss of a batch, each face with its hardest partners: (N, D), (N,) -> scalar.

    For each face: margin + distance to the farthest face of its own expression - distance to the
    nearest face of another one, but not below 0; then the mean over faces. The embeddings have
    length 1, and every face has partners of both kinds.
    """
    # your turn
    distance = torch.cdist(embedding, embedding)  # (N, N)
    same = labels[:, None] == labels[None, :]
    farthest = distance.masked_fill(~same, 0).amax(1)
    nearest = distance.masked_fill(same, float("inf")).amin(1)
    return (margin + farthest - nearest).relu().mean()


@check(hardest_triplets, "Hard both ways: the loss asks about the worst neighbours only.")
def check_hardest_triplets(attempt: Callable[..., Any]) -> None:
    """Diagnoses: easy partners, no clamp, squared distances, and signs."""
    for _ in range(3):
        labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
        apart = 2 * F.one_hot(labels, 5) * (labels < 2)[:, None]  # two of the classes lie apart
        embedding = F.normalize(torch.randn(8, 5) + apart, dim=1)
        found = attempt(embedding, labels, 0.2)
        expect_shape(found, (), "One number for the batch: the mean over its faces.")
        right = triplet_loss(embedding, labels, 0.2)
        if close(found, right, 1e-3):
            continue
        distance = torch.cdist(embedding, embedding)
        same = labels[:, None] == labels[None, :]
        own = same & ~torch.eye(8, dtype=torch.bool)
        far = distance.masked_fill(~same, 0).amax(1)
        near = distance.masked_fill(same, 9).amin(1)
        easy = distance.masked_fill(~own, 9).amin(1)
        remote = distance.masked_fill(same, 0).amax(1)
        means = (distance * own).sum(1) / own.sum(1), (distance * ~same).sum(1) / (~same).sum(1)
        for answer, why in {
            (0.2 + far - near).mean(): "A face that is far enough on its side costs nothing, not "
            "less than nothing: clamp at 0 before the mean.",
            (0.2 + easy - remote).relu().mean(): "These are the easiest partners: take the "
            "farthest of its own and the nearest other.",
            (0.2 + easy - near).relu().mean(): "Of its own expression take the farthest face, not "
            "the nearest.",
            (0.2 + far - remote).relu().mean(): "Of the others take the nearest face, not the "
            "farthest.",
            (0.2 + near - far).relu().mean(): "The signs are exchanged: this pulls strangers near.",
            (far - near).relu().mean(): "The margin is missing.",
            (0.2 + far**2 - near**2).relu().mean(): "The distances are squared.",
            (0.2 + means[0] - means[1]).relu().mean(): "These are mean distances; only the "
            "hardest partner of each kind counts.",
            (0.2 + far - near).relu().sum(): "The sum over faces grows with the batch; take the "
            "mean.",
        }.items():
            if close(found, answer, 1e-3):
                raise Wrong(why)
        raise Wrong(f"You have {float(found):.4f} where {float(right):.4f} is right.")


@exercise(
    "A sixth rival",
    difficulty=3,
    minutes=30,
    hints=[
        "Build layers in __init__, and call self.add_head(length) last, with the length of the "
        "vector that you hand to self.answer.",
        "conv_bn(inputs, outputs, kernel) is a convolution with batch norm and ReLU; "
        "make_divisible(channels, config.width) scales a number of channels.",
        "forward: self.check(x); some convolutions and F.max_pool2d(x, 2) between them; "
        "return self.answer(global_avg_pool(x)).",
        "layers() returns modules by name, whose outputs are maps: {'last': self.last}.",
    ],
)
def sixth() -> type[nn.Module]:
    """A network class of your own, derived from Recogniser. Gives back the class itself."""
    from itertools import pairwise

    from fercourse.models import Recogniser
    from fercourse.modules.blocks import conv_bn, global_avg_pool, make_divisible

    # your turn
    class Residual(Recogniser):
        def __init__(self, config) -> None:  # a residual network, for instance
            super().__init__(config)
            wide = [make_divisible(c, config.width) for c in (64, 128, 256, 512)]
            self.first = conv_bn(config.in_channels, wide[0], 3)
            self.wider = nn.ModuleList(conv_bn(a, b, 3) for a, b in pairwise(wide))
            self.deeper = nn.ModuleList(conv_bn(b, b, 3) for b in wide[1:])
            self.add_head(wide[-1])

        def forward(self, x):
            self.check(x)
            x = self.first(x)
            for wider, deeper in zip(self.wider, self.deeper, strict=True):
                x = wider(F.max_pool2d(x, 2))
                x = x + deeper(x)  # (N, C_i, H / 2^i, W / 2^i)
            return self.answer(global_avg_pool(x))

        def layers(self) -> dict[str, nn.Module]:
            return {f"block{i}": block for i, block in enumerate(self.deeper, start=2)}

    return Residual


@check(sixth, "It trains, judges, stores and explains as any other: give it a name and run it.")
def check_sixth(attempt: Callable[[], Any]) -> None:
    """Diagnoses: no subclass, no head, wrong output, dead weights, width without effect."""
    kind = attempt()
    if not (isinstance(kind, type) and issubclass(kind, Recogniser)):
        raise Wrong("Give back a class that is derived from Recogniser, not an instance of it.")
    narrow, wide = (ModelConfig.table1(1, width=w, embedding=16) for w in (0.125, 0.25))
    network = kind(narrow)
    if not hasattr(network, "classify"):
        raise Wrong("The head is missing: call self.add_head(length) at the end of __init__.")
    faces = torch.randn(4, 1, 48, 48)
    out = network(faces)
    if not isinstance(out, Output):
        raise Wrong("forward gives back what self.answer(descriptors) makes, an Output.")
    expect_shape(out.logits, (4, 7))
    expect_shape(out.embedding, (4, 16))
    out.logits.logsumexp(1).sum().backward()
    dead = [n for n, p in network.named_parameters() if p.grad is None]
    if dead:
        raise Wrong(f"{dead[0]} has no gradient: nothing in forward uses it.")
    counts = [sum(p.numel() for p in kind(c).parameters()) for c in (narrow, wide)]
    if counts[0] == counts[1]:
        raise Wrong("config.width changes nothing: scale your channels by it, with make_divisible.")
    named = network.layers()
    if not named or not all(isinstance(m, nn.Module) for m in named.values()):
        raise Wrong("layers() gives modules by name, so that class activation maps can be made.")
    network.eval()
    with torch.no_grad():
        alone, together = network(faces[:1]).logits, network(faces).logits[:1]
    if not close(alone, together, 1e-3):
        raise Wrong("A face's answer depends on who else is in the batch, in evaluation mode too.")
