"""In the spirit of Liu et al. [15]: the whole face, the eyes and the mouth, seen by one trunk."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.config import ModelConfig
from fercourse.models.recogniser import Output, Recogniser
from fercourse.modules.blocks import conv_bn, global_avg_pool, make_divisible, start_kernels

PLAN = ((64,), (128, 128), (256, 256), (512, 512, 512), (512, 512, 512))
"""Channels at width 1: VGG16's without three of its early convolutions, so that three views cost
little more than model 1's one."""

STRIPS = {"eyes": 1 / 8, "mouth": 1 / 2}
"""From which share of a face's height; each is half as high as the face. FER2013's faces, CK+48's
and the drawn ones are framed alike."""


class MultiChannel(Recogniser):
    """One trunk for three channels, whose vectors make one embedding.

    Its plan adds ``loss.triplet_weight``, which pulls embeddings of one expression together
    (:func:`fercourse.losses.triplet_loss`).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        blocks, previous = [], config.in_channels
        for block in PLAN:
            convolutions = []
            for channels in block:
                convolutions.append(conv_bn(previous, make_divisible(channels, config.width), 3))
                previous = make_divisible(channels, config.width)
            blocks.append(nn.Sequential(*convolutions))
        self.trunk = nn.ModuleList(blocks)
        start_kernels(self.trunk)
        self.add_head((1 + len(STRIPS)) * previous)

    def forward(self, x: Tensor) -> Output:
        """As :meth:`Recogniser.forward`."""
        self.check(x)
        height = x.shape[2]
        strips = [x.narrow(2, int(top * height), height // 2) for top in STRIPS.values()]
        whole = self._describe(x)  # (N, C)
        # The strips are of one height: the trunk sees them as one batch.
        eyes, mouth = self._describe(torch.cat(strips)).unflatten(0, (2, -1))  # 2 of (N, C)
        return self.answer(torch.cat([whole, eyes, mouth], 1))

    def layers(self) -> dict[str, nn.Module]:
        """``block1`` to ``block5`` of the trunk; class activation maps are of the whole face."""
        return {f"block{i}": block for i, block in enumerate(self.trunk, start=1)}

    def _describe(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, C)."""
        for i, block in enumerate(self.trunk):
            x = block(x if i == 0 else F.max_pool2d(x, 2))  # (N, C_i, H / 2^i, W / 2^i)
        return global_avg_pool(x)
