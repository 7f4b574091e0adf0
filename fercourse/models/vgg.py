"""The improved VGG16: thirteen convolutions, four poolings, attention in every block (fig. 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.modules import ChannelAttention
from fercourse.modules.blocks import conv_bn, make_divisible, start_kernels

PLAN = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of VGG16's convolutions, block by block, at width 1."""


class VGG16Backbone(nn.Module):
    """VGG16 with batch norm, without its last pooling and its fully connected layers.

    Sizes for a 224 (48) pixel face at width 1::

        C1  64 x 224 (48)   C2 128 x 112 (24)   C3 256 x 56 (12)   C4 512 x 28 (6)   C5 512 x 14 (3)

    Args:
        in_channels: 1 (grey) or 3 (RGB).
        width: Factor on every channel count.
        attend: Makes what stands behind a block of so many channels, as
            :class:`fercourse.modules.GCCA` does; None for nothing.
        dirac: Start the convolutions as :func:`fercourse.modules.blocks.start_kernels` says.
    """

    def __init__(
        self,
        in_channels: int = 1,
        width: float = 1.0,
        attend: Callable[[int], ChannelAttention] | None = None,
        dirac: bool = False,
    ) -> None:
        super().__init__()
        self.channels = tuple(make_divisible(block[-1], width) for block in PLAN)
        self.blocks, self.attentions = nn.ModuleList(), nn.ModuleList()
        previous = in_channels
        for block in PLAN:
            convolutions = []
            for channels in block:
                convolutions.append(conv_bn(previous, make_divisible(channels, width), 3))
                previous = make_divisible(channels, width)
            self.blocks.append(nn.Sequential(*convolutions))
            if attend:
                self.attentions.append(attend(previous))
        start_kernels(self, dirac)

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Run the five blocks.

        Args:
            x: (N, in_channels, H, W), H and W at least 16.

        Returns:
            The lateral outputs C1 to C5, each before the next block's pooling, and the channel
            weights of the five blocks, (N, C_i, 1, 1) each (an empty list without attention).
        """
        laterals: list[Tensor] = []
        weights: list[Tensor] = []
        for i, block in enumerate(self.blocks):
            x = block(x if i == 0 else F.max_pool2d(x, 2))  # (N, C_i, H / 2^i, W / 2^i)
            if self.attentions:
                attention = cast(ChannelAttention, self.attentions[i])
                weight = attention.attention(x)  # (N, C_i, 1, 1), eq. 1
                x = attention.reweight(x, weight)  # eq. 2
                weights.append(weight)
            laterals.append(x)
        return laterals, weights
