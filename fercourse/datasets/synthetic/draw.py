"""One face, for widgets and figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from fercourse.datasets.synthetic import checks
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.synthetic.render import render
from fercourse.datasets.synthetic.units import UNITS
from fercourse.errors import FercourseError
from fercourse.labels import Expression


@dataclass(frozen=True)
class Face:
    """A drawn face and the truth about it.

    Attributes:
        image: uint8 (size, size).
        masks: Per active action unit, bool (size, size): where it acts.
        landmarks: float32 (5, 2), x and y in pixels: eyes, tip of the nose, corners of the mouth,
            the one on the left of the picture first.
        box: float32 (4,), left, top, right, bottom in pixels.
        aus: Intensity per action unit, mean of both sides; units at 0 left out.
    """

    image: np.ndarray
    masks: dict[int, np.ndarray]
    landmarks: np.ndarray
    box: np.ndarray
    aus: dict[int, float]


def draw(
    expression: Expression | str | int | None = None,
    *,
    aus: Mapping[int, float | tuple[float, float]] | None = None,
    identity: int = 0,
    size: int = 224,
    seed: int = 0,
    difficulty: float = 0.0,
    margin: float = 0.25,
) -> Face:
    """Draw one face, by its expression or unit by unit.

    >>> sorted(draw("happy", size=48).aus)[:2]
    [6, 12]

    Args:
        expression: What it shows, with the variation of :func:`expression.intensities`.
        aus: Instead, an intensity in [0, 1] for each action unit, or a pair (left, right of the
            picture). Without either the face is neutral.
        identity: Non-negative; one number is one person.
        size: Side of the picture, pixels, from 32 to 1024.
        seed: Non-negative: pose, light, noise and how the expression varies.
        difficulty: In [0, 1]; at 0 the face is frontal, well lit and clean.
        margin: In [0, 1]: room around the face; 0 is FER2013's crop, as in ``dataset``.

    Raises:
        FercourseError: An argument is out of its range, or both ``expression`` and ``aus`` given.
    """
    if expression is not None and aus is not None:
        raise FercourseError("Give draw an expression or its action units, not both.")
    identity = checks.number("identity", identity, 0)
    size = checks.number("size", size, 32, 1024)
    seed = checks.number("seed", seed, 0)
    difficulty = checks.share("difficulty", difficulty)
    margin = checks.share("margin", margin)
    index = torch.zeros(1, dtype=torch.int64)
    if aus is None:
        label = Expression.parse(Expression.NEUTRAL if expression is None else expression)
        units = intensities(torch.tensor([int(label)]), index, seed, difficulty)
    else:
        if not isinstance(aus, Mapping):
            raise FercourseError(f"aus must map action units to intensities, not be {aus!r}.")
        units = torch.zeros(1, len(UNITS), 2, dtype=torch.float64)
        for unit, value in aus.items():
            pair = checks.intensity(unit, value)
            units[0, UNITS.index(unit)] = units.new_tensor(pair)
    face = render(units, torch.tensor([identity]), index, seed, size, difficulty, margin)
    strength = units[0].mean(1)
    bits = face.masks[0]
    return Face(
        image=face.images[0].numpy(),
        masks={
            u: mask.numpy() for k, u in enumerate(UNITS) if (mask := (bits >> k & 1).bool()).any()
        },
        landmarks=face.landmarks[0].numpy(),
        box=face.boxes[0].numpy(),
        aus={u: round(float(strength[k]), 3) for k, u in enumerate(UNITS) if strength[k] > 0},
    )
