"""Lesson 04: binary patterns from eight shifts, the uniform ones, and a face built of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""(down, right) of the eight neighbours, clockwise from the upper left."""


@exercise(
    "Eight shifts",
    difficulty=2,
    minutes=15,
    hints=[
        "All pixels at once: a picture, and the same picture moved by one pixel, compared.",
        "The neighbour at (down, right) of the inner pixels is images[:, 1 + down : H - 1 + down, "
        "1 + right : W - 1 + right].",
        "Bit k is worth 2 ** k; a comparison times 2 ** k is that bit.",
    ],
)
def lbp_codes(images: Tensor, neighbours: tuple[tuple[int, int], ...]) -> Tensor:
    """Local binary patterns of all inner pixels: uint8 (N, H, W) -> int64 (N, H - 2, W - 2).

    Bit k of a pixel's number is 1 where its neighbour k is at least as bright as the pixel itself.
    neighbours: eight (down, right), as (-1, 0) for the one above.
    """
    # your turn
    _, h, w = images.shape
    middle = images[:, 1:-1, 1:-1]
    codes = torch.zeros(middle.shape, dtype=torch.int64)
    for k, (down, right) in enumerate(neighbours):
        neighbour = images[:, 1 + down : h - 1 + down, 1 + right : w - 1 + right]
        codes += (neighbour >= middle).long() << k
    return codes


@check(lbp_codes, "Eight comparisons of whole pictures, and no loop over pixels.")
def check_lbp_codes(attempt: Callable[..., Any]) -> None:
    """Diagnoses: the border, a strict comparison, the other way round, bits in another order."""
    for height, width in ((7, 5), (6, 9)):
        images = torch.randint(0, 4, (2, height, width), dtype=torch.uint8)  # many equal ones
        before = images.clone()
        found = attempt(images, NEIGHBOURS)
        if not torch.equal(images, before):
            raise Wrong("The pictures that were given have changed; work on copies.")
        if isinstance(found, Tensor) and found.shape == images.shape:
            raise Wrong("Pixels on the border lack neighbours: only the inner ones have a number.")
        expect_shape(found, (2, height - 2, width - 2))
        if found.dtype == torch.uint8:
            found = found.long()  # eight bits fit
        if close(found, _codes(images)):
            continue
        if close(found, _codes(images, lambda a, b: a > b)):
            raise Wrong("Equal counts as bright: at least as bright, >=.")
        if close(found, _codes(images, lambda a, b: a <= b)) or close(
            found, _codes(images, lambda a, b: a < b)
        ):
            raise Wrong("The other way round: the bit says that the neighbour is the brighter one.")
        if close(found, _codes(images, order=NEIGHBOURS[::-1])):
            raise Wrong("Bit 0 belongs to the first neighbour, and yours to the last.")
        if close(found, _codes(images, order=tuple((-d, -r) for d, r in NEIGHBOURS))):
            raise Wrong("Each neighbour is looked for on the opposite side: mind the sign.")
        if close(found, _codes(images, order=tuple((r, d) for d, r in NEIGHBOURS))):
            raise Wrong("Down and right are exchanged: rows come first in a tensor.")
        if found.max() <= 8:
            raise Wrong("The bits are added up, each as 1; bit k is worth 2 ** k.")
        raise Wrong(
            "Some numbers differ. On paper: in a plain grey picture every neighbour is as bright, "
            "so that every number is 255."
        )
    bright_above = torch.tensor([[[0, 9, 0], [0, 5, 0], [0, 0, 0]]], dtype=torch.uint8)
    short = attempt(bright_above, ((-1, 0),))
    if int(short.sum()) != 1:
        raise Wrong("The neighbours are an argument: use those that are given, not eight of yours.")


@exercise(
    "Uniform patterns",
    difficulty=2,
    minutes=10,
    hints=[
        "Going round, where does a bit differ from the one after it? The last one's next is the "
        "first.",
        "Turn the number round by one bit, (code >> 1) | ((code & 1) << 7), and compare: XOR.",
        "Count the ones of the XOR: 0 or 2 is uniform.",
    ],
)
def is_uniform(code: int) -> bool:
    """Whether the eight bits of a number, read as a ring, change at most twice on the way round."""
    # your turn
    turned = (code >> 1) | ((code & 1) << 7)
    return (code ^ turned).bit_count() <= 2


@check(is_uniform, "58 of 256: edges, corners, spots and flat places; the rest is mostly noise.")
def check_is_uniform(attempt: Callable[[int], Any]) -> None:
    """Diagnoses: a line instead of a ring, the count of ones, and a limit of another size."""
    found = [bool(attempt(code)) for code in range(256)]

    def ring(limit: int) -> list[bool]:
        return [_changes(code) <= limit for code in range(256)]

    if found == ring(2):
        return
    if found == [((code ^ (code >> 1)) & 127).bit_count() <= 1 for code in range(256)]:
        raise Wrong("The bits are a ring: the last neighbour lies beside the first.")
    if found == ring(1) or found == ring(0):
        raise Wrong("Two changes are allowed, from dark to bright and back.")
    if found == [code.bit_count() <= 2 for code in range(256)]:
        raise Wrong("Count the changes on the way round, not the bright neighbours.")
    raise Wrong(
        f"{sum(found)} of 256 numbers are uniform for you, 58 should be. 0b00001111 changes twice, "
        "0b00000101 four times."
    )


@exercise(
    "A face of other faces",
    difficulty=1,
    minutes=10,
    hints=[
        "How much of each eigenface is in it: a product of the centred face with each.",
        "Eigenfaces have length 1 and right angles between them: a matrix product with their "
        "transpose and one with themselves.",
    ],
)
def rebuild(face: Tensor, mean: Tensor, eigenfaces: Tensor) -> Tensor:
    """A face as the mean plus a sum of eigenfaces, as near to the face as such a sum comes.

    face (P,), mean (P,), eigenfaces (K, P) of length 1, at right angles. Returns (P,).
    """
    # your turn
    weights = eigenfaces @ (face - mean)  # (K,)
    return mean + eigenfaces.T @ weights


@check(rebuild, "Project, and add up: PCA is no more than that.")
def check_rebuild(attempt: Callable[..., Any]) -> None:
    """Diagnoses: the mean left in or out, weights instead of a face."""
    for k, p in ((3, 8), (5, 6)):
        basis = torch.linalg.qr(torch.randn(p, k, dtype=torch.float64)).Q.T
        mean, face = torch.randn(2, p, dtype=torch.float64)
        found, right = attempt(face, mean, basis), mean + basis.T @ (basis @ (face - mean))
        if isinstance(found, Tensor) and found.shape == (k,):
            raise Wrong("These are the weights; now add up the eigenfaces by them.")
        expect_shape(found, (p,))
        if close(found, right):
            continue
        if close(found, basis.T @ (basis @ (face - mean))):
            raise Wrong("This is the face's difference from the mean: add the mean.")
        if close(found, mean + basis.T @ (basis @ face)) or close(found, basis.T @ (basis @ face)):
            raise Wrong("Take the mean off the face before you ask how much of each is in it.")
        if close(found, face):
            raise Wrong("This is the face itself: K eigenfaces cannot hold all of it.")
        raise Wrong(f"Some pixel is off by {(found - right).abs().max():.3g}.")


def _codes(
    images: Tensor,
    brighter: Callable[[Tensor, Tensor], Tensor] = torch.ge,
    order: tuple[tuple[int, int], ...] = NEIGHBOURS,
) -> Tensor:
    """Pixel by pixel, as slowly as one can."""
    n, h, w = images.shape
    codes = torch.zeros(n, h - 2, w - 2, dtype=torch.int64)
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            for k, (down, right) in enumerate(order):
                bit = brighter(images[:, y + down, x + right], images[:, y, x])
                codes[:, y - 1, x - 1] += bit.long() * 2**k
    return codes


def _changes(code: int) -> int:
    bits = [code >> k & 1 for k in range(8)]
    return sum(bits[k] != bits[k - 1] for k in range(8))
