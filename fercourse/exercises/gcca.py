"""Lesson 07: stochastic pooling, the descriptors' order, three layers, and all of GCCA."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape
from fercourse.modules.pooling import stochastic_pool as pool

DRAWS = 8000
VALUES = (0.0, 1.0, 2.0, 3.0)
"""Drawn with probabilities 0, 1/6, 1/3 and 1/2; uniformly 1/4 each; by softmax .03 .09 .24 .64."""


@exercise(
    "Stochastic pooling",
    difficulty=3,
    minutes=20,
    hints=[
        "Write evaluation first: two sums over places and a division. What is 0 / 0 to be?",
        "`flat.sum(2).clamp_min(1e-12)` makes a dead channel 0 / 1e-12 = 0, not nan.",
        "For training, `torch.multinomial(rows, 1)` draws one index from each row of a matrix of "
        "weights that need not sum to 1: flatten images and channels into rows, then `gather`. It "
        "refuses a row of zeros; a small number added to every place of such a row helps.",
    ],
)
def stochastic_pool(x: Tensor, training: bool) -> Tensor:
    """Pool every channel to one of its values, or to the expectation of that draw.

    Args:
        x: (N, C, H, W), none negative. Some channels may be zero everywhere: they give 0.
        training: True draws a place with probability ``a / sum(a)``, for each image and each
            channel anew, and takes the value there. False returns ``sum(a^2) / sum(a)``.

    Returns:
        (N, C).
    """
    # your turn
    flat = x.flatten(2)  # (N, C, HW)
    total = flat.sum(2)  # (N, C)
    if not training:
        return flat.square().sum(2) / total.clamp_min(1e-12)
    dead = (total == 0).float()[..., None]
    rows = (flat + dead).flatten(0, 1)  # (NC, HW)
    place = torch.multinomial(rows, 1).view(*total.shape, 1)  # (N, C, 1)
    return flat.gather(2, place).squeeze(2)


@check(
    stochastic_pool,
    "Chance in training, in proportion to the activation; its expectation afterwards; and a dead "
    "channel stays 0.",
)
def check_stochastic_pool(attempt: Callable[[Tensor, bool], Any]) -> None:
    """Diagnoses: evaluation random, maximum, average or nan; training uniform, softmax, fixed."""
    n, c, h, w = torch.randint(2, 7, (4,)).tolist()
    x = torch.randn(n, c, h, w).relu() + 0.1 * torch.rand(n, c, h, w)
    _examine_evaluation(attempt, x)
    drawn = attempt(x.clone(), True)
    expect_shape(drawn, x.shape[:2], "In training too: one number for each channel of each image.")
    if not (drawn[..., None] == x.flatten(2)).any(2).all():
        raise Wrong(
            "In training a value came back that stands nowhere in its channel: take the "
            "value at the drawn place, unchanged."
        )
    _examine_dead(attempt, x)
    _examine_shares(attempt)
    _examine_draws(attempt, x)


def _examine_evaluation(attempt: Callable[[Tensor, bool], Any], x: Tensor) -> None:
    once, again = attempt(x.clone(), False), attempt(x.clone(), False)
    expect_shape(once, x.shape[:2], "One number for each channel of each image.")
    if not close(once, again):
        raise Wrong(
            "Evaluation is still random: the same face gave two answers. Look at what you "
            "do where `training` is False."
        )
    right = x.square().sum((2, 3)) / x.sum((2, 3))
    if close(once, right):
        return
    weights = x.flatten(2).softmax(2)
    for wrong, told in (
        (
            x.amax((2, 3)),
            "In evaluation you take the maximum. The expectation of the draw lies "
            "below it: every other place has a chance too.",
        ),
        (
            x.mean((2, 3)),
            "In evaluation you take the plain average: that is the expectation of a "
            "*uniform* draw. Here strong places are drawn more often.",
        ),
        (
            (weights * x.flatten(2)).sum(2),
            "Your probabilities are a softmax of the activations; "
            "Zeiler and Fergus divide by the sum, nothing more.",
        ),
        (x.square().sum((2, 3)), "The division by sum(a) is missing: probabilities sum to 1."),
        (right.sqrt(), "The formula has no root: sum(a^2) / sum(a) is in the unit of a already."),
        (x.square().mean((2, 3)), "You divide by the number of places, not by the sum of a."),
    ):
        if close(once, wrong):
            raise Wrong(told)
    raise Wrong(
        f"Evaluation is off by {(once - right).abs().max():.3g}: it should be the sum of "
        "probability times value, place by place."
    )


def _examine_dead(attempt: Callable[[Tensor, bool], Any], x: Tensor) -> None:
    dead = x.clone()
    dead[:, 0] = 0
    for training in (False, True):
        mode = "training" if training else "evaluation"
        try:
            found = attempt(dead.clone(), training)
        except Exception as error:  # x itself was pooled before, so it is the zeros that stop it
            told = f"A channel that is zero everywhere stops it in {mode}: its sum is 0, so no "
            raise Wrong(told + "probabilities can be made of it. It should give 0.") from error
        expect_shape(found, x.shape[:2], "So it is where a channel is zero everywhere.")
        if not torch.isfinite(found).all():
            raise Wrong(
                f"A channel that is zero everywhere gives nan in {mode}: 0 / 0. A dead "
                "channel should give 0."
            )
        if found[:, 0].any():
            raise Wrong(
                f"A channel that is zero everywhere gives {found[:, 0].max():.3g} in "
                f"{mode}; it should give 0."
            )


def _examine_shares(attempt: Callable[[Tensor, bool], Any]) -> None:
    many = torch.tensor(VALUES).view(1, 1, 2, 2).repeat(DRAWS, 2, 1, 1)
    found = attempt(many, True)  # (DRAWS, 2)
    share = torch.stack([(found == v).float().mean() for v in VALUES])
    told = f"Values 0, 1, 2, 3 were drawn {', '.join(f'{100 * s:.0f} %' for s in share)}. "
    if (share > 0.999).any():
        if any(not close(found, attempt(many, True)) for _ in range(20)):
            raise Wrong("The whole batch gets one place: draw for each image and channel anew.")
        raise Wrong(told + "Training draws nothing: it always takes the same value.")
    if bool((found == found[:1]).all()):
        raise Wrong("All images get the same place: draw for each image anew.")
    if bool((found[:, 0] == found[:, 1]).all()):
        raise Wrong("All channels of an image get the same place: draw for each channel anew.")
    if _near(share, [0.25] * 4):
        raise Wrong(told + "Each place has the same chance, however strong it is.")
    if _near(share, torch.tensor(VALUES).softmax(0).tolist()):
        raise Wrong(told + "That is a softmax; by proportion they are 0, 1/6, 1/3, 1/2.")
    if share[0] > 0:
        raise Wrong(told + "A place with activation 0 has probability 0.")
    if _near(share, [0, 1 / 14, 4 / 14, 9 / 14]):
        raise Wrong(told + "The chances grow with the square; they should grow with a itself.")
    if not _near(share, [0, 1 / 6, 1 / 3, 1 / 2]):
        raise Wrong(told + "In proportion to their values it should be 0, 17, 33 and 50 %.")


def _examine_draws(attempt: Callable[[Tensor, bool], Any], x: Tensor) -> None:
    # One living place a channel, here and there: drawn by another channel's chances, it is missed.
    lone = torch.zeros_like(x).flatten(2)
    lone.scatter_(2, torch.randint(lone.shape[2], (*lone.shape[:2], 1)), 1.0)
    if not attempt(lone.view_as(x), True).all():
        raise Wrong(
            "A channel with a single place above 0 must give that place's value, and some "
            "of yours give 0: draw by each channel's own activations."
        )
    given = x.clone().requires_grad_() * 1  # not a leaf: an attempt may work in place
    if not attempt(given, True).requires_grad:
        raise Wrong(
            "The draws are right, but no gradient comes back through them, and the layers "
            "before could not learn: take the value out of x itself."
        )


def _near(share: Tensor, wanted: list[float]) -> bool:
    """Within five standard errors of as many draws."""
    p = torch.tensor(wanted)
    error = (p * (1 - p) / (2 * DRAWS)).sqrt()
    return bool(((share - p).abs() <= 5 * error + 1e-6).all())


@exercise(
    "Side by side",
    difficulty=1,
    minutes=5,
    hints=[
        "A grouped convolution cuts its input channels into consecutive runs. Which three numbers "
        "must stand next to one another?",
        "`torch.cat` puts all averages first. You want average, maximum, draw of channel 0, then "
        "those of channel 1.",
        "`torch.stack((average, maximum, drawn), dim=2)` makes (N, C, 3); flatten it.",
    ],
)
def side_by_side(average: Tensor, maximum: Tensor, drawn: Tensor) -> Tensor:
    """Three descriptors as the input of the grouped convolution.

    Args:
        average: (N, C).
        maximum: (N, C).
        drawn: (N, C), of the stochastic pooling.

    Returns:
        (N, 3C, 1, 1), the three numbers of each channel next to one another, in this order.
    """
    # your turn
    return torch.stack((average, maximum, drawn), dim=2).flatten(1)[..., None, None]


@check(side_by_side, "Each group of three now describes one channel, and the convolution may come.")
def check_side_by_side(attempt: Callable[[Tensor, Tensor, Tensor], Any]) -> None:
    """Diagnoses: channels not interleaved, order of the three, shape, images mixed."""
    for _ in range(2):
        n, c = torch.randint(4, 9, (2,)).tolist()
        average, maximum, drawn = torch.randn(3, n, c)
        right = torch.empty(n, 3 * c)
        right[:, 0::3], right[:, 1::3], right[:, 2::3] = average, maximum, drawn
        found = attempt(average, maximum, drawn)
        if isinstance(found, Tensor) and found.shape == right.shape:
            raise Wrong("A convolution wants (N, 3C, 1, 1): two axes of length 1 are missing.")
        if isinstance(found, Tensor) and close(found, right.view(n, c, 3)):
            raise Wrong("The three stand side by side; now put channels and three into one axis.")
        expect_shape(found, (n, 3 * c, 1, 1))
        found = found.flatten(1)
        if close(found, right):
            continue
        if close(found, torch.cat((average, maximum, drawn), 1)):
            raise Wrong(
                "All averages stand first, then all maxima: the channels are not "
                "interleaved, and group 0 would fuse three averages."
            )
        if close(found.view(n, c, 3).sort(2)[0], right.view(n, c, 3).sort(2)[0]):
            raise Wrong(
                "Each channel's three are together, but not in the order average, maximum, draw."
            )
        if close(found.sort(1)[0], right.sort(1)[0]):
            raise Wrong(
                "Every image has its own numbers, but groups of three do not belong to one "
                "channel: number the entries on paper for C = 2."
            )
        raise Wrong(
            "An image holds numbers of another image, or changed ones; put together, do "
            "not compute."
        )


@exercise(
    "Three layers",
    difficulty=2,
    minutes=10,
    hints=[
        "`nn.Conv2d` has an argument `groups`. How many groups let a channel see its own three "
        "numbers and no others?",
        "One group a channel: `groups=channels`. Its weight then has shape (C, 3, 1, 1).",
        "The squeeze has `max(4, channels // reduction)` outputs: a narrow block must not be "
        "squeezed to nothing.",
    ],
)
def layers(channels: int, reduction: int = 16) -> tuple[nn.Conv2d, nn.Conv2d, nn.Conv2d]:
    """G, W_1 and W_2 of eq. 1, with biases.

    Returns:
        The grouped convolution 3C -> C, the squeeze C -> C / reduction (never below 4), and the
        excitation back to C; all 1x1.
    """
    # your turn
    squeezed = max(4, channels // reduction)
    group = nn.Conv2d(3 * channels, channels, 1, groups=channels)
    squeeze = nn.Conv2d(channels, squeezed, 1)
    excite = nn.Conv2d(squeezed, channels, 1)
    return group, squeeze, excite


@check(layers, "Four numbers a channel fuse the poolings; the bottleneck does the comparing.")
def check_layers(attempt: Callable[..., Any]) -> None:
    """Diagnoses: groups wrong, biases missing, squeeze to nothing, kernel, order of layers."""
    for channels, reduction in ((48, 12), (512, 16), (48, 16), (16, 16), (64, 8)):
        found = attempt(channels, reduction)
        if not isinstance(found, tuple | list) or len(found) != 3:
            raise Wrong("Three layers are asked for, in a tuple: group, squeeze, excite.")
        if not all(isinstance(layer, nn.Conv2d) for layer in found):
            raise Wrong(f"All three are nn.Conv2d; you gave {[type(f).__name__ for f in found]}.")
        group, squeeze, excite = found
        told = f"With {channels} channels "
        if any(layer.kernel_size != (1, 1) for layer in found):
            raise Wrong("All kernels are 1x1: there is one place left, and nothing around it.")
        if any(layer.padding not in ((0, 0), "same", "valid") for layer in found):
            raise Wrong("With padding the one place grows to several; a 1x1 kernel needs none.")
        if group.in_channels != 3 * channels or group.out_channels != channels:
            raise Wrong(
                told + f"G takes {group.in_channels} numbers and gives "
                f"{group.out_channels}; it should fuse three into one."
            )
        if group.groups == 1:
            raise Wrong(
                told + f"G has {group.weight.numel():,} weights: without groups every "
                "channel sees every other one's descriptors."
            )
        if group.groups != channels:
            raise Wrong(
                told + f"G has {group.groups} groups, so that "
                f"{3 * channels // group.groups} numbers are mixed in each. Groups are "
                "wrong: how many channels are to be kept apart?"
            )
        if any(layer.bias is None for layer in found):
            raise Wrong(
                "A bias is missing: three weights *and a bias* a channel in G, and eq. 1's "
                "W_1 and W_2 have theirs."
            )
        if squeeze.groups != 1 or excite.groups != 1:
            raise Wrong("W_1 and W_2 must compare channels, so they are ordinary convolutions.")
        squeezed = max(4, channels // reduction)
        if squeeze.out_channels == channels // reduction != squeezed:
            raise Wrong(
                told + f"the squeeze keeps {squeeze.out_channels} unit(s); ours never goes below 4."
            )
        if squeeze.out_channels != excite.in_channels:
            raise Wrong(
                told + f"the squeeze gives {squeeze.out_channels} numbers, but the "
                f"excitation takes {excite.in_channels}."
            )
        if squeeze.in_channels != channels or excite.out_channels != channels:
            raise Wrong(
                told + "the squeeze must take them all and the excitation give them all back."
            )
        if squeeze.out_channels != squeezed:
            raise Wrong(
                told + f"and reduction {reduction} the squeeze should keep {squeezed}, not "
                f"{squeeze.out_channels}."
            )


@exercise(
    "All of GCCA",
    difficulty=3,
    minutes=15,
    hints=[
        "First three numbers a channel: pool over places, that is over axes 2 and 3.",
        "Eq. 1 from inside out: G, ReLU, W_1, ReLU, W_2, sigmoid. Count your ReLUs: two.",
        "Eq. 2: `attention * x + x`. The attention has shape (N, C, 1, 1) and broadcasts.",
    ],
)
def recalibrate(x: Tensor, group: nn.Conv2d, squeeze: nn.Conv2d, excite: nn.Conv2d) -> Tensor:
    """Eq. 1 and eq. 2 in evaluation, where stochastic pooling is its expectation.

    Args:
        x: F, (N, C, H, W), none negative.
        group: G, 1x1, 3C -> C with C groups.
        squeeze: W_1, 1x1.
        excite: W_2, 1x1.

    Returns:
        F', (N, C, H, W).
    """
    from fercourse.modules import stochastic_pool as pooled

    # your turn
    three = (x.mean((2, 3)), x.amax((2, 3)), pooled(x, training=False))  # (N, C) each
    descriptors = torch.stack(three, 2).flatten(1)[..., None, None]  # (N, 3C, 1, 1)
    fused = group(descriptors).relu()  # (N, C, 1, 1)
    attention = excite(squeeze(fused).relu()).sigmoid()  # (N, C, 1, 1)
    return attention * x + x


@check(
    recalibrate,
    "Three poolings, four numbers a channel, a bottleneck, a sigmoid, and F itself added.",
)
def check_recalibrate(attempt: Callable[..., Any]) -> None:
    """Diagnoses: no residual, no sigmoid, wrong axis, order, a pooling or a ReLU left out."""
    for cube in (True, False):  # first C = H = W, where a wrong axis does not stop the code
        n, c = int(torch.randint(2, 5, ())), int(torch.randint(6, 20, ()))
        size = (c, c) if cube else torch.randint(3, 9, (2,)).tolist()
        x = torch.randn(n, c, *size).relu() * (1 + torch.rand(n, c, 1, 1))
        parts = layers(c)
        for layer in parts:  # far from each other, so that no two mistakes look alike
            nn.init.normal_(layer.weight, std=0.7)
            nn.init.normal_(layer.bias, std=0.5)
        with torch.no_grad():
            found = attempt(x.clone(), *parts)
            if isinstance(found, Tensor) and found.shape[:2] == (n, c) and found[0, 0].numel() == 1:
                raise Wrong("These are the weights M alone; eq. 2 still has to use them.")
            expect_shape(found, x.shape, "F' is as large as F.")
            if not torch.isfinite(found).all():
                raise Wrong("Not every value is a number: does a dead channel divide 0 by 0?")
            if close(found, _gcca(x, *parts)):
                continue
            for told, wrong in _WRONG_GCCA.items():
                if close(found, wrong(x, *parts)):
                    raise Wrong(told)
            if not close(found, attempt(x.clone(), *parts)):
                raise Wrong(
                    "The same face gave two answers: this is evaluation, where stochastic "
                    "pooling does not draw."
                )
            _judge_ratio(found / x, x > 0.01, _weights(x, *parts))


def _judge_ratio(ratio: Tensor, living: Tensor, right: Tensor) -> None:
    """The last resort: say what is wrong with F' / F, which should be 1 + M."""
    least, most = ratio[living].min(), ratio[living].max()
    if least < 1 or most > 2:
        raise Wrong(
            f"F' / F lies between {least:.2f} and {most:.2f}; it is 1 + M, and should lie "
            "between 1 and 2."
        )
    off = (ratio - 1 - right).abs()[living].max()
    raise Wrong(
        f"Eq. 2 looks right, but M is off by up to {off:.2f}. Print the three poolings, "
        "and compare each further step of eq. 1 with yours."
    )


def _three(x: Tensor) -> list[Tensor]:
    return [x.mean((2, 3)), x.amax((2, 3)), pool(x, training=False)]


def _weights(
    x: Tensor,
    group: nn.Conv2d,
    squeeze: nn.Conv2d,
    excite: nn.Conv2d,
    three: Callable[[Tensor], list[Tensor]] = _three,
    put: Callable[[list[Tensor]], Tensor] = lambda d: torch.stack(d, 2).flatten(1),
    after_group: Callable[[Tensor], Tensor] = F.relu,
    after_squeeze: Callable[[Tensor], Tensor] = F.relu,
    gate: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Tensor:
    """M of eq. 1 with any step exchanged, (N, C, 1, 1)."""
    fused = after_group(group(put(three(x))[..., None, None]))
    return gate(excite(after_squeeze(squeeze(fused))))


def _gcca(x: Tensor, *parts: nn.Conv2d, **exchanged: Any) -> Tensor:
    return (1 + _weights(x, *parts, **exchanged)) * x


def _same(x: Tensor) -> Tensor:
    return x


_WRONG_GCCA: dict[str, Callable[..., Tensor]] = {
    "The residual is missing: eq. 2 adds F to what was weighted, so that nothing is weakened.": (
        lambda x, *p: _weights(x, *p) * x
    ),
    "You added the weights to F; eq. 2 multiplies F by them, and adds F.": (
        lambda x, *p: _weights(x, *p) + x
    ),
    "The sigmoid is missing: weights must lie between 0 and 1.": (
        lambda x, *p: _gcca(x, *p, gate=_same)
    ),
    "The sigmoid is missing, and so is the residual: look at eq. 1's outermost letter and at "
    "eq. 2's last one.": (lambda x, *p: _weights(x, *p, gate=_same) * x),
    "A softmax makes channels compete for a sum of 1; eq. 1 gates each alone, with a sigmoid.": (
        lambda x, *p: _gcca(x, *p, gate=lambda w: w.softmax(1))
    ),
    "There is no ReLU behind G: eq. 1 has two deltas.": (
        lambda x, *p: _gcca(x, *p, after_group=_same)
    ),
    "There is no ReLU behind W_1: without it, W_1 and W_2 are one matrix.": (
        lambda x, *p: _gcca(x, *p, after_squeeze=_same)
    ),
    "There is a ReLU in front of the sigmoid: no weight can fall below 0.5.": (
        lambda x, *p: _gcca(x, *p, gate=lambda w: w.relu().sigmoid())
    ),
    "Neither ReLU of eq. 1 is there; without them all three layers are one matrix.": (
        lambda x, *p: _gcca(x, *p, after_group=_same, after_squeeze=_same)
    ),
    "The three descriptors are not interleaved: group 0 fuses the averages of three channels.": (
        lambda x, *p: _gcca(x, *p, put=lambda d: torch.cat(d, 1))
    ),
    "The descriptors come in another order than average, maximum, draw.": (
        lambda x, *p: _gcca(x, *p, three=lambda x: _three(x)[::-1])
    ),
    "Maximum and average have changed places; the order is average, maximum, draw.": (
        lambda x, *p: _gcca(x, *p, three=lambda x: [_three(x)[i] for i in (1, 0, 2)])
    ),
    "Maximum and draw have changed places; the order is average, maximum, draw.": (
        lambda x, *p: _gcca(x, *p, three=lambda x: [_three(x)[i] for i in (0, 2, 1)])
    ),
    "The average stands where the draw's expectation belongs: that pooling is missing.": (
        lambda x, *p: _gcca(x, *p, three=lambda x: [_three(x)[i] for i in (0, 1, 0)])
    ),
    "The maximum stands where the draw's expectation belongs: in evaluation it is "
    "sum(a^2) / sum(a).": (
        lambda x, *p: _gcca(x, *p, three=lambda x: [_three(x)[i] for i in (0, 1, 1)])
    ),
    "Average and maximum were pooled over the wrong axis: channels (1) and rows (2) instead of "
    "places (2 and 3).": (lambda x, *p: _gcca(x, *p, three=lambda x: _over(x, (1, 2)))),
    "Average and maximum were pooled over the wrong axis: channels (1) and columns (3) instead of "
    "places (2 and 3).": (lambda x, *p: _gcca(x, *p, three=lambda x: _over(x, (1, 3)))),
    "You pooled over the faces of the batch as well: each face has descriptors of its own.": (
        lambda x, *p: _gcca(x, *p, three=_over_batch)
    ),
    "F came back as it was: nothing was weighted.": lambda x, *p: x,
    "Everything is weighted twice: (1 + M) F is eq. 2 already.": (
        lambda x, *p: (1 + _weights(x, *p)).square() * x
    ),
}
"""What to say, and the computation it is said of."""


def _over(x: Tensor, axes: tuple[int, int]) -> list[Tensor]:
    return [x.mean(axes), x.amax(axes), pool(x, training=False)]


def _over_batch(x: Tensor) -> list[Tensor]:
    together = x.transpose(0, 1).flatten(1)[None, ..., None]  # (1, C, N * H * W, 1)
    return [d.expand(len(x), -1) for d in _three(together)]
