"""Several people in one picture, for the lesson on face detection."""

from dataclasses import dataclass

import numpy as np
import torch

from fercourse.datasets.synthetic import checks, nuisance
from fercourse.datasets.synthetic.camera import FRAME, Camera
from fercourse.datasets.synthetic.canvas import Canvas
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.synthetic.film import develop
from fercourse.datasets.synthetic.portrait import portrait
from fercourse.datasets.synthetic.random import uniform
from fercourse.labels import BASIC, Expression


@dataclass(frozen=True)
class Scene:
    """A picture of several faces and where they are.

    Attributes:
        image: uint8 (size, size).
        boxes: float32 (N, 4), left, top, right, bottom in pixels, from left to right.
        landmarks: float32 (N, 5, 2), as in :class:`Rendered`.
        expressions: What each face shows.
    """

    image: np.ndarray
    boxes: np.ndarray
    landmarks: np.ndarray
    expressions: tuple[Expression, ...]


def scene(count: int = 4, *, size: int = 480, seed: int = 0, difficulty: float = 0.3) -> Scene:
    """Draw ``count`` people before one background, no face behind another.

    Args:
        count: Faces, from 1 to 12.
        size: Side of the picture, pixels, from 128 to 2048.
        seed: Non-negative: who they are, what they show and where they stand.
        difficulty: In [0, 1], of each face.

    Raises:
        FercourseError: An argument is out of its range.
    """
    count = checks.number("count", count, 1, 12)
    size = checks.number("size", size, 128, 2048)
    seed = checks.number("seed", seed, 0)
    difficulty = checks.share("difficulty", difficulty)

    index = torch.arange(count)
    u = uniform(seed, "scene", index, 4)
    labels = (u[:, 0] * len(BASIC)).long()
    identity = (u[:, 1] * 2**24).long()
    columns = min(count, 4 if count > 6 else 3)
    rows = -(-count // columns)
    row, column = index // columns, index % columns
    in_row = torch.where(row < rows - 1, columns, count - (rows - 1) * columns)
    pose = nuisance.camera(index, seed, difficulty)
    cell = 1 / max(columns, rows)
    camera = Camera(
        pose.roll,
        pose.yaw,
        pose.pitch,
        zoom=cell * (0.62 + 0.18 * u[:, 2]),
        right=(column + 0.5) / in_row - 0.5 + 0.10 * cell * (u[:, 3] - 0.5),
        down=(row + 0.5) / rows - 0.5 + 0.12 * cell * (u[:, 2] - 0.5),
    )
    canvas = Canvas(0.8 * cell * size / FRAME, width=2.2, top=-1.9, bottom=4.5)
    people = portrait(
        canvas, intensities(labels, index, seed, difficulty), identity, index, seed, difficulty
    )
    layers = torch.nn.functional.grid_sample(
        torch.stack([people.light, people.cover], 1),
        camera.unproject(canvas, people.height, size),
        align_corners=False,
    )
    picture = nuisance.background(index[:1], seed, size, difficulty)
    for light, cover in layers.unbind():  # the rows further down stand in front
        picture = light + (1 - cover) * picture
    landmarks, boxes = people.truth(camera)
    return Scene(
        image=develop(picture, index[:1], seed, difficulty)[0].numpy(),
        boxes=(size * boxes).float().numpy(),
        landmarks=(size * landmarks).float().numpy(),
        expressions=tuple(Expression(int(label)) for label in labels),
    )
