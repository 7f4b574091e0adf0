"""What the rest of the package asks of a network: training, evaluation, weights and maps."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from fercourse.config import ModelConfig
from fercourse.errors import FercourseError

SMALLEST = 32
"""Pixels: below this, VGG16's block 5 would see a single location."""


class Output(NamedTuple):
    """What a :class:`Recogniser` gives for N faces.

    Attributes:
        logits: (N, num_classes).
        embedding: (N, D), what the island and the triplet loss act on.
        maps: By name; of :class:`fercourse.FERNet`, those of the components that are switched on.
            ``edge`` (N, E, h2, w2); ``global`` P_d (N, 1, h3, w3), in logits;
            ``reverse5``, ``reverse4``, ``reverse3`` A_i (N, 1, h_i, w_i), in (0, 1);
            ``refined5``, ``refined4``, ``refined3`` S_i (N, 1, h_i, w_i), in logits;
            ``gcca1`` to ``gcca5`` channel weights (N, C_i), in (0, 1), of whichever channel
            attention stands there.
    """

    logits: Tensor
    embedding: Tensor
    maps: dict[str, Tensor]


class Recogniser(nn.Module):
    """A network from faces to :class:`Output`: the paper's framework, its rivals, or yours.

    A subclass builds what makes descriptors, calls :meth:`add_head` last, and writes ``forward``
    and :meth:`layers`. Under a name in :data:`fercourse.config.ARCHITECTURES` it is trained,
    judged, stored and recorded as any other.

    Args:
        config: ``num_classes``, ``in_channels``, ``width``, ``embedding`` and ``dropout`` are for
            every network.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, x: Tensor) -> Output:
        """Classify N normalised faces, float (N, in_channels, H, W), H and W at least 32.

        Raises:
            FercourseError: Wrong number of dimensions or channels, no image, or too small a one.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward.")

    def layers(self) -> dict[str, nn.Module]:
        """Layers that class activation maps can be made of, by name, in the order of the pass.

        Each gives a tensor (N, C, h, w), non-negative.
        """
        raise NotImplementedError(f"{type(self).__name__} names no layers.")

    def add_head(self, length: int) -> None:
        """Dropout, embedding and classifier for descriptors (N, length)."""
        self.dropout = nn.Dropout(self.config.dropout)
        self.embed = nn.Linear(length, self.config.embedding)
        self.classify = nn.Linear(self.config.embedding, self.config.num_classes)

    def answer(self, descriptors: Tensor, maps: dict[str, Tensor] | None = None) -> Output:
        """The head: descriptors (N, length) to an embedding and logits."""
        embedding = self.embed(self.dropout(descriptors))  # (N, D)
        return Output(self.classify(embedding.relu()), embedding, maps or {})

    def check(self, x: Tensor) -> None:
        """Refuse a batch that this network does not take, as :meth:`forward` says."""
        wanted = self.config.in_channels
        if x.ndim != 4:
            raise FercourseError(
                f"{type(self).__name__} takes (N, {wanted}, H, W), not {tuple(x.shape)}."
            )
        if x.shape[1] != wanted:
            raise FercourseError(
                f"This model takes {'grey' if wanted == 1 else 'RGB'} faces with {wanted} "
                f"channel{'s' if wanted > 1 else ''}, not {x.shape[1]}; "
                "convert them, or build it with another ModelConfig.in_channels."
            )
        if x.shape[0] == 0:  # len() would fix the batch of an exported network
            raise FercourseError("The batch is empty: there is no face to classify.")
        if min(x.shape[2:]) < SMALLEST:
            raise FercourseError(
                f"Faces must be at least {SMALLEST} pixels wide and high, not "
                f"{x.shape[3]} x {x.shape[2]}; resize them first."
            )
