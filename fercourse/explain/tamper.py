"""Does the answer hang on a map? Change the map inside the network, and count changed answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from fercourse.datasets.faces import Faces
from fercourse.errors import FercourseError
from fercourse.evaluation.predict import probabilities
from fercourse.models.fernet import FERNet
from fercourse.modules import ChannelAttention, ReverseAttention
from fercourse.modules.blocks import resize_like
from fercourse.modules.reverse_attention import Reversed

Edit = Callable[[Tensor], Tensor]

EDITS: dict[str, Edit] = {
    "flattened": lambda a: a.mean((2, 3), keepdim=True).expand_as(a),
    "of another face": lambda a: a.roll(1, 0),
    "reversed": lambda a: 1 - a,
    "all erased": torch.zeros_like,
}
"""What is done to every A_i, (N, 1, h, w)."""


def tampered(model: FERNet, faces: Faces, edit: Edit) -> Tensor:
    """The answers with every reversed weight A_i edited before it erases: int64 (N,).

    Raises:
        FercourseError: The model has no reverse attention.
    """
    if not model.config.reverse:
        raise FercourseError("this model has no reverse attention to tamper with.")
    with _replaced(model, ReverseAttention, lambda stage: _Edited(stage, edit)):
        return probabilities(model, faces.images).argmax(1)


def frozen(model: FERNet, faces: Faces) -> Tensor:
    """The answers with all channel weights fixed to their mean over these faces: int64 (N,).

    Of CBAM the channel half only: its weights of places go on depending on the face.

    Raises:
        FercourseError: The model has no channel attention.
    """
    if not model.config.gcca:
        raise FercourseError("this model has no channel attention to freeze.")
    from fercourse.explain.maps import maps

    found = iter([w.mean(0)[None, :, None, None] for w in maps(model, faces).weights.values()])
    with _replaced(model, ChannelAttention, lambda old: _Fixed(old, next(found))):
        return probabilities(model, faces.images).argmax(1)


class _Edited(nn.Module):
    """A stage of reverse attention with a door."""

    def __init__(self, stage: ReverseAttention, edit: Edit) -> None:
        super().__init__()
        self.stage, self.edit = stage, edit

    def forward(self, features: Tensor, deeper: Tensor) -> Reversed:
        """As the stage does, with A_i edited."""
        predicted = resize_like(deeper, features)
        attention = self.edit(1 - predicted.sigmoid())
        remaining = features * attention
        return Reversed(remaining, attention, predicted + self.stage.residual(remaining))


class _Fixed(ChannelAttention):
    """Channel weights that know no face."""

    def __init__(self, old: ChannelAttention, weights: Tensor) -> None:
        super().__init__()
        self.old, self.weights = old, nn.Buffer(weights)

    def attention(self, x: Tensor) -> Tensor:
        """The same weights for all N faces: (N, C, 1, 1)."""
        return self.weights.expand(len(x), -1, -1, -1)

    def reweight(self, x: Tensor, weight: Tensor) -> Tensor:
        """As the module it stands for does: (N, C, H, W) -> (N, C, H, W)."""
        return self.old.reweight(x, weight)


@contextmanager
def _replaced(
    model: FERNet, kind: type[nn.Module], make: Callable[[Any], nn.Module]
) -> Iterator[None]:
    """Put another module in the place of each one of a kind, and the old ones back."""
    places = [
        (parent, name, child)
        for parent in list(model.modules())
        for name, child in parent.named_children()
        if isinstance(child, kind)
    ]
    for parent, name, child in places:
        setattr(parent, name, make(child).eval())
    try:
        yield
    finally:
        for parent, name, child in places:
            setattr(parent, name, child)
