"""Lesson 09: the reversed weights, what they erase, the residual, and the whole cascade."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "The reversed weights (eq. 4)",
    difficulty=1,
    minutes=6,
    hints=[
        "Three operations, from the inside out: U, then the sigmoid, then one minus.",
        "U must hit the size of C_i, whatever it is: `F.interpolate` takes `size=`.",
        "S has one channel, and so has A: `features` gives nothing but its height and width.",
    ],
)
def reversed_weights(features: Tensor, deeper: Tensor) -> Tensor:
    """A_i of eq. 4, in (0, 1), high where nothing was predicted yet: (N, 1, h, w).

    Args:
        features: C_i, (N, C, h, w); only its size matters here.
        deeper: S_(i+1), in logits, (N, 1, h', w'), of any size; resize it bilinearly
            (``align_corners=False``) before the sigmoid.
    """
    # your turn
    up = F.interpolate(deeper, size=features.shape[2:], mode="bilinear", align_corners=False)
    return 1 - up.sigmoid()


@check(
    reversed_weights, praise="High where nothing is claimed, low where something is, at any size."
)
def check_reversed_weights(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """Diagnoses: not reversed, no sigmoid, two, softmax, a fixed factor, sigmoid before U."""
    for small, large in (((3, 3), (6, 6)), ((2, 3), (5, 7)), ((6, 5), (3, 4))):
        c, s = torch.randn(2, 8, *large), 3 * torch.randn(2, 1, *small)
        try:
            out = attempt(c.clone(), s.clone())
        except RuntimeError as error:
            if large != (6, 6) and "must match" in str(error):
                raise Wrong(
                    f"It works from 3 × 3 to 6 × 6 and stops from {small} to {large}: do you "
                    "resize by a fixed factor, or to the partner's size?"
                ) from error
            raise
        if isinstance(out, Tensor) and out.ndim == 4:
            size = tuple(out.shape[2:])
            if size == (2 * small[0], 2 * small[1]) and size != large:
                raise Wrong(
                    f"From {small} you made {size}: a factor of two. The partner is {large}."
                )
            if size == small and size != large:
                raise Wrong(f"A has the size of the deeper map, {small}; C_i has {large}.")
            if tuple(out.shape) == tuple(c.shape):
                raise Wrong(
                    "You return one map a channel. A has a single channel, the same for all "
                    "channels of C_i; multiplying them is the next exercise."
                )
        expect_shape(out, (2, 1, *large), "A has one channel and C_i's size.")
        _judge_weights(out, s, large)


def _up(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def _judge_weights(out: Tensor, s: Tensor, size: tuple[int, int]) -> None:
    up = _up(s, size)
    if close(out, 1 - up.sigmoid()):
        return
    nearest = F.interpolate(s, size=size)
    softmax = up.flatten(1).softmax(1).view_as(up)
    known = (
        (
            up.sigmoid(),
            "The mask is not reversed: your weights are high where something is claimed already, "
            "so the module would look at the same place again.",
        ),
        (
            1 - up,
            "The sigmoid is missing: S is in logits, of any size and sign, and A must lie in "
            "(0, 1).",
        ),
        (up, "That is the resized prediction itself. Sigmoid and the reversal are still to come."),
        (-up, "The sigmoid is missing: a minus sign reverses logits, but A must lie in (0, 1)."),
        (
            1 - up.sigmoid().sigmoid(),
            "Two sigmoids: yours squeezes probabilities once more, so A hardly leaves 0.3 to 0.5. "
            "S is in logits, one sigmoid is right.",
        ),
        ((1 - up).sigmoid(), "The order: the sigmoid belongs inside, one minus goes outside."),
        (
            1 - softmax,
            "That is a softmax over places: they compete, and A is nearly 1 everywhere. Each place "
            "has its own sigmoid.",
        ),
        (
            1 - _up(s.sigmoid(), size),
            "The sigmoid comes before the resizing. Eq. 4 has U inside: first to size, then the "
            "sigmoid; between two places they differ.",
        ),
        (
            1 - nearest.sigmoid(),
            "The values come in blocks: the nearest neighbour, or a mean over areas; not bilinear.",
        ),
        (
            1 - F.interpolate(s, size=size, mode="bilinear", align_corners=True).sigmoid(),
            "The corners are aligned: look at what align_corners does.",
        ),
    )
    for wrong, sentence in known:
        if close(out, wrong):
            raise Wrong(sentence)
    if out.min() < 0 or out.max() > 1:
        raise Wrong(f"A runs from {out.min():.2f} to {out.max():.2f}; weights lie in (0, 1).")
    raise Wrong(
        f"In (0, 1), but not eq. 4: off by up to {(out - 1 + up.sigmoid()).abs().max():.2g}. Try "
        "maps without places: S = 0 everywhere must give 0.5, S = 10 nearly 0. If yours does, look "
        "at how you resize."
    )


@exercise(
    "What is left (eq. 3)",
    difficulty=1,
    minutes=4,
    hints=[
        "The paper calls D a dot multiplication. If it summed anything, R could not be pooled as "
        "C_i is. What multiplies without summing?",
        "A has one channel, C_i has many. Broadcasting does what you want.",
    ],
)
def erase(features: Tensor, attention: Tensor) -> Tensor:
    """R_i of eq. 3: (N, C, h, w) features times (N, 1, h, w) attention -> (N, C, h, w)."""
    # your turn
    return features * attention


@check(erase, praise="Every channel loses the claimed places, and nothing else.")
def check_erase(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """Diagnoses: one channel only, summed, a residual as in GCCA, reversed again."""
    for n, c, h, w in ((2, 5, 4, 3), (3, 4, 5, 5)):
        x, a = torch.randn(n, c, h, w), torch.rand(n, 1, h, w)
        x[:, 1:] += 1  # so that no channel is like another
        given = x.clone()
        out = attempt(given, a.clone())
        if isinstance(out, Tensor) and out.shape in ((n, 1, h, w), (n, h, w)):
            if close(out.view(n, 1, h, w), x[:, :1] * a):
                raise Wrong(
                    f"Only the first of {c} channels is there: A applies to every one of them."
                )
            raise Wrong(
                "One channel is left. A dot product over channels is one way to read D(·), but "
                "then R_i is no longer a feature map; which product keeps all channels?"
            )
        if isinstance(out, Tensor) and out.shape in ((n,), (n, c), ()):
            raise Wrong("The places are gone: pooling comes later, R_i is still a map.")
        expect_shape(out, x.shape, "R_i looks like C_i.")
        if close(out, x * a):
            if not close(given, x):
                raise Wrong("Right, but C_i itself was changed, in place; the fusion needs it too.")
            continue
        one = x.clone()
        one[:, :1] = x[:, :1] * a
        known = (
            (
                one,
                "Only the first channel was weighted, the others pass untouched: A has one "
                "channel, and broadcasting carries it over all.",
            ),
            (
                x * a + x,
                "C_i was added again, as in GCCA's eq. 2. Then nothing is erased: weights run from "
                "1 to 2. Eq. 3 has no such term.",
            ),
            (
                x * (1 - a),
                "You reversed once more: A is already one minus the sigmoid, and this keeps "
                "exactly what was to be erased.",
            ),
            (x * a.sigmoid(), "A is in (0, 1) already: no second sigmoid."),
            (x + a, "You added; erasing needs a product."),
            (x - a, "You subtracted; erasing needs a product."),
            (x, "Nothing is erased: the features came back as they were."),
        )
        for wrong, sentence in known:
            if close(out, wrong):
                raise Wrong(sentence)
        raise Wrong(
            "Where A is 1 the features must stay, where it is 0 they must vanish, in every "
            f"channel; yours are off by up to {(out - x * a).abs().max():.2g}."
        )


@exercise(
    "One stage, with its residual",
    difficulty=2,
    minutes=10,
    hints=[
        "Eq. 4, then eq. 3, then the head. Which of the three results does the head read?",
        "The head says what to *add*. To which map, and in which unit?",
        "`refined = up + head(remaining)`, where `up` is the resized S in logits.",
    ],
)
def stage(features: Tensor, deeper: Tensor, head: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """One step of reverse attention: returns R_i (N, C, h, w), A_i and S_i (N, 1, h, w).

    Args:
        features: C_i, (N, C, h, w).
        deeper: S_(i+1) in logits, (N, 1, h', w').
        head: Reads what is left and says what to add to the prediction: (N, C, h, w) ->
            (N, 1, h, w), in logits.
    """
    # your turn
    up = F.interpolate(deeper, size=features.shape[2:], mode="bilinear", align_corners=False)
    attention = 1 - up.sigmoid()
    remaining = features * attention
    return remaining, attention, up + head(remaining)


@check(stage, praise="Erase, look at the rest, and add what was found to what was known.")
def check_stage(attempt: Callable[..., Any]) -> None:
    """Diagnoses: no residual, probabilities for logits, the head at C or A, order, no gradient."""
    for small, large in (((3, 3), (6, 6)), ((2, 3), (5, 7))):
        c, s = torch.randn(2, 4, *large), 2 * torch.randn(2, 1, *small)
        head = nn.Conv2d(4, 1, 3, padding=1)
        with torch.no_grad():
            out = attempt(c.clone(), s.clone(), head)
            if not isinstance(out, tuple | list) or len(out) != 3:
                raise Wrong("Three tensors are asked for: R_i, A_i and S_i, in this order.")
            shapes = ((2, 4, *large), (2, 1, *large), (2, 1, *large))
            if [tuple(getattr(t, "shape", ())) for t in out[:2]] == [shapes[1], shapes[0]]:
                raise Wrong("R_i and A_i are swapped: the features come first.")
            for tensor, shape, name in zip(out, shapes, ("R_i", "A_i", "S_i"), strict=True):
                expect_shape(tensor, shape, f"This is {name}.")
            _judge_stage(out[0], out[1], out[2], c, s, head)
    s.requires_grad_()
    head.requires_grad_(False)  # else S_i has a gradient of the head's, wherever S_(i+1) went
    _, attention, refined = attempt(c.clone(), s.clone(), head)
    if not (attention.requires_grad and refined.requires_grad):
        raise Wrong(
            "The numbers are right, but a gradient on its way back to S_(i+1) is cut off: compute "
            "A_i and S_i without `detach` or `no_grad`, or training cannot improve the map."
        )


def _judge_stage(
    remaining: Tensor, attention: Tensor, refined: Tensor, c: Tensor, s: Tensor, head: nn.Module
) -> None:
    up = _up(s, c.shape[2:])
    if close(refined, 1 - up.sigmoid()) and close(attention, up + head(c * (1 - up.sigmoid()))):
        raise Wrong("A_i and S_i are swapped: the order is R_i, A_i, S_i.")
    _judge_weights(attention, s, (c.shape[2], c.shape[3]))
    a = 1 - up.sigmoid()
    if not close(remaining, c * a):
        if close(remaining, c * (1 - a)):
            raise Wrong("R_i keeps what was to be erased: the mask is not reversed there.")
        if close(remaining, c):
            raise Wrong("A_i is right, but R_i is C_i: it was never multiplied.")
        raise Wrong("A_i is right, R_i is not C_i times A_i in every channel.")
    if close(refined, up + head(remaining)):
        return
    known = (
        (
            head(remaining),
            "The residual is not added back: S_i is only what this stage found, and all that the "
            "deeper stages knew is forgotten.",
        ),
        (
            up.sigmoid() + head(remaining),
            "Logits and probabilities are mixed: you add the head's logits to a sigmoid. S stays "
            "in logits all the way; the sigmoid is for A alone.",
        ),
        (
            (up + head(remaining)).sigmoid(),
            "S_i is a probability; the next stage takes the sigmoid itself and expects logits.",
        ),
        (
            up.sigmoid() + head(remaining).sigmoid(),
            "Probabilities were added: they can exceed 1. Add logits.",
        ),
        (
            up + head(c),
            "The head reads C_i. It should read what is left, R_i, or nothing is learnt from "
            "erasing.",
        ),
        (
            up + head(c - remaining),
            "The head reads what was erased. It should read what is left, R_i.",
        ),
        (up - head(remaining), "The residual is subtracted; the head says what to add."),
        (a + head(remaining), "The residual is added to A_i; it belongs to the prediction."),
        (up * head(remaining), "The residual is multiplied in; a residual is added."),
        (up, "S_i is S_(i+1): the head's finding is not in it."),
    )
    for wrong, sentence in known:
        if close(refined, wrong):
            raise Wrong(sentence)
    off = (refined - up - head(remaining)).abs().max()
    raise Wrong(
        f"R_i and A_i are right, S_i is off by up to {off:.2g}: with a head that says 0 it must "
        "equal the resized S. If yours does, look at what the head reads, and at what becomes of "
        "its answer."
    )


@exercise(
    "The cascade",
    difficulty=3,
    minutes=12,
    hints=[
        "Which block comes first, the one with the smallest or the largest maps?",
        "Each stage gives the S that the next one starts from; only the first starts from P_d.",
        "Keep a list of `remaining.mean((2, 3))` and concatenate it along axis 1.",
    ],
)
def cascade(p_d: Tensor, levels: dict[int, Tensor], stages: dict[int, nn.Module]) -> Tensor:
    """From block 5 to block 3: the pooled R_5, R_4 and R_3 side by side, (N, C5 + C4 + C3).

    Args:
        p_d: The decoder's map, in logits, (N, 1, h3, w3).
        levels: C_3, C_4 and C_5 by number, (N, C_i, h_i, w_i).
        stages: By number, ``stages[i](C_i, S)`` returns R_i, A_i and S_i.
    """
    # your turn
    s, pooled = p_d, []
    for i in (5, 4, 3):
        remaining, _, s = stages[i](levels[i], s)
        pooled.append(remaining.mean((2, 3)))  # (N, C_i)
    return torch.cat(pooled, 1)


@check(cascade, praise="From deep to shallow, each stage starts where the last one ended.")
def check_cascade(attempt: Callable[..., Any]) -> None:
    """Diagnoses: shallow to deep, always from P_d, no reversal of order, sums, A or C pooled."""
    n, channels, sides = 2, {5: 4, 4: 3, 3: 2}, {5: 2, 4: 5, 3: 11}
    levels = {i: torch.randn(n, channels[i], sides[i], sides[i]) + i for i in (3, 4, 5)}
    heads = {i: nn.Conv2d(c, 1, 3, padding=1) for i, c in channels.items()}
    for head in heads.values():
        nn.init.normal_(head.weight)
    stages: dict[int, nn.Module] = {i: _Stage(head) for i, head in heads.items()}
    p_d = torch.randn(n, 1, 11, 11)
    with torch.no_grad():
        out = attempt(p_d.clone(), dict(levels), stages)
        _judge_cascade(out, p_d, levels, stages)


class _Stage(nn.Module):
    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, deeper: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return stage(features, deeper, self.head)


def _judge_cascade(
    out: Any, p_d: Tensor, levels: dict[int, Tensor], stages: dict[int, nn.Module]
) -> None:
    def walk(order: Sequence[int], onward: bool = True) -> dict[int, tuple[Tensor, ...]]:
        s, found = p_d, {}
        for i in order:
            found[i] = stages[i](levels[i], s)
            s = found[i][2] if onward else p_d
        return found

    def pool(found: dict[int, tuple[Tensor, ...]], order: Sequence[int] = (5, 4, 3)) -> Tensor:
        return torch.cat([found[i][0].mean((2, 3)) for i in order], 1)

    right = walk((5, 4, 3))
    length = sum(c.shape[1] for c in levels.values())
    if isinstance(out, Tensor) and out.shape == (len(p_d), 3):
        raise Wrong("Three numbers a face: you pooled a map, not the features R_i.")
    if isinstance(out, Tensor) and out.shape == (len(p_d), length, 1, 1):
        raise Wrong("Two axes of length 1 are left over: pool to (N, C_i).")
    expect_shape(out, (len(p_d), length), "C5 + C4 + C3 numbers a face.")
    if close(out, pool(right)):
        return
    shallow_first = walk((3, 4, 5))
    known = (
        (
            pool(walk((5, 4, 3), onward=False)),
            "Every stage starts from P_d: what a stage refined must go on to the next one.",
        ),
        (
            pool(shallow_first, (3, 4, 5)),
            "You went from block 3 to block 5. Reverse attention goes from deep to shallow.",
        ),
        (
            pool(shallow_first),
            "The result is in the right order, but the stages ran from 3 to 5: deep comes first.",
        ),
        (
            pool(right, (3, 4, 5)),
            "The cascade is right, the order of concatenation is not: R_5 comes first.",
        ),
        (
            torch.cat([levels[i].mean((2, 3)) for i in (5, 4, 3)], 1),
            "You pooled C_i, from which nothing was erased; pool R_i.",
        ),
        (
            torch.cat([right[i][0].amax((2, 3)) for i in (5, 4, 3)], 1),
            "That is the maximum over places; the framework takes the mean.",
        ),
        (
            torch.cat([right[i][0].sum((2, 3)) for i in (5, 4, 3)], 1),
            "That is the sum over places; the framework takes the mean, so that the size of a map "
            "does not weigh.",
        ),
    )
    for wrong, sentence in known:
        if close(out, wrong):
            raise Wrong(sentence)
    for i, part in zip(
        (5, 4, 3), out.split([levels[k].shape[1] for k in (5, 4, 3)], 1), strict=True
    ):
        if not close(part, right[i][0].mean((2, 3))):
            raise Wrong(
                f"The first part that is off belongs to block {i}: which S did its stage get?"
            )
