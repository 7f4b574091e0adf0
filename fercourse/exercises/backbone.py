"""Lesson 05: shapes, receptive fields, parameters and lateral outputs of VGG16."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "The shape walk",
    difficulty=1,
    minutes=5,
    hints=[
        "There are four poolings, each between two blocks. How many stand before block 3?",
        "A pooling of an odd side drops the last row: 25 becomes 12. Which operator does so?",
        "Block k, counted from 0, has k poolings before it: its side is `size // 2**k`.",
    ],
)
def shape_walk(size: int) -> list[tuple[int, int]]:
    """Channels and side of C1 to C5 at width 1, for a face of ``size`` x ``size`` pixels.

    Returns:
        Five pairs (channels, side), C1 first. Any ``size`` from 16 up, odd ones too.
    """
    # your turn
    channels = (64, 128, 256, 512, 512)
    return [(c, size // 2**k) for k, c in enumerate(channels)]


@check(shape_walk, "Four poolings stand between five blocks, and each drops an odd last row.")
def check_shape_walk(attempt: Callable[[int], Any]) -> None:
    """Diagnoses: a fifth pooling, no rounding, rounding up, wrong channels, wrong order."""
    for size in (224, 48, *torch.randint(17, 300, (6,)).tolist()):
        out = attempt(size)
        if not isinstance(out, Sequence | np.ndarray) or len(out) != 5 or np.shape(out) != (5, 2):
            raise Wrong(f"Five pairs (channels, side) are asked for; for {size} pixels came {out}.")
        channels, sides = [pair[0] for pair in out], [pair[1] for pair in out]
        halves = [size // 2**k for k in range(5)]
        if channels == [512, 512, 256, 128, 64]:
            raise Wrong("The order is upside down: C1, the shallowest block, comes first.")
        if sides == [64, 128, 256, 512, 512]:
            raise Wrong("The pairs are the other way round: channels first, then the side.")
        if channels != [64, 128, 256, 512, 512]:
            raise Wrong(f"The channels {channels} are not VGG16's: does block 5 double again?")
        if sides == [size // 2**k for k in range(1, 6)]:
            raise Wrong(
                f"C1 of a {size} pixel face would be {sides[0]} wide: you pooled before, or "
                "behind, block 1. A lateral output is taken before the next pooling."
            )
        if any(side != int(side) for side in sides):
            raise Wrong(
                f"{size} pixels gave a side of {sides[-1]}: half a location does not exist."
            )
        if sides != halves and all(
            a in (b, -(-size // 2**k)) for k, (a, b) in enumerate(zip(sides, halves, strict=True))
        ):
            raise Wrong(
                f"{size} pixels gave sides {sides}: some are rounded up. What does a 2x2 pooling "
                "do with an odd last row?"
            )
        if sides != halves:
            raise Wrong(
                f"For {size} pixels your sides are {sides}; each should be half of the one before, "
                "beginning with the face itself."
            )


@exercise(
    "The receptive field",
    difficulty=2,
    minutes=10,
    hints=[
        "Keep two numbers while you walk through the layers: how wide the view is, and how many "
        "pixels apart two neighbouring locations stand.",
        "A kernel of k adds k - 1 steps to the view. How many pixels is one step at this depth?",
        "First `field += (kernel - 1) * step`, and only then `step *= stride`.",
    ],
)
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """How many pixels, along one side, a single location behind these layers depends on.

    Args:
        layers: (kernel, stride) of every convolution and pooling, the first one first.
    """
    # your turn
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


@check(receptive_field, "The view grows by (kernel - 1) steps, and the steps grow by the strides.")
def check_receptive_field(attempt: Callable[[list[tuple[int, int]]], Any]) -> None:
    """Diagnoses: strides ignored or applied too early, off by one, kernels multiplied."""
    cases = [
        [(3, 1)],
        [(3, 1), (3, 1)],
        [(3, 1), (2, 2), (3, 1)],
        [(3, 1), (3, 2), (3, 1), (5, 1)],
        [(2, 2), (2, 2), (3, 1)],
    ]
    for _ in range(6):
        length = int(torch.randint(2, 7, ()))
        kernels, strides = torch.randint(1, 6, (length,)), torch.randint(1, 4, (length,))
        cases.append(list(zip(kernels.tolist(), strides.tolist(), strict=True)))
    for layers in cases:
        found, right = attempt(list(layers)), _field_backwards(layers)
        if found == right:
            continue
        if not isinstance(found, int):
            raise Wrong(f"A whole number of pixels is asked for, not {found!r}.")
        told = f"For layers {layers} you find {found} pixels. "
        if found == 1 + sum(k - 1 for k, _ in layers):
            raise Wrong(
                told + "The strides play no part: how far apart are two neighbours "
                "behind a layer of stride 2?"
            )
        if found == _field_early(layers):
            raise Wrong(
                told + "A layer's own stride already widens its own kernel's view: it "
                "should widen only those that follow."
            )
        if found == _field_added(layers):
            raise Wrong(
                told + "Strides multiply: behind two strides of 1 a step is still 1, and "
                "behind two of 2 it is 4."
            )
        if found == 1 + sum(k * _step(layers[:i]) for i, (k, _) in enumerate(layers)):
            raise Wrong(
                told + "A kernel of k reaches k - 1 steps beyond the location it starts "
                "from, not k."
            )
        if found == _field_backwards([(1 if k == 2 else k, s) for k, s in layers]):
            raise Wrong(told + "A pooling of 2 has a kernel, too: it widens the view by a step.")
        if found == 1 + sum(
            (k - 1) * (layers[i - 1][1] if i else 1) for i, (k, _) in enumerate(layers)
        ):
            raise Wrong(
                told + "Only the last stride counts here; behind two strides of 2, "
                "neighbours are 4 pixels apart."
            )
        if found == right - 1:
            raise Wrong(
                told + "One less than it is: before any layer, a location sees 1 pixel, not 0."
            )
        if found == torch.tensor([k for k, _ in layers]).prod():
            raise Wrong(told + "You multiplied kernels; two 3x3 convolutions see 5 pixels, not 9.")
        raise Wrong(told + "Draw it on paper for [(3, 1), (2, 2), (3, 1)], which sees 8.")


@exercise(
    "Counting by hand",
    difficulty=2,
    minutes=10,
    hints=[
        "A 3x3 kernel from a to b channels has 9ab weights. Here it has no bias: batch norm, which "
        "follows, would subtract it again.",
        "Batch norm learns a scale and a shift for each channel. Its running mean and variance are "
        "counted along, not learned.",
        "Walk through the convolutions with one variable for the channels that came before.",
    ],
)
def count_parameters(plan: list[list[int]], in_channels: int) -> int:
    """How many numbers a batch-normalised backbone learns.

    Args:
        plan: Output channels of the 3x3 convolutions, block by block; VGG16's is
            ``[[64, 64], [128, 128], [256] * 3, [512] * 3, [512] * 3]``.
        in_channels: Of the face, 1 or 3.
    """
    # your turn
    total, before = 0, in_channels
    for block in plan:
        for channels in block:
            total += 9 * before * channels + 2 * channels
            before = channels
    return total


@check(count_parameters, "Nine weights a pair of channels, and two numbers a channel to normalise.")
def check_count_parameters(attempt: Callable[[list[list[int]], int], Any]) -> None:
    """Diagnoses: biases, batch norm forgotten, its statistics counted, wrong input channels."""
    for _ in range(4):
        blocks = torch.randint(1, 4, (3,)).tolist()
        plan = [torch.randint(2, 9, (n,)).mul(8).tolist() for n in blocks]
        entry = int(torch.randint(1, 4, ()))
        found = attempt([list(block) for block in plan], entry)
        flat = [c for block in plan for c in block]
        before = [entry, *flat[:-1]]
        weights = sum(9 * a * b for a, b in zip(before, flat, strict=True))
        told = f"For the plan {plan} you count {found:,}, {found - weights - 2 * sum(flat):+,}. "
        if found == weights + 2 * sum(flat):
            continue
        if found == weights:
            raise Wrong(told + "The convolutions are right; what does batch norm learn?")
        if found == weights + sum(flat):
            raise Wrong(told + "One number a channel beside the kernels: batch norm learns two.")
        if found == weights + 3 * sum(flat):
            raise Wrong(told + "You counted a bias for every convolution; these have none.")
        if found == weights + 4 * sum(flat):
            raise Wrong(
                told + "You counted batch norm's running statistics, which no gradient reaches."
            )
        if found == sum(9 * c * c for c in flat) + 2 * sum(flat):
            raise Wrong(
                told + "You let every convolution take as many channels as it gives: what "
                "comes in is what the one before gave."
            )
        restarted = sum(
            9 * a * b for block in plan for a, b in zip([entry, *block[:-1]], block, strict=True)
        )
        if found == restarted + 2 * sum(flat):
            raise Wrong(
                told + "Every block begins with the face again; block 2 takes what block 1 gave."
            )
        if found - weights - 2 * sum(flat) in (
            9 * (1 - entry) * flat[0],
            9 * (3 - entry) * flat[0],
        ):
            raise Wrong(told + f"The first convolution takes in_channels, here {entry}.")
        raise Wrong(told + "Take the plan [[8]] of a grey face: 9 * 1 * 8 weights and 2 * 8 more.")


@exercise(
    "Lateral outputs",
    difficulty=2,
    minutes=10,
    hints=[
        "Which comes first in this backbone, the pooling or the block? Look at what block 1 takes.",
        "Pool *before* every block but the first. Then nothing is pooled behind the last one.",
        "`F.max_pool2d(x, 2)` is the pooling; append `x` to a list right behind each block.",
    ],
)
def laterals(blocks: nn.ModuleList, x: Tensor) -> list[Tensor]:
    """Run a face through blocks with a 2x2 maximum pooling between them: fig. 2.

    Args:
        blocks: Each keeps height and width.
        x: (N, C, H, W).

    Returns:
        What every block gives, before the next pooling: C1 first. The last pooling is dropped.
    """
    # your turn
    outputs = []
    for i, block in enumerate(blocks):
        x = block(x if i == 0 else F.max_pool2d(x, 2))
        outputs.append(x)
    return outputs


@check(laterals, "Every output is taken before its pooling, and the last pooling is gone.")
def check_laterals(attempt: Callable[[nn.ModuleList, Tensor], Any]) -> None:
    """Diagnoses: last pooling kept, outputs after poolings, no or another pooling."""
    count = int(torch.randint(3, 6, ()))
    sizes = [2, *torch.randint(3, 7, (count,)).tolist()]
    blocks = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(sizes))
    x = torch.randn(2, 2, 75, 100)
    with torch.no_grad():
        found = attempt(blocks, x)
        right = _walk(blocks, x, lambda x: F.max_pool2d(x, 2))
        if isinstance(found, Tensor) and close(found, right[-1]):
            raise Wrong("Only the last block's output came back; collect every block's in a list.")
        if not isinstance(found, list | tuple) or len(found) != count:
            raise Wrong(f"A list of {count} tensors is asked for, one a block.")
        if not all(isinstance(c, Tensor) for c in found):
            raise Wrong(f"Not everything in your list is a tensor: {[type(c) for c in found]}.")
        pooled = [F.max_pool2d(c, 2) for c in right]
        if all(map(close, found, pooled)):
            raise Wrong(
                "Every output is taken behind its pooling; take it before, so that C1 is "
                "as large as the face."
            )
        if all(map(close, found[:-1], right[:-1])) and close(found[-1], pooled[-1]):
            raise Wrong(
                "The last block is pooled too: the paper dropped that pooling to keep fine detail."
            )
        if all(map(close, found, _walk(blocks, x, lambda x: x))):
            raise Wrong("Nothing was pooled: every output is as large as the face.")
        if all(map(close, found, _walk(blocks, x, lambda x: F.avg_pool2d(x, 2)))):
            raise Wrong("You pooled by the average; VGG16 pools by the maximum.")
        if all(map(close, found, _walk(blocks, F.max_pool2d(x, 2), lambda x: F.max_pool2d(x, 2)))):
            raise Wrong("The face itself was pooled before block 1.")
        for i, (a, b) in enumerate(zip(found, right, strict=True), start=1):
            expect_shape(a, b.shape, f"This is C{i}.")
            if not close(a, b):
                raise Wrong(f"C{i} has the right shape, but other values than block {i} gives.")


def _field_backwards(layers: list[tuple[int, int]]) -> int:
    """The same from the deepest layer upwards, which needs no step."""
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field


def _step(layers: Sequence[tuple[int, int]]) -> int:
    """Pixels between two neighbours behind these layers."""
    return math.prod(stride for _, stride in layers)


def _field_early(layers: list[tuple[int, int]]) -> int:
    field, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        field += (kernel - 1) * step
    return field


def _field_added(layers: list[tuple[int, int]]) -> int:
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step += stride
    return field


def _walk(blocks: nn.ModuleList, x: Tensor, pool: Callable[[Tensor], Tensor]) -> list[Tensor]:
    outputs = [blocks[0](x)]
    for block in blocks[1:]:
        outputs.append(block(pool(outputs[-1])))
    return outputs
