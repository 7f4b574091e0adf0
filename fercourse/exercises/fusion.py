"""Lesson 06: edges, the 1x1 convolution and fusion by concatenation."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape

ACROSS = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8


@exercise(
    "Edges by hand",
    difficulty=2,
    minutes=10,
    hints=[
        "One kernel measures the slope from left to right; its transpose measures top to bottom.",
        '`F.pad(x, (1, 1, 1, 1), mode="replicate")` repeats the border, so that the frame of the '
        "picture is no edge. Then convolve without padding.",
        "The length of the slope is `(across ** 2 + down ** 2).sqrt()`. Divide the kernel "
        "[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]] by 8, so that one grey level a pixel gives 1.",
    ],
)
def sobel(x: Tensor) -> Tensor:
    """The length of the grey slope at every pixel, by Sobel's kernels: (N, 1, H, W) in and out.

    The border is repeated outwards. A ramp that rises by 1 a pixel gives 1, whichever way it runs.
    """
    # your turn
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    kernels = torch.stack((kernel, kernel.T))[:, None]  # (2, 1, 3, 3)
    slopes = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernels)  # (N, 2, H, W)
    return slopes.square().sum(1, keepdim=True).sqrt()


@check(sobel, "Flat grey gives nothing, and an edge counts the same in every direction.")
def check_sobel(attempt: Callable[[Tensor], Any]) -> None:
    """Diagnoses: one direction only, no root, signed sums, scale, borders, a smaller picture."""
    height, width = torch.randint(7, 14, (2,)).tolist()
    x = torch.rand(2, 1, height, width)
    flat = attempt(torch.full_like(x, 0.7))
    if isinstance(flat, Tensor) and flat.shape == (2, 1, height - 2, width - 2):
        raise Wrong("A frame of one pixel is missing: repeat the border before you convolve.")
    expect_shape(flat, x.shape)
    if not close(flat[..., 1:-1, 1:-1], torch.zeros_like(x[..., 1:-1, 1:-1])):
        raise Wrong(
            "A grey face without any edge gives a response: a kernel must sum to 0, and "
            "nothing is added below the root."
        )
    if not close(flat, torch.zeros_like(x)):
        raise Wrong(
            "An even grey has edges along its frame: beyond the border you filled in "
            "zeros; repeat the border instead."
        )
    found, (across, down) = attempt(x), _slopes(x)
    right = (across.square() + down.square()).sqrt()
    if close(found, right):
        return
    if close(found, across.abs()) or close(found, across):
        raise Wrong("Only slopes from left to right are seen; a closed mouth is a horizontal line.")
    if close(found, down.abs()) or close(found, down):
        raise Wrong("Only slopes from top to bottom are seen; what of the sides of the nose?")
    if close(found, across + down):
        raise Wrong(
            "Slopes of opposite sign cancel: a rise to the right and a fall downwards add "
            "up to no edge at all."
        )
    if close(found, across.abs() + down.abs()):
        raise Wrong(
            "An oblique edge comes out up to 1.4 times too strong: lengths add by Pythagoras."
        )
    if close(found, right.square()):
        raise Wrong("This is the squared length; the root is missing.")
    if close(found, 8 * right):
        raise Wrong(
            "Everything is 8 times too strong: the kernel's positive side sums to 4, and "
            "spans two pixels."
        )
    if close(found, torch.maximum(across.abs(), down.abs())):
        raise Wrong("You keep the steeper slope; an oblique edge has both: Pythagoras.")
    if close(found[..., 1:-1, 1:-1], right[..., 1:-1, 1:-1]):
        raise Wrong(
            "Only the frame is wrong: beyond it the border itself is repeated, neither "
            "mirrored nor wrapped round."
        )
    ramp = torch.arange(float(width)).expand(1, 1, height, width).contiguous()
    middle = attempt(ramp)[..., height // 2, width // 2].item()
    if abs(middle - 1) < 1e-3:
        raise Wrong(
            "A straight ramp gives 1, as it should, and noise does not come out right: "
            "Sobel weighs three rows by 1, 2, 1."
        )
    raise Wrong(
        f"A ramp that rises by 1 a pixel gives {middle:.3g} in its middle, and should "
        "give 1; check both kernels, and how they meet."
    )


@exercise(
    "A 1x1 convolution without a convolution",
    difficulty=2,
    minutes=10,
    hints=[
        "At every single place there is a vector of C numbers. What turns it into E numbers?",
        "It is one matrix product a place, with the same matrix everywhere.",
        '`torch.einsum("nchw,ec->nehw", x, weight)`; the bias needs two empty axes behind it.',
    ],
)
def one_by_one(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """What ``nn.Conv2d(C, E, 1)`` computes, with no call to a convolution.

    Args:
        x: (N, C, H, W).
        weight: (E, C).
        bias: (E,).

    Returns:
        (N, E, H, W).
    """
    # your turn
    return torch.einsum("nchw,ec->nehw", x, weight) + bias[:, None, None]


class _NoConvolution(TorchDispatchMode):
    """Refuses to convolve."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.convolution.default:
            raise Wrong("That calls a convolution; a matrix product is to do its work.")
        return func(*args, **(kwargs or {}))


@check(one_by_one, "One matrix, applied at every place alone: it mixes channels and moves nothing.")
def check_one_by_one(attempt: Callable[[Tensor, Tensor, Tensor], Any]) -> None:
    """Diagnoses: bias, the matrix transposed, places mixed, a ReLU too many."""
    n, h, w = torch.randint(2, 6, (3,)).tolist()
    for c, e in ((5, 5), (4, 7), (6, 1)):
        x, weight, bias = torch.randn(n, c, h, w), torch.randn(e, c), torch.randn(e)
        with _NoConvolution():
            found = attempt(x, weight, bias)
        right = F.conv2d(x, weight[..., None, None], bias)
        if isinstance(found, Tensor) and found.shape == (n, h, w, e):
            raise Wrong("The channels came last; PyTorch wants them second. Move that axis back.")
        expect_shape(found, right.shape, "Height and width stay, the channels become E.")
        if close(found, right):
            continue
        if close(found, right - bias[:, None, None]):
            raise Wrong("The bias is missing: one number for each of the E outputs.")
        if e == c and close(found, F.conv2d(x, weight.T[..., None, None], bias)):
            raise Wrong("The matrix is transposed: row e of the weight makes output e.")
        if close(found, right.relu()):
            raise Wrong("The convolution itself has no ReLU: its values may be negative.")
        if not close(found[..., 0, 0], attempt(x[..., :1, :1], weight, bias)[..., 0, 0]):
            raise Wrong(
                "The value at one place changes with what stands at other places: a 1x1 "
                "kernel sees its own place alone."
            )
        raise Wrong(
            f"Shapes are right, values are not: off by {(found - right).abs().max():.3g}. "
            "At one place: weight @ vector + bias."
        )


@exercise(
    "Fusion",
    difficulty=1,
    minutes=5,
    hints=[
        "Maps of different size cannot be put side by side. Vectors can.",
        "Pool every map to one number a channel: its mean over all places.",
        "`torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1)`.",
    ],
)
def fuse(maps: list[Tensor]) -> Tensor:
    """Multi-feature fusion as we read it: the means of all maps, side by side.

    Args:
        maps: Each (N, C_i, H_i, W_i), of any size.

    Returns:
        (N, sum of all C_i), in the maps' order.
    """
    # your turn
    return torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1)


@check(fuse, "Each map has become one vector, and the vectors stand side by side.")
def check_fuse(attempt: Callable[[list[Tensor]], Any]) -> None:
    """Diagnoses: maximum, sum, channels pooled, wrong axis, added instead of concatenated."""
    n = int(torch.randint(2, 6, ()))
    shapes = [(6, 9, 8), (6, 5, 4), (6, 3, 2), (6, 1, 1)]
    for change in (0, int(torch.randint(1, 9, ()))):
        maps = [torch.randn(n, c + change * i, h, w) for i, (c, h, w) in enumerate(shapes)]
        means = [F.adaptive_avg_pool2d(m, 1).flatten(1) for m in maps]
        right = torch.cat(means, 1)
        found = attempt([m.clone() for m in maps])
        if not change and isinstance(found, Tensor):
            if found.shape == means[0].shape:
                raise Wrong(
                    "The descriptors were added up, so that nobody can tell any more which "
                    "block said what. Concatenate them."
                )
            if found.shape == (4 * n, 6):
                raise Wrong(
                    "They were put one below the other: that makes new faces. Which axis "
                    "holds the channels?"
                )
        if isinstance(found, Tensor) and found.shape == (n, sum(m[0].numel() for m in maps)):
            raise Wrong("Every place of every map is in there: pool first, flatten nothing.")
        if isinstance(found, Tensor) and found.shape == (n, sum(m[0, 0].numel() for m in maps)):
            raise Wrong("You averaged over channels and kept the places; it is the other way.")
        expect_shape(found, right.shape, "One number for each channel of each map.")
        if close(found, right):
            continue
        if close(found, torch.cat([m.amax((2, 3)) for m in maps], 1)):
            raise Wrong("This is the maximum over places; the descriptor is the mean.")
        if close(found, torch.cat([m.sum((2, 3)) for m in maps], 1)):
            raise Wrong("This is the sum over places, so that large maps shout down small ones.")
        if close(found, torch.cat(means[::-1], 1)):
            raise Wrong("The maps came out in reverse order.")
        off = (found - right).abs().max()
        raise Wrong(
            f"The length is right, values are off by {off:.3g}: each is the plain mean "
            "over the places of its own map, at its own size."
        )


@exercise(
    "What the other reading costs",
    difficulty=2,
    minutes=10,
    hints=[
        'Read "C2 is directed to the last three blocks" as: C2, resized, is concatenated to what '
        "each of blocks 3, 4 and 5 takes in. Which convolutions get more input channels?",
        "Only the first convolution of a block sees the block's input.",
        "Every added input channel needs one 3x3 kernel for every output channel of it.",
    ],
)
def extra_weights(c2: int, outputs: list[int]) -> int:
    """How many weights it adds to concatenate C2 to the input of some blocks.

    Args:
        c2: Channels of C2.
        outputs: Output channels of each such block's first 3x3 convolution (no bias).
    """
    # your turn
    return sum(9 * c2 * c for c in outputs)


@check(extra_weights, "Only each block's first convolution grows: by nine weights a pair.")
def check_extra_weights(attempt: Callable[[int, list[int]], Any]) -> None:
    """Diagnoses: the kernel's nine forgotten, all convolutions, C2's own or the blocks' inputs."""
    for _ in range(4):
        c2 = 8 * int(torch.randint(1, 20, ()))
        outputs = torch.randint(3, 70, (3,)).mul(8).tolist()
        found, right = attempt(c2, outputs), 9 * c2 * sum(outputs)
        told = f"For {c2} channels into blocks of {outputs} you count {found:,}. "
        if found == right:
            continue
        if found == right // 9:
            raise Wrong(told + "That would do for 1x1 kernels; VGG's are 3x3.")
        if found in (3 * right, 2 * right):
            raise Wrong(told + "Not every convolution of a block sees what comes into the block.")
        if found == 27 * c2:
            raise Wrong(
                told + "One kernel for each added channel is too few: every output channel "
                "has kernels of its own."
            )
        if found == 9 * sum(c * c for c in outputs) or found == 9 * sum(
            (c2 + c) * c for c in outputs
        ):
            raise Wrong(told + "Count only what is added by C2, not what the block had anyway.")
        if found == right + sum(outputs) or found == right + 2 * sum(outputs):
            raise Wrong(
                told + "Biases and batch norm belong to outputs, and those are as many as before."
            )
        raise Wrong(
            told + "Try it on paper: two channels of C2 into blocks of one and of four "
            "channels add 90."
        )


def _slopes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Across and down, each (N, 1, H, W), with the border repeated."""
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    across, down = (F.conv2d(padded, kernel[None, None]) for kernel in (ACROSS, ACROSS.T))
    return across, down
