"""Where a drawn face's expression is made: what maps are held against, and may be trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.labels import Expression


def truth(faces: Faces, idle: bool = False, regions: bool = False) -> Tensor:
    """Where a face's expression is made: bool (N, H, W), the union of its acting units' masks.

    A unit's mask holds the pixels that differ between the face and its twin with that unit at
    rest, everything else equal; see :attr:`fercourse.Faces.masks`.

    Args:
        faces: Built-in ones; nobody knows the masks of a photograph.
        idle: Count units that do not belong to the expression too. Drawn faces are never at
            rest: any of nine units may act a little in any face.
        regions: Take the ellipses in which units could act instead, which are loose: together
            they fill most of a close crop.

    Raises:
        FercourseError: The faces are no built-in ones.
    """
    found = faces.regions if regions else faces.masks
    if found is None:
        raise FercourseError(
            "these faces have no masks: scores against the truth need built-in faces; "
            "use explain.curves and explain.road for photographs."
        )
    if idle:
        return found != 0
    own = own_units(faces.labels).int()  # (N, U)
    bits = own << torch.arange(own.shape[1], dtype=torch.int32)
    return (found & bits.sum(1, dtype=torch.int32)[:, None, None]) != 0


def own_units(labels: Tensor) -> Tensor:
    """Which of ``synthetic.UNITS`` make, or may join, each expression: (N,) -> bool (N, U)."""
    from fercourse.datasets.synthetic.units import PROTOTYPES, SOMETIMES, UNITS

    table = torch.zeros(len(Expression), len(UNITS), dtype=torch.bool)
    for e in Expression:
        for unit in {*PROTOTYPES[e], *SOMETIMES[e]} if PROTOTYPES[e] else ():
            table[e, UNITS.index(unit)] = True
    return table[labels]
