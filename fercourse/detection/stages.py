"""MTCNN opened up: what each of its three networks proposes, keeps and drops (Zhang et al. 2016).

:class:`fercourse.detection.FaceDetector` runs the three as one. Here every stage can be looked at,
and the thresholds changed without searching the picture anew. The networks and the arithmetic of
boxes are facenet-pytorch's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import nms

from fercourse.detection.detector import FaceDetector
from fercourse.errors import FercourseError
from fercourse.images import Picture, to_pil

THRESHOLDS = (0.6, 0.7, 0.7)
"""MTCNN's own, of P-Net, R-Net and O-Net."""

SHRINK = 0.709
"""From one picture of the pyramid to the next: half the area."""


@dataclass(frozen=True)
class Stage:
    """One network's part of a search.

    Attributes:
        name: "P-Net", "R-Net" or "O-Net".
        looked_at: Windows it judged.
        dropped: float32 (D, 4), windows under its threshold, left, top, right, bottom in pixels;
            P-Net, which judges every place, leaves this empty.
        doubtful: float32 (D,), their probabilities.
        merged: Windows over the threshold that a better one on the same face stands for.
        boxes: float32 (K, 4), what it hands on, moved by its own correction.
        probabilities: float32 (K,), of these.
        landmarks: float32 (K, 5, 2), x and y as in ``fercourse.detection.LANDMARKS``; only O-Net's
            are filled, the others have none.
    """

    name: str
    looked_at: int
    dropped: np.ndarray
    doubtful: np.ndarray
    merged: int
    boxes: np.ndarray
    probabilities: np.ndarray
    landmarks: np.ndarray


class StagedSearch:
    """One picture, searched by P-Net at every scale; :meth:`stages` does the rest.

    Args:
        image: PIL, or uint8 (H, W) or (H, W, 3).
        min_face: Smallest face looked for, pixels.

    Raises:
        FercourseError: ``min_face`` is under MTCNN's 12 pixels, or more than the picture holds.
    """

    @torch.inference_mode()
    def __init__(self, image: Picture, min_face: int = 20) -> None:
        pixels = np.array(to_pil(image).convert("RGB"))
        height, width = pixels.shape[:2]
        if not 12 <= min_face <= min(height, width):
            raise FercourseError(
                f"The smallest face must be from 12 to {min(height, width)} pixels in a picture of "
                f"{width} x {height}, not {min_face}."
            )
        self._nets = networks()
        self._image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()  # (1, 3, H, W)
        self._scales: list[tuple[float, Tensor, Tensor]] = []
        scale = 12 / min_face
        while min(height, width) * scale >= 12:
            small = resized(self._image, (int(height * scale + 1), int(width * scale + 1)))
            correction, p = self._nets.pnet(small)  # (1, 4, h, w), (1, 2, h, w)
            self._scales.append((scale, correction, p[:, 1]))
            scale *= SHRINK

    @torch.inference_mode()
    def stages(self, thresholds: tuple[float, float, float] = THRESHOLDS) -> tuple[Stage, ...]:
        """P-Net's, R-Net's and O-Net's part, in this order; later ones may have nothing to do."""
        if len(thresholds) != 3 or not all(0 <= t <= 1 for t in thresholds):
            raise FercourseError(f"MTCNN takes three thresholds in [0, 1], not {thresholds}.")
        first = self._proposals(thresholds[0])
        second = self._refined("R-Net", first, thresholds[1])
        return first, second, self._refined("O-Net", second, thresholds[2])

    def _proposals(self, threshold: float) -> Stage:
        from facenet_pytorch.models.utils import detect_face as mtcnn

        found, looked_at, over = [], 0, 0
        for scale, correction, p in self._scales:
            windows, _ = mtcnn.generateBoundingBox(correction, p, scale, threshold)  # (n, 9)
            found.append(windows[nms(windows[:, :4], windows[:, 4], 0.5)])
            looked_at, over = looked_at + p.numel(), over + len(windows)
        windows = torch.cat(found)
        windows = windows[nms(windows[:, :4], windows[:, 4], 0.7)]
        sides = (windows[:, 2:4] - windows[:, :2]).repeat(1, 2)  # (K, 4)
        boxes = mtcnn.rerec(windows[:, :4] + windows[:, 5:9] * sides)  # squares
        return Stage(
            "P-Net",
            looked_at,
            _none(4),
            _none(),
            over - len(boxes),
            boxes.numpy(),
            windows[:, 4].numpy(),
            _none(5, 2),
        )

    def _refined(self, name: str, before: Stage, threshold: float) -> Stage:
        from facenet_pytorch.models.utils import detect_face as mtcnn

        last = name == "O-Net"
        net, side = (self._nets.onet, 48) if last else (self._nets.rnet, 24)
        windows = torch.from_numpy(before.boxes)
        cuts, inside = self._cut(windows, side)
        windows = windows[inside]
        if not len(windows):
            return Stage(name, 0, _none(4), _none(), 0, _none(4), _none(), _none(5, 2))
        correction, *points, p = net(cuts)  # (n, 4), O-Net's points (n, 10), (n, 2)
        p = p[:, 1]
        passed = p > threshold
        boxes, scores, correction = windows[passed], p[passed], correction[passed]
        marks = _none(5, 2)
        if last:
            sides = boxes[:, 2:] - boxes[:, :2] + 1
            at = points[0][passed].view(-1, 2, 5).transpose(1, 2)  # (n, 5, 2), shares of the box
            marks = (boxes[:, None, :2] - 1 + at * sides[:, None]).numpy()
            boxes = mtcnn.bbreg(boxes.clone(), correction)
            best = mtcnn.nms_numpy(boxes.numpy(), scores.numpy(), 0.7, "Min")
            best = torch.as_tensor(np.asarray(best).reshape(-1), dtype=torch.int64)
            boxes, marks = boxes[best], marks[best.numpy()]
        else:
            best = nms(boxes, scores, 0.7)
            boxes = mtcnn.rerec(mtcnn.bbreg(boxes[best], correction[best]))
        return Stage(
            name,
            len(windows),
            windows[~passed].numpy(),
            p[~passed].numpy(),
            int(passed.sum()) - len(best),
            boxes.numpy(),
            scores[best].numpy(),
            marks,
        )

    def _cut(self, windows: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Windows as the next network's input (n, 3, side, side), and which are in the picture."""
        height, width = self._image.shape[2:]
        corners = windows.trunc().int()
        low = corners[:, :2].clamp(min=1) - 1
        high = torch.minimum(corners[:, 2:], torch.tensor([width, height]))
        inside = (high > low).all(1)
        cuts = [
            resized(self._image[:, :, top:bottom, left:right], (side, side))
            for (left, top), (right, bottom) in zip(
                low[inside].tolist(), high[inside].tolist(), strict=True
            )
        ]
        return torch.cat(cuts) if cuts else torch.empty(0, 3, side, side), inside


def match(boxes: np.ndarray, truth: np.ndarray, overlap: float = 0.4) -> np.ndarray:
    """Which face each box shows: int64 (K,), the face's index, or -1 where it shows none.

    Every face counts once: of two boxes on it the one of larger overlap takes it.

    Args:
        boxes: (K, 4), left, top, right, bottom.
        truth: (N, 4), likewise.
        overlap: Least intersection over union.
    """
    answer = np.full(len(boxes), -1)
    if not len(boxes) or not len(truth):
        return answer
    low = np.maximum(boxes[:, None, :2], truth[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], truth[None, :, 2:])
    common = (high - low).clip(0).prod(2)  # (K, N)
    area = [(b[:, 2:] - b[:, :2]).prod(1) for b in (boxes, truth)]
    iou = common / (area[0][:, None] + area[1] - common)
    while iou.max() >= overlap:
        box, face = np.unravel_index(iou.argmax(), iou.shape)
        answer[box] = face
        iou[box], iou[:, face] = -1, -1
    return answer


@lru_cache(maxsize=1)
def networks() -> Any:
    """P-Net, R-Net and O-Net, as attributes ``pnet``, ``rnet`` and ``onet``; loaded once."""
    return FaceDetector("cpu")._mtcnn


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """By area, and on the networks' scale: (pixels - 127.5) / 128."""
    return (torch.nn.functional.interpolate(image, size, mode="area") - 127.5) / 128


def _none(*shape: int) -> np.ndarray:
    """No rows of this shape."""
    return np.empty((0, *shape), dtype=np.float32)
