"""The framework of fig. 1: backbone, edge branch, partial decoder, reverse attention, head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.errors import FercourseError
from fercourse.models.attend import attend
from fercourse.models.recogniser import Output, Recogniser
from fercourse.models.vgg import VGG16Backbone
from fercourse.modules import EdgeBranch, PartialDecoder, ReverseAttention
from fercourse.modules.blocks import global_avg_pool, make_divisible, resize_like


class FERNet(Recogniser):
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
        super().__init__(config)
        self.backbone = VGG16Backbone(
            config.in_channels, config.width, attend(config), config.dirac
        )
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
        self.add_head(length)

    def forward(self, x: Tensor) -> Output:
        """As :meth:`Recogniser.forward`."""
        self.check(x)
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

        return self.answer(torch.cat(descriptors, 1), maps)

    def layers(self) -> dict[str, nn.Module]:
        """``block1`` to ``block5``, before GCCA, ``edge``, and ``decoder``'s features."""
        found: dict[str, nn.Module] = {
            f"block{i}": block for i, block in enumerate(self.backbone.blocks, start=1)
        }
        if self.config.fusion:
            found["edge"] = self.edge.conv
        if self.config.decoder:
            found["decoder"] = self.decoder.features
        return found


def framework(network: Recogniser) -> FERNet:
    """The network, if it is the paper's framework, whose maps and parts others do not have.

    Raises:
        FercourseError: It is another's; class activation maps can be made of that one too.
    """
    if not isinstance(network, FERNet):
        raise FercourseError(
            f"{network.config.architecture} is not the paper's framework and has none of its maps: "
            "take explain.gradcam, which shows where any network looks."
        )
    return network


def weighted_avg_pool(x: Tensor, logits: Tensor) -> Tensor:
    """Average of (N, C, H, W) weighted by the sigmoid of a map (N, 1, h, w) -> (N, C)."""
    weight = resize_like(logits, x).sigmoid()  # (N, 1, H, W)
    return (x * weight).sum((2, 3)) / weight.sum((2, 3)).clamp_min(1e-6)


def standardize_map(logits: Tensor, scale: float) -> Tensor:
    """A map (N, 1, h, w) with mean 0 and standard deviation ``scale`` on every face; 0: as it is.

    No loss of the paper's asks a map to vary, so it stays near one value; this leaves it no choice.
    """
    return F.layer_norm(logits, logits.shape[1:]) * scale if scale else logits
