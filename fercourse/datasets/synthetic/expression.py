"""How strongly each action unit acts in a face that shows an expression."""

import torch
from torch import Tensor

from fercourse.datasets.synthetic.random import normal, uniform
from fercourse.datasets.synthetic.units import PROTOTYPES, SOMETIMES, UNITS, WITH
from fercourse.labels import Expression


def intensities(labels: Tensor, index: Tensor, seed: int, difficulty: float) -> Tensor:
    """Action units of N faces, a value in [0, 1] a side: float64 (N, U, 2).

    The units of the prototype act together, each a little more or less than the rest, and one
    side a little more than the other. Some faces add units that only some people add. The harder
    the faces, the weaker the weakest expressions.

    Args:
        labels: int64 (N,), values of :class:`fercourse.Expression`.
        index: int64 (N,), the faces' numbers.
        seed: Of the data set.
        difficulty: In [0, 1].
    """
    n, u, device = len(labels), len(UNITS), labels.device
    always, chance = (table.to(device)[labels] for table in _tables())  # (N, U)
    weakest = 1 - 0.55 * difficulty
    strength = weakest + (1 - weakest) * uniform(seed, "strength", index, 1)
    each = 1 + 0.35 * (2 * uniform(seed, "unit", index, u) - 1)
    acts = torch.maximum(always, (uniform(seed, "adds", index, u) < chance).double())
    acts = acts * ((uniform(seed, "lacks", index, u) > 0.12 * difficulty) | (chance > 0))
    wanted = acts * strength * each
    idle = 0.16 * difficulty * normal(seed, "idle", index, u).abs()  # no face is ever at rest
    for first, second in WITH:  # mixed openings: the wider jaw wins
        k, m = UNITS.index(first), UNITS.index(second)
        wanted[:, k] = wanted[:, k] * (wanted[:, m] == 0)
    sides = 1 + 0.30 * difficulty * (2 * uniform(seed, "side", index, 2 * u).view(n, u, 2) - 1)
    lean = 1 + 0.25 * difficulty * (2 * uniform(seed, "lean", index, 2).view(n, 1, 2) - 1)
    return (wanted[..., None] * sides * lean + _QUIET.to(device) * idle[..., None]).clamp(0, 1)


def _tables() -> tuple[Tensor, Tensor]:
    always = torch.zeros(len(Expression), len(UNITS), dtype=torch.float64)
    chance = torch.zeros_like(always)
    for expression in Expression:
        for unit in PROTOTYPES[expression]:
            always[expression, UNITS.index(unit)] = 1
        for unit, p in SOMETIMES[expression].items():
            chance[expression, UNITS.index(unit)] = p
    return always, chance


# Units that may act a little in any face; an idle AU43 or AU9 would look like an expression.
_QUIET = torch.tensor([[unit in (1, 2, 4, 7, 12, 15, 17, 25, 26)] for unit in UNITS])
