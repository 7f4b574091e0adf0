"""In the spirit of Verma et al. [14]: each block of the trunk has its own way to the classifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.models.recogniser import Output, Recogniser
from fercourse.models.vgg import VGG16Backbone
from fercourse.modules.blocks import make_divisible

PLACES = 3
"""A skip keeps where a feature lies, on a grid of so many places a side."""

SHARE = 64
"""Numbers that each block sends to the end, at width 1."""


class SkipNet(Recogniser):
    """Model 1's trunk, and a fully connected layer from each of its blocks to the end.

    Model 1 itself hands on the mean of C5 alone: what differs is what the skips carry.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.backbone = VGG16Backbone(config.in_channels, config.width)
        share = make_divisible(SHARE, config.width)
        self.skips = nn.ModuleList(
            nn.Sequential(nn.Linear(PLACES**2 * c, share, bias=False), nn.BatchNorm1d(share))
            for c in self.backbone.channels
        )
        self.add_head(len(self.skips) * share)

    def forward(self, x: Tensor) -> Output:
        """As :meth:`Recogniser.forward`."""
        self.check(x)
        laterals, _ = self.backbone(x)
        carried = [
            skip(F.adaptive_avg_pool2d(c, PLACES).flatten(1)).relu()  # (N, 9 C_i) -> (N, share)
            for skip, c in zip(self.skips, laterals, strict=True)
        ]
        return self.answer(torch.cat(carried, 1))

    def layers(self) -> dict[str, nn.Module]:
        """``block1`` to ``block5`` of the trunk."""
        return {f"block{i}": block for i, block in enumerate(self.backbone.blocks, start=1)}
