"""Lesson 08: resize to a partner, multiply what agrees, average under a map, count operations."""

from collections.abc import Callable
from numbers import Number

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "Up to a partner's size",
    difficulty=1,
    minutes=5,
    hints=[
        "A factor of two is right for some sizes only. What do you know that is always right?",
        "`F.interpolate` takes either `scale_factor` or `size`.",
        "The size you need is the partner's last two axes: `partner.shape[2:]`.",
    ],
)
def resize_like(x: Tensor, partner: Tensor) -> Tensor:
    """Bilinear resize of x (N, C, h, w) to the height and width of partner (N, C', H, W).

    Corners are not aligned (``align_corners=False``). Returns (N, C, H, W).
    """
    # your turn
    return F.interpolate(x, size=partner.shape[2:], mode="bilinear", align_corners=False)


@check(resize_like, praise="Any two sizes meet, odd ones and those that are not square too.")
def check_resize_like(attempt: Callable[..., Tensor]) -> None:
    """Diagnoses: a factor of two, height and width swapped, nearest neighbour, aligned corners."""
    for (h, w), (height, width) in (((3, 3), (6, 6)), ((2, 2), (5, 5)), ((3, 4), (7, 9))):
        x, partner = torch.randn(2, 3, h, w), torch.randn(2, 5, height, width)
        out = attempt(x.clone(), partner.clone())
        if isinstance(out, Tensor) and out.ndim == 4:
            found = tuple(out.shape[2:])
            if (height, width) != (2 * h, 2 * w) and found == (2 * h, 2 * w):
                raise Wrong(
                    f"From {h} × {w} you made {found[0]} × {found[1]}: that is a factor of two, "
                    f"and the partner is {height} × {width}. Where does the target size stand?"
                )
            if found == (width, height) and width != height:
                raise Wrong("Height and width are swapped: look at the order of the last two axes.")
            if out.shape[1] == 5:
                raise Wrong(
                    "The channels are the partner's: only the size should be taken from it."
                )
        expect_shape(out, (2, 3, height, width), "Channels are x's, the size is the partner's.")
        wanted = F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
        if close(out, wanted):
            continue
        if close(out, F.interpolate(x, size=(height, width), mode="nearest")):
            raise Wrong("The values come in blocks: that is the nearest neighbour, not bilinear.")
        aligned = F.interpolate(x, size=(height, width), mode="bilinear", align_corners=True)
        if close(out, aligned):
            raise Wrong("The outermost values are kept exactly: look at what align_corners does.")
        raise Wrong(
            f"The size is right and the values are not bilinear: off by up to "
            f"{(out - wanted).abs().max():.2g} for {h} × {w} to {height} × {width}."
        )


@exercise(
    "What three levels agree on",
    difficulty=2,
    minutes=8,
    hints=[
        'An "and" of three is a product of three factors. Which of them must be resized first?',
        "Resize x5 and x4 to x3's size; then each passes its gate.",
        "`gate5(up(x5)) * gate4(up(x4)) * x3`, where `up` resizes to `x3.shape[2:]`.",
    ],
)
def agree(
    x3: Tensor,
    x4: Tensor,
    x5: Tensor,
    gate5: nn.Module,
    gate4: nn.Module,
) -> Tensor:
    """The product at level 3 of the cascade: (N, D, h3, w3).

    x5 and x4 are first resized to x3's size (bilinear, align_corners=False) and then passed
    through their gates, which keep the shape. x3 has no gate. No ReLU anywhere.
    """
    # your turn
    size = x3.shape[2:]
    up5 = F.interpolate(x5, size=size, mode="bilinear", align_corners=False)
    up4 = F.interpolate(x4, size=size, mode="bilinear", align_corners=False)
    return gate5(up5) * gate4(up4) * x3


@check(agree, praise="What one level does not see is gone, and the signs survive.")
def check_agree(attempt: Callable[..., Tensor]) -> None:
    """Diagnoses: a sum, a level or gate missing, gates swapped or too early, a ReLU too many."""
    for side in (12, 11):
        d = 4
        x3, x4, x5 = (torch.randn(2, d, s, s) for s in (side, side // 2, side // 4))
        gates = [nn.Conv2d(d, d, 3, padding=1) for _ in range(2)]
        with torch.no_grad():
            out = attempt(x3.clone(), x4.clone(), x5.clone(), *gates)
            expect_shape(out, x3.shape, "The product lives at level 3.")
            _judge_product(out, x3, x4, x5, *gates)


def _judge_product(
    out: Tensor, x3: Tensor, x4: Tensor, x5: Tensor, gate5: nn.Module, gate4: nn.Module
) -> None:
    def up(x: Tensor, corners: bool = False) -> Tensor:
        return F.interpolate(x, size=x3.shape[2:], mode="bilinear", align_corners=corners)

    def nearest(x: Tensor) -> Tensor:
        return F.interpolate(x, size=x3.shape[2:])

    a, b = gate5(up(x5)), gate4(up(x4))
    if close(out, a * b * x3):
        return
    known = (
        (a + b + x3, 'You added. A sum is an "or": one level alone can make it large.'),
        (a * x3, "Level 4 is missing: what only levels 5 and 3 see comes through."),
        (b * x3, "Level 5 is missing: what only levels 4 and 3 see comes through."),
        (a * b, "Level 3 itself is missing from the product."),
        (up(x5) * up(x4) * x3, "The gates are missing: each deep level passes its own first."),
        (gate4(up(x5)) * gate5(up(x4)) * x3, "The two gates are swapped."),
        (
            up(gate5(x5)) * up(gate4(x4)) * x3,
            "The gates act before the resizing, at the deep level's own size; the order matters, "
            "because a 3 × 3 kernel then covers more of the face.",
        ),
        (
            a.relu() * b.relu() * x3,
            "A ReLU stands behind the gates: the lesson says why they need their sign.",
        ),
        ((a * b * x3).relu(), "A ReLU stands behind the product, which takes its sign away."),
        (
            gate5(up(F.interpolate(x5, size=x4.shape[2:], mode="bilinear"))) * b * x3,
            "Level 5 came by way of level 4's size, which blurs it twice: resize it straight to "
            "x3.",
        ),
        (
            gate5(nearest(x5)) * gate4(nearest(x4)) * x3,
            "The values come in blocks: the deep levels were resized by the nearest neighbour.",
        ),
        (
            gate5(up(x5, True)) * gate4(up(x4, True)) * x3,
            "The corners are aligned; align_corners=False is asked for.",
        ),
        (a * b * x3 + x3, "Level 3 was added once more: then what the others do not see stays."),
        (a.sigmoid() * b.sigmoid() * x3, "A gate needs its sign here; there is no sigmoid."),
        (a * gate4(up(x4) * a) * x3, "The gate of level 4 sees a product; it should see x4 alone."),
    )
    for wrong, sentence in known:
        if close(out, wrong):
            raise Wrong(sentence)
    if (out >= 0).all():
        raise Wrong("Nothing negative comes out: is there a ReLU or a square somewhere?")
    raise Wrong(
        f"The product is off by up to {(out - a * b * x3).abs().max():.2g}. Try one factor at a "
        "time: with gates that return ones it must equal x3."
    )


@exercise(
    "Average where the map says",
    difficulty=2,
    minutes=8,
    hints=[
        "A map in logits becomes a weight in (0, 1) how?",
        "A weighted average is a sum of weight times value, divided by … what?",
        "`(x * w).sum((2, 3)) / w.sum((2, 3))` with `w = logits.sigmoid()`.",
    ],
)
def weighted_avg_pool(x: Tensor, logits: Tensor) -> Tensor:
    """Average of features x (N, C, H, W) with weights sigmoid(logits), logits (N, 1, H, W).

    Returns (N, C). Features that are the same everywhere keep their value, whatever the map.
    """
    # your turn
    weight = logits.sigmoid()
    return (x * weight).sum((2, 3)) / weight.sum((2, 3))


@check(weighted_avg_pool, praise="A constant stays what it is, and a sharp map picks its place.")
def check_weighted_avg_pool(attempt: Callable[..., Tensor]) -> None:
    """Diagnoses: plain average, wrong divisor, no sigmoid, softmax, the map reversed."""
    n, c, height, width = 3, 4, 5, 6
    x, logits = torch.randn(n, c, height, width), 2 * torch.randn(n, 1, height, width)
    out = attempt(x.clone(), logits.clone())
    if isinstance(out, Tensor) and out.shape == (n, c, 1, 1):
        raise Wrong("Nearly: two axes of length 1 are left over, and (N, C) is asked for.")
    expect_shape(out, (n, c), "One number for each face and channel.")
    w = logits.sigmoid()
    if close(out, (x * w).sum((2, 3)) / w.sum((2, 3)), 1e-3):
        return
    soft = logits.flatten(2).softmax(2).view_as(logits)
    known = (
        (x.mean((2, 3)), "That is the plain average: the map has no say."),
        (
            (x * w).mean((2, 3)),
            "Divided by the number of places. Then features that are 1 everywhere average to less "
            "than 1; what should stand below the line instead?",
        ),
        ((x * w).sum((2, 3)), "That is a sum; an average divides by something."),
        (
            (x * logits).sum((2, 3)) / logits.sum((2, 3)),
            "The sigmoid is missing: logits have both signs, so their sum can even be zero.",
        ),
        ((x * logits).mean((2, 3)), "The sigmoid is missing, and so is the right divisor."),
        (
            (x * soft).sum((2, 3)),
            "That is a softmax over places. It does sum to 1, but the framework weighs each place "
            "by its own sigmoid.",
        ),
        (
            (x * (1 - w)).sum((2, 3)) / (1 - w).sum((2, 3)),
            "You average where the map says *not* to look.",
        ),
        (
            (x * w).sum((2, 3)) / w.sum(),
            "The weights of all faces are summed together; each face has its own divisor.",
        ),
    )
    for wrong, sentence in known:
        if close(out, wrong, 1e-3):
            raise Wrong(sentence)
    ones = attempt(torch.ones_like(x), logits.clone())
    if not close(ones, torch.ones(n, c), 1e-3):
        raise Wrong(
            f"Features that are 1 everywhere should average to 1; yours give {ones.mean():.3g}."
        )
    raise Wrong("A constant keeps its value, but the weights are not the sigmoid of the map.")


@exercise(
    "The price of a convolution",
    difficulty=1,
    minutes=5,
    hints=[
        "How many numbers come out? How many products make each of them?",
        "Each output number is a sum of kernel² × inputs products.",
        "Count a multiplication and an addition for each product.",
    ],
)
def operations(inputs: int, outputs: int, kernel: int, height: int, width: int) -> int:
    """FLOPs of a convolution without bias that keeps the size height x width, one image.

    A multiplication with its addition counts as two.
    """
    # your turn
    return 2 * kernel * kernel * inputs * outputs * height * width


@check(operations, praise="The count agrees with torch's own.")
def check_operations(attempt: Callable[..., int]) -> None:
    """Diagnoses: no additions, kernel not squared, one place only, height taken for width."""
    for inputs, outputs, kernel, height, width in (
        (4, 5, 3, 7, 6),
        (16, 8, 1, 6, 6),
        (2, 2, 5, 3, 9),
    ):
        out = attempt(inputs, outputs, kernel, height, width)
        if isinstance(out, bool) or not isinstance(out, Number):
            raise Wrong(f"A number is asked for, and {type(out).__name__} came back.")
        right = _counted(inputs, outputs, kernel, height, width)
        places = height * width
        if out == right:
            continue
        known = (
            (right // 2, "Half of it: you counted the multiplications and not the additions."),
            (right + outputs * places, "There is no bias: nothing is added at the end."),
            (
                right - outputs * places,
                "That is exact, but the rule counts an addition for each multiplication.",
            ),
            (right // inputs, "Each number is a sum over all input channels, too."),
            (right // kernel, "The kernel has two sides: it is squared."),
            (right // kernel**2, "The kernel is missing: an output looks at more than one place."),
            (
                2 * inputs * outputs * kernel**2 * (height - kernel + 1) * (width - kernel + 1),
                "The map is padded and keeps its size; you let it shrink.",
            ),
            (right // places, "That is the price at one place; the kernel visits all of them."),
            (right // places // 2, "Those are the weights. Each is used at every place."),
            (
                right // width * height if height != width else -1,
                "The map need not be square: look at height and width.",
            ),
            (
                right // height * width if height != width else -1,
                "The map need not be square: look at height and width.",
            ),
        )
        for wrong, sentence in known:
            if out == wrong:
                raise Wrong(sentence)
        raise Wrong(
            f"{inputs} to {outputs} channels, kernel {kernel}, {height} × {width}: torch counts "
            f"{right:,} and you {out:,}, {out / right:.3g} times as many."
        )


def _counted(inputs: int, outputs: int, kernel: int, height: int, width: int) -> int:
    """By torch, so that the check does not repeat the solution."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)(
            torch.empty(1, inputs, height, width)
        )
    return counter.get_total_flops()
