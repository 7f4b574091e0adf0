"""One face, for widgets and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from fercourse.datasets.synthetic import checks
from fercourse.datasets.synthetic.drawing import LEVEL, Drawing
from fercourse.datasets.synthetic.expression import intensities
from fercourse.datasets.synthetic.units import UNITS
from fercourse.errors import FercourseError
from fercourse.labels import Expression


@dataclass(frozen=True)
class Face:
    """A drawn face and the truth about it.

    Attributes:
        image: uint8 (size, size).
        landmarks: float32 (5, 2), x and y in pixels: eyes, tip of the nose, corners of the mouth,
            the one on the left of the picture first.
        box: float32 (4,), left, top, right, bottom in pixels.
        aus: Intensity per action unit, mean of both sides; units at 0 left out.
        drawing: How it was drawn.
    """

    image: np.ndarray
    landmarks: np.ndarray
    box: np.ndarray
    aus: dict[int, float]
    drawing: Drawing

    @cached_property
    def changes(self) -> dict[int, np.ndarray]:
        """By how much each acting unit changes each pixel: uint8 (size, size), grey levels."""
        found = self.drawing.changes(torch.from_numpy(self.image)[None])[0]  # (U, size, size)
        acting = self.drawing.acting()[0]
        return {u: found[k].numpy() for k, u in enumerate(UNITS) if acting[k]}

    @property
    def masks(self) -> dict[int, np.ndarray]:
        """Where each acting unit changes the picture by :data:`LEVEL` or more: bool (size, size).

        A unit that changes nothing so much is left out.
        """
        found = {unit: change >= LEVEL for unit, change in self.changes.items()}
        return {unit: mask for unit, mask in found.items() if mask.any()}

    @cached_property
    def regions(self) -> dict[int, np.ndarray]:
        """The ellipses that hold all that each acting unit could move: bool (size, size)."""
        bits = self.drawing.regions()[0]
        found = {unit: (bits >> k & 1).bool().numpy() for k, unit in enumerate(UNITS)}
        return {unit: mask for unit, mask in found.items() if mask.any()}


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
    drawing = Drawing(units, torch.tensor([identity]), index, seed, size, difficulty, margin)
    face = drawing.render()
    strength = units[0].mean(1)
    return Face(
        image=face.images[0].numpy(),
        landmarks=face.landmarks[0].numpy(),
        box=face.boxes[0].numpy(),
        aus={u: round(float(strength[k]), 3) for k, u in enumerate(UNITS) if strength[k] > 0},
        drawing=drawing,
    )
