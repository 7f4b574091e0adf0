"""The framework of fig. 1: backbone, edge branch, partial decoder, reverse attention, head."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.errors import FercourseError
from fercourse.models.attend import attend
from fercourse.models.vgg import VGG16Backbone
from fercourse.modules import EdgeBranch, PartialDecoder, ReverseAttention
from fercourse.modules.blocks import make_divisible, resize_like

SMALLEST = 32
"""Pixels: below this, block 5 would see a single location."""


class Output(NamedTuple):
    """What :class:`FERNet` gives for N faces.

    Attributes:
        logits: (N, num_classes).
        embedding: (N, D), what the island loss acts on.
        maps: By name, those of the components that are switched on.
            ``edge`` (N, E, h2, w2); ``global`` P_d (N, 1, h3, w3), in logits;
            ``reverse5``, ``reverse4``, ``reverse3`` A_i (N, 1, h_i, w_i), in (0, 1);
            ``refined5``, ``refined4``, ``refined3`` S_i (N, 1, h_i, w_i), in logits;
            ``gcca1`` to ``gcca5`` channel weights (N, C_i), in (0, 1), of whichever channel
            attention stands there.
    """

    logits: Tensor
    embedding: Tensor
    maps: dict[str, Tensor]


class FERNet(nn.Module):
    """The six models of Table 1, one switch of :class:`ModelConfig` a component.

    Every component that is on adds descriptors, vectors pooled from feature maps, to one
    concatenation; the head turns it into an embedding and logits::

        always   mean of C5
        fusion   mean of the edge map, of C3 and of C4
        decoder  the decoder's features, averaged where the global map says to look
        reverse  mean of R5, R4 and R3, that is, of what lies outside the map so far

    With reverse attention the decoder's features are averaged under S_3, which is the global
    map refined three times, instead of under P_d itself. So each map has a use, and a gradient,
    in every model that has it.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = VGG16Backbone(config.in_channels, config.width, attend(config))
        _, c2, c3, c4, c5 = self.backbone.channels
        length = c5
        if config.fusion:
            edges = make_divisible(64, config.width)
            self.edge = EdgeBranch(c2, edges)
            length += edges + c3 + c4
        if config.decoder:
            level = make_divisible(config.decoder_channels, config.width)
            self.decoder = PartialDecoder((c3, c4, c5), level)
            length += 3 * level
        if config.reverse:
            hidden = make_divisible(64, config.width)
            self.reverse5 = ReverseAttention(c5, hidden)
            self.reverse4 = ReverseAttention(c4, hidden)
            self.reverse3 = ReverseAttention(c3, hidden)
            length += c5 + c4 + c3
        self.dropout = nn.Dropout(config.dropout)
        self.embed = nn.Linear(length, config.embedding)
        self.classify = nn.Linear(config.embedding, config.num_classes)

    def forward(self, x: Tensor) -> Output:
        """Classify N normalised faces, float (N, in_channels, H, W), H and W at least 32.

        Raises:
            FercourseError: Wrong number of dimensions or channels, no image, or too small a one.
        """
        self._check(x)
        (_, c2, c3, c4, c5), weights = self.backbone(x)
        maps = {f"gcca{i}": w.flatten(1) for i, w in enumerate(weights, start=1)}
        descriptors = [global_avg_pool(c5)]  # (N, C5)

        if self.config.fusion:
            maps["edge"] = self.edge(c2)  # (N, E, h2, w2)
            descriptors += [global_avg_pool(maps["edge"]), global_avg_pool(c3), global_avg_pool(c4)]

        if self.config.decoder:
            decoded, region = self.decoder(c3, c4, c5)  # (N, 3D, h3, w3), (N, 1, h3, w3)
            region = maps["global"] = standardize_map(region, self.config.map_scale)
            if self.config.reverse:
                for i, c, stage in (
                    (5, c5, self.reverse5),
                    (4, c4, self.reverse4),
                    (3, c3, self.reverse3),
                ):
                    remaining, maps[f"reverse{i}"], region = stage(c, region)
                    region = standardize_map(region, self.config.map_scale)
                    maps[f"refined{i}"] = region  # (N, 1, h_i, w_i)
                    descriptors.append(global_avg_pool(remaining))  # (N, C_i)
            descriptors.append(weighted_avg_pool(decoded, region))  # (N, 3D)

        embedding = self.embed(self.dropout(torch.cat(descriptors, 1)))  # (N, D)
        return Output(self.classify(embedding.relu()), embedding, maps)

    def _check(self, x: Tensor) -> None:
        wanted = self.config.in_channels
        if x.ndim != 4:
            raise FercourseError(f"FERNet takes (N, {wanted}, H, W), not {tuple(x.shape)}.")
        if x.shape[1] != wanted:
            raise FercourseError(
                f"This model takes {'grey' if wanted == 1 else 'RGB'} faces with {wanted} "
                f"channel{'s' if wanted > 1 else ''}, not {x.shape[1]}; "
                "convert them, or build it with another ModelConfig.in_channels."
            )
        if len(x) == 0:
            raise FercourseError("The batch is empty: there is no face to classify.")
        if min(x.shape[2:]) < SMALLEST:
            raise FercourseError(
                f"Faces must be at least {SMALLEST} pixels wide and high, not "
                f"{x.shape[3]} x {x.shape[2]}; resize them first."
            )


def global_avg_pool(x: Tensor) -> Tensor:
    """Global average pooling, (N, C, H, W) -> (N, C).

    A pooling kernel keeps the gradient in the map's own memory format; ``x.mean((2, 3))`` would
    not, and every addition to it would then be slow.
    """
    return F.avg_pool2d(x, x.shape[2:]).flatten(1)


def weighted_avg_pool(x: Tensor, logits: Tensor) -> Tensor:
    """Average of (N, C, H, W) weighted by the sigmoid of a map (N, 1, h, w) -> (N, C)."""
    weight = resize_like(logits, x).sigmoid()  # (N, 1, H, W)
    return (x * weight).sum((2, 3)) / weight.sum((2, 3)).clamp_min(1e-6)


def standardize_map(logits: Tensor, scale: float) -> Tensor:
    """A map (N, 1, h, w) with mean 0 and standard deviation ``scale`` on every face; 0: as it is.

    No loss of the paper's asks a map to vary, so it stays near one value; this leaves it no choice.
    """
    return F.layer_norm(logits, logits.shape[1:]) * scale if scale else logits
