"""Lesson 03: the rotation as a sampling grid, landmarks that turn along, one member of fifteen."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "The grid of a rotation",
    difficulty=3,
    minutes=15,
    hints=[
        "The grid answers for every pixel of the result: where in the picture do I come from? So "
        "it holds the inverse rotation.",
        "The centres of S pixels on a side from -1 to 1 lie at (2k + 1) / S - 1.",
        "y runs downwards. Turned counter-clockwise by a, (x, y) comes from "
        "(x cos a - y sin a, x sin a + y cos a).",
    ],
)
def rotation_grid(angle: float, side: int) -> Tensor:
    """Where each pixel of a rotated square picture comes from.

    angle: degrees, counter-clockwise as one sees it. Returns float (side, side, 2), x and y in the
    units of F.grid_sample(..., align_corners=False): -1 and 1 are the picture's outer edges.
    """
    # your turn
    a = torch.deg2rad(torch.tensor(float(angle)))
    centres = (2 * torch.arange(side) + 1) / side - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")  # (S, S)
    return torch.stack([x * a.cos() - y * a.sin(), x * a.sin() + y * a.cos()], dim=-1)


@check(rotation_grid, praise="Inverse, counter-clockwise, and on the pixels' centres.")
def check_rotation_grid(attempt: Any) -> None:
    """Diagnose an attempt at :func:`rotation_grid`."""
    for angle, side in ((10.0, 8), (-5.0, 7), (90.0, 6)):
        out = attempt(angle, side)
        if isinstance(out, Tensor) and out.shape == (1, side, side, 2):
            raise Wrong("There is a batch axis in front; (side, side, 2) is asked for.")
        if isinstance(out, Tensor) and out.shape == (2, side, side):
            raise Wrong("x and y should be the last axis.")
        expect_shape(out, (side, side, 2))
        right = _grid(math.radians(angle), side)
        if close(out, right):
            continue
        if close(out, _grid(-math.radians(angle), side)):
            raise Wrong(
                f"{angle:g} degrees turn the other way: the grid says where pixels come from, and "
                "y runs downwards."
            )
        if close(out, _grid(angle, side)) or close(out, _grid(-angle, side)):
            raise Wrong("The angle is in degrees; sine and cosine take radians.")
        for sign in (1, -1):
            if close(out, _grid(sign * math.radians(angle), side, corners=True)):
                raise Wrong(
                    "Your outermost pixels' centres lie on the edges -1 and 1 (align_corners=True);"
                    " with align_corners=False they lie half a pixel inside."
                )
        if close(out, right.flip(-1)):
            raise Wrong("x and y are exchanged: x comes first, though rows come first in a tensor.")
        if close(out, right.transpose(0, 1)):
            raise Wrong("Rows and columns are exchanged: x changes along a row.")
        length, needed = out.norm(dim=-1).max(), right.norm(dim=-1).max()
        if abs(length - needed) > 1e-3:
            raise Wrong(
                f"A rotation keeps distances: the corner is {needed:.3f} from the centre, and you "
                f"sample at {length:.3f}."
            )
        raise Wrong(f"Some sampling point is off by {(out - right).norm(dim=-1).max():.3f}.")


@exercise(
    "Landmarks turn along",
    difficulty=2,
    minutes=10,
    hints=[
        "Shift the centre of the picture to the origin, turn, shift back.",
        "A point above the centre has a smaller y; turned counter-clockwise by 90 degrees, it ends "
        "to the left.",
    ],
)
def turn_points(points: Tensor, angle: float, side: int) -> Tensor:
    """Where points of a picture lie after it was rotated about its centre.

    points: float (N, 2), x and y in pixels from the upper left corner; angle: degrees,
    counter-clockwise as one sees it; side: of the square picture, pixels. Returns float (N, 2).
    """
    # your turn
    a = torch.deg2rad(torch.tensor(float(angle)))
    x, y = (points - side / 2).unbind(1)
    return torch.stack([x * a.cos() + y * a.sin(), y * a.cos() - x * a.sin()], dim=1) + side / 2


@check(turn_points, praise="Labels that live in the picture must move with it; yours do.")
def check_turn_points(attempt: Any) -> None:
    """Diagnose an attempt at :func:`turn_points`."""
    for angle, side in ((90.0, 48), (10.0, 64), (-5.0, 33)):
        points = side * torch.rand(5, 2)
        before = points.clone()
        out = attempt(points, angle, side)
        expect_shape(out, (5, 2))
        if not torch.equal(points, before):
            raise Wrong("The points that were given have changed; work on a copy.")
        a, middle = math.radians(angle), side / 2
        if close(out, _turn(points, a, middle), 1e-3):
            continue
        if close(out, _turn(points, -a, middle), 1e-3):
            raise Wrong(
                "The points turn clockwise: y runs downwards, which turns the textbook's formula "
                "round."
            )
        if close(out, _turn(points, a, 0), 1e-3) or close(out, _turn(points, -a, 0), 1e-3):
            raise Wrong("The points turn about the upper left corner, not about the centre.")
        if any(close(out, _turn(points, sign * angle, middle), 1e-3) for sign in (1, -1)):
            raise Wrong("The angle is in degrees; sine and cosine take radians.")
        if close(out, _turn(points, a, (side - 1) / 2), 1e-3):
            raise Wrong(
                "The centre is half a pixel off: the first pixel reaches from 0 to 1, so the "
                "picture from 0 to its side."
            )
        if close(out, _turn(points, a, middle) - middle, 1e-3):
            raise Wrong("Turned rightly about the centre, and left there: shift the origin back.")
        far = (out - _turn(points, a, middle)).norm(dim=1).max()
        raise Wrong(f"Turned by {angle:g} degrees, some point lies {far:.3g} pixels off.")


@exercise(
    "One member a step",
    difficulty=2,
    minutes=8,
    hints=[
        "Draw N numbers from 0 to M - 1, one for each image; the paper's M is 15.",
        "`sets[torch.arange(N), numbers]` takes one member of each set.",
    ],
)
def draw_members(sets: Tensor) -> Tensor:
    """One member of every image's set, drawn uniformly and independently.

    sets: (N, M, H, W). Returns (N, H, W).
    """
    # your turn
    n, m = sets.shape[:2]
    return sets[torch.arange(n), torch.randint(m, (n,))]


@check(draw_members, praise="Fifteen views of every face, for the memory of one.")
def check_draw_members(attempt: Any) -> None:
    """Diagnose an attempt at :func:`draw_members`."""
    for n, m in ((400, 6), (600, 15)):
        tags = torch.arange(n)[:, None] * 100 + torch.arange(m)  # (N, M): image and member
        sets = tags[:, :, None, None].expand(n, m, 2, 3).float()
        out = attempt(sets)
        if isinstance(out, Tensor) and out.shape == (n, n, 2, 3):
            raise Wrong(
                "Every drawn number was taken for every image, (N, N, H, W): pair image k with "
                "the k-th number alone."
            )
        expect_shape(out, (n, 2, 3), "One picture of each set is asked for.")
        if not torch.isin(out, sets).all():
            raise Wrong("These pictures are no members of the sets: were several mixed?")
        image, member = out[:, 0, 0] // 100, out[:, 0, 0] % 100
        if not torch.equal(image, torch.arange(n).float()):
            raise Wrong("The images are no longer in their order: labels would not fit.")
        times = torch.bincount(member.long(), minlength=m)
        if (times > 0).sum() == 1:
            raise Wrong("All images of the batch get the same member: draw for each of its own.")
        if (times == 0).any():
            raise Wrong(f"In {n} draws member {int((times == 0).nonzero()[0])} never came.")
        expected = n / m
        if ((times - expected).abs() > 5 * expected**0.5).any():
            raise Wrong(f"Members should come {expected:.0f} times each; one came {times.max()}.")
        if ((member.long() - torch.arange(n)) % m).unique().numel() == 1:
            raise Wrong("The members come in turn, not by chance.")
        again = attempt(sets)
        if torch.equal(out, again):
            raise Wrong("A second call draws the same members: the next epoch would see no others.")


def _grid(angle: float, side: int, corners: bool = False) -> Tensor:
    cos, sin = math.cos(angle), math.sin(angle)
    theta = torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]])
    return F.affine_grid(theta, [1, 1, side, side], align_corners=corners)[0]


def _turn(points: Tensor, angle: float, middle: float) -> Tensor:
    cos, sin = math.cos(angle), math.sin(angle)
    back = torch.tensor([[cos, -sin], [sin, cos]])
    return (points - middle) @ back + middle
