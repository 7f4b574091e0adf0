"""Lesson 02: overlap of boxes, the last stage's suppression, and the square that is cut out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou, nms

from fercourse.exercises.exercise import Wrong, check, close, exercise, expect_shape


@exercise(
    "Intersection over union",
    difficulty=2,
    minutes=10,
    hints=[
        "The intersection begins at the larger of the two lefts and ends at the smaller of the two "
        "rights.",
        "Boxes that do not meet would get a negative width: `clamp(min=0)`.",
        "`a[:, None, :2]` and `b[None, :, :2]` broadcast to (N, M, 2).",
    ],
)
def iou(a: Tensor, b: Tensor) -> Tensor:
    """Overlap of every box of one set with every box of another, in [0, 1].

    a: float (N, 4), b: float (M, 4), each left, top, right, bottom. Returns float (N, M).
    """
    # your turn
    start = torch.maximum(a[:, None, :2], b[None, :, :2])  # (N, M, 2)
    end = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (end - start).clamp(min=0).prod(2)  # (N, M)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(1) for x in (a, b))
    return shared / (area_a[:, None] + area_b - shared)


@check(iou, praise="Equal boxes have 1, strangers 0, whatever their size.")
def check_iou(attempt: Any) -> None:
    """Diagnose an attempt at :func:`iou`."""
    for n, m in ((6, 4), (3, 9)):
        a, b = _boxes(n), _boxes(m)
        a[0], b[0] = torch.tensor([0.0, 0, 10, 10]), torch.tensor([30.0, 40, 50, 60])
        b[1] = a[1]
        out = attempt(a, b)
        if isinstance(out, Tensor) and out.shape == (m, n):
            raise Wrong(f"The shape is {(m, n)}: rows should be the boxes of a.")
        expect_shape(out, (n, m), "One number for each pair of boxes is asked for.")
        right = box_iou(a, b)
        if close(out, right):
            continue
        start = torch.maximum(a[:, None, :2], b[None, :, :2])
        sides = torch.minimum(a[:, None, 2:], b[None, :, 2:]) - start
        shared, unclamped = sides.clamp(min=0).prod(2), sides.prod(2)
        area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(1) for x in (a, b))
        total, least = area_a[:, None] + area_b, torch.minimum(area_a[:, None], area_b)
        late = unclamped.clamp(min=0)
        if close(out, unclamped / (total - unclamped)) or close(out, late / (total - late)):
            raise Wrong(
                f"Boxes that do not meet have IoU {out[0, 0]:.2f}: what are the width and height "
                "of their intersection?"
            )
        if close(out, shared):
            raise Wrong("That is the intersection; it is still to be divided by the union.")
        if close(out, shared / total):
            raise Wrong(
                f"A box with itself has {out[1, 1]:.2f}: the two areas' sum counts what they share "
                "twice."
            )
        if close(out, shared / least):
            raise Wrong("A small box inside a large one has 1: is the smaller area the union?")
        one = torch.tensor([0.0, 0, 1, 1])
        if close(out, box_iou(a + one, b + one)):
            raise Wrong(
                "You added one pixel to every side: these corners are places, not numbers of "
                "pixels, so a width is right - left."
            )
        if close(out, shared / area_a[:, None]) or close(out, shared / area_b):
            raise Wrong("You divide by the area of one box; the union is what either covers.")
        if close(out, shared / torch.maximum(area_a[:, None], area_b)):
            raise Wrong("You divide by the larger area; a union of two boxes is mostly larger.")
        apart = (shared == 0) & ((out - right).abs() > 1e-3)
        if apart.any():
            raise Wrong(
                f"Two boxes that do not meet have IoU {out[apart][0]:.2f}: what are the width and "
                "height of their intersection?"
            )
        i, j = divmod(int((out - right).abs().argmax()), m)
        one, other = ([round(v, 1) for v in x.tolist()] for x in (a[i], b[j]))
        raise Wrong(
            f"The boxes {one} and {other} share {shared[i, j]:.1f} of areas {area_a[i]:.1f} and "
            f"{area_b[j]:.1f}; their IoU is {right[i, j]:.3f}, and you say {out[i, j]:.3f}."
        )


@exercise(
    "Suppression where one box lies inside another",
    difficulty=3,
    minutes=15,
    hints=[
        "A small box wholly inside a large one: its IoU is small, its share of the *smaller* area "
        "is 1.",
        "Go through the boxes from the best score to the worst.",
        "A box stays unless it overlaps too much with one that stays already; a Python loop is "
        "quite all right.",
    ],
)
def suppress_smaller(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Greedy suppression by intersection over the smaller of two areas, as O-Net's stage does it.

    boxes: float (N, 4), left, top, right, bottom; scores: float (N,); threshold: largest overlap
    with a better box that stays. Returns int64 (K,), numbers of the boxes that stay, best first.
    """
    # your turn
    sides = boxes[:, 2:] - boxes[:, :2]  # (N, 2)
    area = sides[:, 0] * sides[:, 1]
    start = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])  # (N, N, 2)
    end = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (end - start).clamp(min=0).prod(2)  # (N, N)
    overlap = shared / torch.minimum(area[:, None], area[None, :])
    kept: list[int] = []
    for i in scores.argsort(descending=True).tolist():
        if all(overlap[i, j] <= threshold for j in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


@check(suppress_smaller, praise="Greedy, from the best down, and a nose inside a face falls.")
def check_suppress_smaller(attempt: Any) -> None:
    """Diagnose an attempt at :func:`suppress_smaller`."""
    cases = [(_boxes(n, spread=25), torch.rand(n), t) for n, t in ((30, 0.5), (40, 0.3))]
    # a chain: the second falls to the first, so the third, which meets the second alone, stays
    chain = torch.tensor([[0.0, 0, 10, 10], [4.0, 0, 14, 10], [8.0, 0, 18, 10]])
    cases.append((chain, torch.tensor([0.9, 0.8, 0.7]), 0.3))
    for boxes, scores, threshold in cases:
        out = attempt(boxes, scores, threshold)
        if isinstance(out, Tensor) and out.ndim == 2:
            raise Wrong("Boxes came back; the numbers of the boxes that stay are asked for.")
        if isinstance(out, Tensor) and out.dtype == torch.bool:
            raise Wrong("Truth values came back; the numbers of the boxes, best first, are asked.")
        if isinstance(out, list | tuple | np.ndarray):
            out = torch.as_tensor(np.asarray(out, dtype=np.int64 if len(out) == 0 else None))
        if isinstance(out, Tensor) and not len(out):
            raise Wrong(
                "No box stays; the best one always does. With which boxes is each compared?"
            )
        if isinstance(out, Tensor) and out.is_floating_point():
            raise Wrong(f"The numbers of boxes are whole numbers, and these are {out.dtype}.")
        if not isinstance(out, Tensor) or out.ndim != 1:
            raise Wrong(f"Whole numbers (K,) are asked for, and {type(out).__name__} came back.")
        overlap = _over_smaller(boxes)
        right = _greedy(overlap, scores, threshold)
        if torch.equal(out.cpu(), right):
            continue
        mine, theirs = out.cpu().sort().values, right.sort().values
        if torch.equal(mine, theirs):
            raise Wrong("The right boxes stay, but not with the best first.")
        if torch.equal(mine, nms(boxes, scores, threshold).sort().values):
            raise Wrong(
                "That is suppression by IoU: a small box inside a large one stays. Divide by the "
                "smaller area instead of the union."
            )
        if torch.equal(mine, _greedy(overlap, -scores, threshold).sort().values):
            raise Wrong("The worst box of each face stays; begin at the other end.")
        places = scores.argsort(descending=True)
        if out.max() < len(boxes) and torch.equal(places[out.cpu()], right):
            raise Wrong(
                "These are places in the order of scores; translate them back into the boxes' own "
                "numbers."
            )
        first_come = -torch.arange(len(boxes)).float()
        if torch.equal(mine, _greedy(overlap, first_come, threshold).sort().values):
            raise Wrong("The boxes were taken as they came; begin with the best score.")
        if torch.equal(mine, _by_any_better(overlap, scores, threshold)):
            raise Wrong(
                "A box fell because of one that had fallen itself: compare with those that stay "
                "only."
            )
        among = overlap[out][:, out].clone().fill_diagonal_(0)
        if len(out) and among.max() > threshold:
            raise Wrong(
                f"Two boxes stay that share {among.max():.2f} of the smaller one, more than "
                f"{threshold}."
            )
        lost = sorted(set(right.tolist()) - set(out.tolist()))
        raise Wrong(
            f"{len(out)} boxes stay where {len(right)} should"
            + (f"; number {lost[0]} is lost, though no better box is near." if lost else ".")
        )


@exercise(
    "The square to cut out",
    difficulty=2,
    minutes=10,
    hints=[
        "First the side: the longer side of the box, times 1 + margin, no more than the picture.",
        "Then the place: centred on the box, and if it sticks out, pushed back inside whole.",
    ],
)
def square_box(
    box: tuple[float, float, float, float], width: int, height: int, margin: float
) -> tuple[float, float, float, float]:
    """The square around a box that lies inside a picture, as left, top, right, bottom.

    Its side is the box's longer side times 1 + margin, and no more than the picture's shorter side.
    It is centred on the box, unless it has to be moved to lie inside.
    """
    # your turn
    left, top, right, bottom = box
    side = min(max(right - left, bottom - top) * (1 + margin), width, height)
    x = min(max((left + right - side) / 2, 0), width - side)
    y = min(max((top + bottom - side) / 2, 0), height - side)
    return x, y, x + side, y + side


@check(square_box, praise="No face is stretched, and no pixel is made up.")
def check_square_box(attempt: Any) -> None:
    """Diagnose an attempt at :func:`square_box`."""
    cases = [  # box, width, height, margin
        ((40.0, 30.0, 60.0, 60.0), 200, 150, 0.0),
        ((40.0, 30.0, 60.0, 60.0), 200, 150, 0.4),
        ((-4.0, 10.0, 30.0, 60.0), 200, 150, 0.2),
        ((150.0, 100.0, 195.0, 149.0), 200, 150, 0.3),
        ((10.0, 5.0, 100.0, 95.0), 120, 100, 0.5),
    ]
    for box, width, height, margin in cases:
        out = attempt(box, width, height, margin)
        try:
            l, t, r, b = (float(v) for v in out)  # noqa: E741
        except (TypeError, ValueError):
            raise Wrong(f"Four numbers are asked for, and {out!r} came back.") from None
        x0, y0, x1, y1 = box
        long, short = max(x1 - x0, y1 - y0), min(x1 - x0, y1 - y0)
        side = min(long * (1 + margin), width, height)
        where = f"For the box {box}, margin {margin}, in {width} x {height} pixels"
        if abs(r - b) < 1e-3 and abs(r - side) < 1e-3 and abs((r - l) - (b - t)) > 1e-3:
            raise Wrong(f"{where}, you end with the side twice; right and bottom are asked for.")
        if abs((r - l) - (b - t)) > 1e-3:
            inside = l >= 0 and t >= 0 and r <= width and b <= height
            cut = " Was it cut off at the edge instead of moved?" if inside else ""
            raise Wrong(f"{where}, the cut is {r - l:.4g} x {b - t:.4g}, no square.{cut}")
        if abs((r - l) - min(long * (1 + 2 * margin), width, height)) < 1e-3 and margin:
            if abs((r - l) - side) > 1e-3:
                raise Wrong(f"{where}, the margin is added on either side; once is asked for.")
        elif abs((r - l) - short * (1 + margin)) < 1e-3 and abs(short - long) > 1e-3:
            raise Wrong(f"{where}, the shorter side is taken, and part of the face is lost.")
        if abs((r - l) - side) > 1e-3:
            raise Wrong(f"{where}, the side is {r - l:.4g} and should be {side:.4g}.")
        if l < -1e-3 or t < -1e-3 or r > width + 1e-3 or b > height + 1e-3:
            raise Wrong(f"{where}, the square sticks out of the picture: push it back inside.")
        right = [
            min(max((low + high - side) / 2, 0), limit - side)
            for low, high, limit in ((x0, x1, width), (y0, y1, height))
        ]
        if abs(l - right[0]) > 1e-3 or abs(t - right[1]) > 1e-3:
            raise Wrong(
                f"{where}, the square begins at ({l:.4g}, {t:.4g}) and should at "
                f"({right[0]:.4g}, {right[1]:.4g}): is it centred on the box?"
            )


def _boxes(count: int, spread: float = 40.0) -> Tensor:
    start = spread * torch.rand(count, 2)
    return torch.cat([start, start + 5 + 20 * torch.rand(count, 2)], dim=1)


def _over_smaller(boxes: Tensor) -> Tensor:
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    total = area[:, None] + area
    iou = box_iou(boxes, boxes)
    return total * iou / (1 + iou) / torch.minimum(area[:, None], area)  # shared = sum iou/(1+iou)


def _greedy(overlap: Tensor, scores: Tensor, threshold: float) -> Tensor:
    left, kept = scores.argsort(descending=True), []
    while len(left):
        kept.append(int(left[0]))
        left = left[1:][overlap[kept[-1], left[1:]] <= threshold]
    return torch.tensor(kept, dtype=torch.int64)


def _by_any_better(overlap: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """The mistake of comparing with every better box, fallen or not."""
    better = scores[None, :] > scores[:, None]  # (N, N): is j better than i
    return (~((overlap > threshold) & better).any(1)).nonzero()[:, 0]
