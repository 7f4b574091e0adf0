"""In the spirit of Mollahosseini et al. [11]: two convolutions, then three inception blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.models.recogniser import Output, Recogniser
from fercourse.modules.blocks import conv_bn, global_avg_pool, make_divisible

SCALE = 3.7
"""Of GoogLeNet's channel counts, so that the network has as many weights as model 1."""

BLOCKS = ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64))
"""Channels of GoogLeNet's blocks 3a, 3b and 4a: 1x1; 3x3, reduced before; 5x5, reduced before;
pooled (C. Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1)."""


class InceptionBlock(nn.Module):
    """Four views of one map, side by side: (N, C, H, W) -> (N, one + three + five + pooled, H, W).

    Args:
        inputs: C.
        one: Channels of the 1x1 convolution.
        before_three: To which a 1x1 convolution reduces before the 3x3 one.
        three: Channels of the 3x3 convolution.
        before_five: Likewise for 5x5.
        five: Channels of the 5x5 convolution.
        pooled: Channels of the 1x1 convolution behind a 3x3 maximum.
    """

    def __init__(
        self,
        inputs: int,
        one: int,
        before_three: int,
        three: int,
        before_five: int,
        five: int,
        pooled: int,
    ) -> None:
        super().__init__()
        self.one = conv_bn(inputs, one, 1)
        self.three = _reduced(inputs, before_three, three, 3)
        self.five = _reduced(inputs, before_five, five, 5)
        self.pooled = conv_bn(inputs, pooled, 1)
        self.channels = one + three + five + pooled

    def forward(self, x: Tensor) -> Tensor:
        """The concatenation of the four."""
        around = F.max_pool2d(x, 3, stride=1, padding=1)
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pooled(around)], 1)


def _reduced(inputs: int, before: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(conv_bn(inputs, before, 1), conv_bn(before, outputs, kernel))


class Inception(Recogniser):
    """Sizes for a 48 (224) pixel face: 24 (112), 12 (56), 6 (28), and 3 (14) in the last block."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)

        def wide(channels: int) -> int:
            return make_divisible(channels, SCALE * config.width)

        self.first = conv_bn(config.in_channels, wide(64), 7, stride=2)
        self.second = conv_bn(wide(64), wide(192), 3)
        blocks, channels = [], wide(192)
        for counts in BLOCKS:
            blocks.append(InceptionBlock(channels, *map(wide, counts)))
            channels = blocks[-1].channels
        self.block3a, self.block3b, self.block4a = blocks
        self.add_head(channels)

    def forward(self, x: Tensor) -> Output:
        """As :meth:`Recogniser.forward`."""
        self.check(x)
        x = F.max_pool2d(self.first(x), 3, stride=2, padding=1)  # (N, C, H / 4, W / 4)
        x = F.max_pool2d(self.second(x), 3, stride=2, padding=1)  # (N, C, H / 8, W / 8)
        x = self.block3b(self.block3a(x))
        x = self.block4a(F.max_pool2d(x, 3, stride=2, padding=1))  # (N, C, H / 16, W / 16)
        return self.answer(global_avg_pool(x))

    def layers(self) -> dict[str, nn.Module]:
        """The two convolutions and the three blocks."""
        names = ("first", "second", "block3a", "block3b", "block4a")
        return {name: getattr(self, name) for name in names}
