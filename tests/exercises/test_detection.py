import numpy as np
import pytest
import torch
from torchvision import ops

from fercourse.detection import cropping
from fercourse.exercises import detection

pytestmark = pytest.mark.numeric


def iou_by_loop(a, b):
    out = torch.zeros(len(a), len(b))
    for i, p in enumerate(a.tolist()):
        for j, q in enumerate(b.tolist()):
            w = max(0, min(p[2], q[2]) - max(p[0], q[0]))
            h = max(0, min(p[3], q[3]) - max(p[1], q[1]))
            union = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - w * h
            out[i, j] = w * h / union
    return out


def smaller(boxes, others):
    shared, x, y = parts(boxes, others)
    return shared / torch.minimum(x[:, None], y)


def nms_by_removal(boxes, scores, threshold):
    left, kept = scores.argsort(descending=True), []
    while len(left):
        kept.append(int(left[0]))
        left = left[1:][smaller(boxes[kept[-1:]], boxes[left[1:]])[0] <= threshold]
    return kept


def facenets_own(boxes, scores, threshold):
    """facenet-pytorch counts pixels, a box of 0 to 9 is 10 wide; so its right edge is one less."""
    from facenet_pytorch.models.utils.detect_face import nms_numpy

    boxes = boxes - torch.tensor([0, 0, 1, 1])
    return torch.from_numpy(nms_numpy(boxes.numpy(), scores.numpy(), threshold, "Min").astype(int))


def package_square(box, width, height, margin):
    return cropping.square(box, (width, height), margin)


def square_by_numpy(box, width, height, margin):
    box = np.array(box).reshape(2, 2)
    side = min(np.ptp(box, axis=0).max() * (1 + margin), width, height)
    low = np.clip(box.mean(0) - side / 2, 0, np.array([width, height]) - side)
    return np.concatenate([low, low + side])


RIGHT = [
    ("iou", detection.iou),
    ("iou", ops.box_iou),
    ("iou", iou_by_loop),
    ("suppress_smaller", detection.suppress_smaller),
    ("suppress_smaller", facenets_own),
    ("suppress_smaller", nms_by_removal),
    ("suppress_smaller", lambda b, s, t: np.array(nms_by_removal(b, s, t))),
    ("square_box", detection.square_box),
    ("square_box", package_square),
    ("square_box", square_by_numpy),
]


@pytest.mark.parametrize(("name", "attempt"), RIGHT)
def test_right_attempts_pass(name, attempt):
    verdict = getattr(detection, f"check_{name}")(attempt)
    assert verdict, verdict


def parts(a, b, clamp=0.0):
    start = torch.maximum(a[:, None, :2], b[None, :, :2])
    sides = torch.minimum(a[:, None, 2:], b[None, :, 2:]) - start
    shared = (sides if clamp is None else sides.clamp(min=clamp)).prod(2)
    return shared, *((x[:, 2:] - x[:, :2]).prod(1) for x in (a, b))


def unclamped(a, b):
    shared, x, y = parts(a, b, None)
    return shared / (x[:, None] + y - shared)


def twice_counted(a, b):
    shared, x, y = parts(a, b)
    return shared / (x[:, None] + y)


def with_one_more_pixel(a, b):
    a, b = (torch.cat([x[:, :2], x[:, 2:] + 1], 1) for x in (a, b))
    return ops.box_iou(a, b)


def over_one(a, b):
    shared, x, _ = parts(a, b)
    return shared / x[:, None]


def over_larger(a, b):
    shared, x, y = parts(a, b)
    return shared / torch.maximum(x[:, None], y)


def by_added_sides(a, b):
    _, x, y = parts(a, b)
    sides = torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])
    return sides.clamp(min=0).sum(2) / (x[:, None] + y)


def as_they_came(boxes, scores, threshold):
    return detection.suppress_smaller(boxes, -torch.arange(len(boxes)).float(), threshold)


def places_in_order(boxes, scores, threshold):
    order = scores.argsort(descending=True)
    return detection.suppress_smaller(boxes[order], scores[order], threshold)


def with_sides(box, width, height, margin):
    x, y, right, bottom = package_square(box, width, height, margin)
    return x, y, right - x, bottom - y


def any_better(boxes, scores, threshold):
    hit = (smaller(boxes, boxes) > threshold) & (scores[None] > scores[:, None])
    kept = (~hit.any(1)).nonzero()[:, 0]
    return kept[scores[kept].argsort(descending=True)]


def as_mask(boxes, scores, threshold):
    mask = torch.zeros(len(boxes), dtype=torch.bool)
    mask[detection.suppress_smaller(boxes, scores, threshold)] = True
    return mask


def too_few(boxes, scores, threshold):
    return detection.suppress_smaller(boxes, scores, threshold)[:1]


def clipped(box, width, height, margin):
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max(box[2] - box[0], box[3] - box[1]) * (1 + margin) / 2
    return max(x - half, 0), max(y - half, 0), min(x + half, width), min(y + half, height)


def sticking_out(box, width, height, margin):
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = min(max(box[2] - box[0], box[3] - box[1]) * (1 + margin), width, height) / 2
    return x - half, y - half, x + half, y + half


def on_shorter_side(box, width, height, margin):
    side = min(box[2] - box[0], box[3] - box[1])
    x, y = (box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2
    return package_square((x, y, x + side, y + side), width, height, margin)


def from_the_corner(box, width, height, margin):
    side = max(box[2] - box[0], box[3] - box[1]) * (1 + margin)
    return box[0], box[1], box[0] + side, box[1] + side


def clamped_late(a, b):
    sides = torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])
    shared = sides.prod(2).clamp(min=0)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(1) for x in (a, b))
    return shared / (area_a[:, None] + area_b - shared)


WRONG = [
    ("iou", unclamped, "do not meet"),
    ("iou", twice_counted, "twice"),
    ("iou", smaller, "smaller area"),
    ("iou", lambda a, b: parts(a, b)[0], "divided by the union"),
    ("iou", with_one_more_pixel, "one pixel"),
    ("iou", clamped_late, "do not meet"),
    ("iou", lambda a, b: unclamped(a, b).clamp(0, 1), "do not meet"),
    ("iou", over_one, "area of one box"),
    ("iou", over_larger, "larger area"),
    ("iou", by_added_sides, "do not meet"),
    ("iou", lambda a, b: ops.box_iou(a, b) ** 2, "you say"),
    ("iou", lambda a, b: ops.box_iou(b, a), "rows"),
    ("iou", lambda a, b: 0.5, "tensor"),
    ("suppress_smaller", ops.nms, "by IoU"),
    ("suppress_smaller", any_better, "fallen itself"),
    (
        "suppress_smaller",
        lambda b, s, t: detection.suppress_smaller(b, s, t).sort().values,
        "best first",
    ),
    ("suppress_smaller", lambda b, s, t: detection.suppress_smaller(b, -s, t), "worst"),
    ("suppress_smaller", lambda b, s, t: b[detection.suppress_smaller(b, s, t)], "Boxes came back"),
    ("suppress_smaller", as_mask, "Truth values"),
    ("suppress_smaller", lambda b, s, t: s.argsort(descending=True), "Two boxes stay"),
    ("suppress_smaller", too_few, "is lost"),
    ("suppress_smaller", as_they_came, "as they came"),
    ("suppress_smaller", places_in_order, "order of scores"),
    ("suppress_smaller", lambda b, s, t: torch.tensor([]), "No box stays"),
    ("suppress_smaller", lambda b, s, t: [], "No box stays"),
    ("suppress_smaller", lambda b, s, t: torch.ones(3), "whole numbers"),
    ("suppress_smaller", lambda b, s, t: None, "gave nothing back"),
    ("square_box", clipped, "no square"),
    ("square_box", clipped, "cut off"),
    ("square_box", sticking_out, "sticks out"),
    ("square_box", on_shorter_side, "shorter side"),
    ("square_box", lambda b, w, h, m: package_square(b, w, h, 2 * m), "either side"),
    ("square_box", lambda b, w, h, m: package_square(b, w, h, 0.0), "the side is"),
    ("square_box", from_the_corner, "centred"),
    ("square_box", with_sides, "right and bottom"),
    ("square_box", lambda b, w, h, m: None, "Four numbers"),
]


@pytest.mark.parametrize(("name", "attempt", "word"), WRONG)
def test_wrong_attempts_get_their_diagnosis(name, attempt, word):
    verdict = getattr(detection, f"check_{name}")(attempt)
    assert not verdict
    assert word in verdict.message, verdict
