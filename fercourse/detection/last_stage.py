"""MTCNN's five landmarks in faces that are cut out already, by its last network alone."""

from __future__ import annotations

import torch
from torch import Tensor

from fercourse.detection.stages import networks, resized

AT_ONCE = 256


@torch.inference_mode()
def five_landmarks(images: Tensor) -> Tensor:
    """The points of :data:`fercourse.detection.LANDMARKS` in N faces, one a picture.

    O-Net, the last of MTCNN's three, is given windows that just hold a face; FER2013, CK+48 and
    the drawn faces are cut as closely, so that each whole picture can be such a window and nothing
    has to be searched.

    Args:
        images: uint8 (N, H, W).

    Returns:
        float32 (N, 5, 2), x and y in pixels.
    """
    onet, found = networks().onet, []
    side = torch.tensor([images.shape[2], images.shape[1]])
    for part in images.split(AT_ONCE):
        grey = part[:, None].expand(-1, 3, -1, -1).float()
        _, points, _ = onet(resized(grey, (48, 48)))  # points (B, 10): all x, then all y
        found.append(points.view(-1, 2, 5).transpose(1, 2) * side)
    return torch.cat(found)
