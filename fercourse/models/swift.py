"""The speedrun's trunk: model 1's blocks 2 to 5 behind a folding of the face."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.models.recogniser import Output, Recogniser
from fercourse.modules.blocks import conv_bn, global_avg_pool, make_divisible, start_kernels

PLAN = ((128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels at width 1, as VGG16's blocks 2 to 5."""


class Swift(Recogniser):
    """VGG16 without block 1, whose maps are the largest.

    Four neighbouring pixels become four channels of one place, without a weight, and block 2 begins
    with them. Sizes for a 48 pixel face: 24, 12, 6 and 3.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        blocks, previous = [], 4 * config.in_channels
        for plan in PLAN:
            convolutions = []
            for channels in plan:
                convolutions.append(conv_bn(previous, make_divisible(channels, config.width), 3))
                previous = make_divisible(channels, config.width)
            blocks.append(nn.Sequential(*convolutions))
        self.blocks = nn.ModuleList(blocks)
        start_kernels(self, config.dirac)
        self.add_head(previous)

    def forward(self, x: Tensor) -> Output:
        """As :meth:`Recogniser.forward`."""
        self.check(x)
        x = fold(x)  # (N, 4, H / 2, W / 2)
        for i, block in enumerate(self.blocks):
            x = block(x if i == 0 else F.max_pool2d(x, 2))  # (N, C_i, H / 2^(i+1), W / 2^(i+1))
        return self.answer(global_avg_pool(x))

    def layers(self) -> dict[str, nn.Module]:
        """``block2`` to ``block5``, named as VGG16's."""
        return {f"block{i}": block for i, block in enumerate(self.blocks, start=2)}


def fold(x: Tensor) -> Tensor:
    """Four pixels to four channels: (N, C, H, W) -> (N, 4C, ceil(H / 2), ceil(W / 2)).

    Of an odd side the last pixel is repeated.
    """
    x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")
    return torch.pixel_unshuffle(x, 2)
