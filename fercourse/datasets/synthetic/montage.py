"""Many pictures in one, without a plotting library."""

import numpy as np
import torch
from torch import Tensor

from fercourse.datasets.synthetic import checks
from fercourse.errors import FercourseError


def montage(images: Tensor | np.ndarray, columns: int) -> np.ndarray:
    """Lay pictures out row by row; an unfinished last row is filled with white.

    Args:
        images: uint8 (N, H, W), N at least 1.
        columns: Pictures a row.

    Returns:
        uint8 (rows * H, columns * W).

    Raises:
        FercourseError: The images are not uint8 (N, H, W), or ``columns`` is below 1.
    """
    columns = checks.number("columns", columns, 1)
    images = torch.as_tensor(images)
    if images.dtype != torch.uint8 or images.ndim != 3 or len(images) == 0:
        raise FercourseError(
            f"montage needs uint8 images (N, H, W), not {images.dtype} {tuple(images.shape)}."
        )
    n, h, w = images.shape
    rows = -(-n // columns)
    sheet = torch.full((rows * columns, h, w), 255, dtype=torch.uint8)
    sheet[:n] = images
    return sheet.view(rows, columns, h, w).transpose(1, 2).reshape(rows * h, columns * w).numpy()
