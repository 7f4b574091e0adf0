"""The parts of model 2's fused vector, and what is answered when some of them say nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.explain.layers import as_input, eval_mode
from fercourse.models.fernet import FERNet

PARTS = ("C5", "edge", "C3", "C4")
"""In the order of the vector."""


@torch.no_grad()
def parts_of(model: FERNet, faces: Faces, batch: int = 256) -> dict[str, Tensor]:
    """What the head is given of N faces: by part, the mean of each of its C channels, (N, C).

    Raises:
        FercourseError: There are no faces, or the vector has other parts than :data:`PARTS`.
    """
    if not model.config.fusion or model.config.decoder:
        raise FercourseError(
            "the fused vector must be that of Table 1's model 2 or 3: with fusion, no decoder."
        )
    chunks = []
    with eval_mode(model):
        for x in as_input(model, faces).split(batch):
            _, c2, c3, c4, c5 = model.backbone(x)[0]
            chunks.append([m.mean((2, 3)) for m in (c5, model.edge(c2), c3, c4)])
    return {name: torch.cat([c[k] for c in chunks]) for k, name in enumerate(PARTS)}


def silenced(
    parts: Mapping[str, Tensor], usual: Mapping[str, Tensor], quiet: Collection[str]
) -> dict[str, Tensor]:
    """Parts (N, C) of which some say of every face what they ``usual``-ly say, (C,)."""
    return {
        name: usual[name].expand_as(part) if name in quiet else part for name, part in parts.items()
    }


@torch.no_grad()
def head(model: FERNet, parts: Mapping[str, Tensor]) -> Tensor:
    """The head's probabilities for N fused vectors, given by part: (N, K), on the CPU."""
    with eval_mode(model):
        return model.answer(torch.cat([parts[name] for name in PARTS], 1)).logits.softmax(1).cpu()
