"""Grouped-convolution channel attention, GCCA (section 2.3, eq. 1 and 2, fig. 3)."""

import torch
from torch import Tensor, nn

from fercourse.modules.channel_attention import ChannelAttention, squeezed
from fercourse.modules.pooling import three_descriptors


class GCCA(ChannelAttention):
    """Reweight channels by three global poolings, fused per channel by a grouped convolution.

    Shapes below: N images, C channels, a squeeze to c = C / reduction.

    Args:
        channels: C.
        reduction: The paper's 16; the squeeze never goes below 4 channels.
        norm: Batch norm behind W_1, not in the paper. Descriptors are never negative, so a unit of
            the squeeze has nearly the same sign for every face: many are silent from the start,
            and where all are, M is a constant. Normalised, each answers to some faces and not to
            others. Training then needs batches of at least two.
        descriptor_norm: Another mend of the same fault: the descriptors themselves are normalised
            over the batch before G, so that each says how far this face is from the average one.
        zero_sum: A third one, at the start only: G begins as the mean of the three descriptors, and
            every row of W_1 sums to 0, so that what all channels share cancels.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        norm: bool = False,
        descriptor_norm: bool = False,
        zero_sum: bool = False,
    ) -> None:
        super().__init__()
        narrow = squeezed(channels, reduction)
        self.normalise = nn.Identity()
        if descriptor_norm:
            self.normalise = nn.BatchNorm2d(3 * channels, affine=False)
        self.group = ThreeToOne(channels)  # G: 4 numbers a channel
        self.squeeze = nn.Conv2d(channels, narrow, 1)  # W_1
        if zero_sum:
            _start_at_zero_sum(self.group, self.squeeze)
        if norm:
            self.squeeze = nn.Sequential(self.squeeze, nn.BatchNorm2d(narrow))
        self.excite = nn.Conv2d(narrow, channels, 1)  # W_2

    def descriptors(self, x: Tensor) -> Tensor:
        """Average, maximum and stochastic pooling side by side: (N, C, H, W) -> (N, C, 3)."""
        return three_descriptors(x, self.training)

    def attention(self, x: Tensor) -> Tensor:
        """Eq. 1, the channel weights M_c(F) in (0, 1): (N, C, H, W) -> (N, C, 1, 1)."""
        compared = self.normalise(self.descriptors(x).flatten(1)[..., None, None])  # (N, 3C, 1, 1)
        fused = self.group(compared)  # (N, C, 1, 1)
        return self.excite(self.squeeze(fused.relu()).relu()).sigmoid()


class ThreeToOne(nn.Conv2d):
    """G: a 1x1 convolution in groups of the three descriptors of a channel.

    At a single place it is a weighted sum, and computed as one: a CPU's kernels for convolutions
    are made for maps, and slow at it.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(3 * channels, channels, 1, groups=channels)

    def forward(self, descriptors: Tensor) -> Tensor:
        """(N, 3C, 1, 1) -> (N, C, 1, 1)."""
        of_channels = descriptors.flatten(1).unflatten(1, (-1, 3))  # (N, C, 3)
        fused = torch.einsum("ncd,cd->nc", of_channels, self.weight.flatten(1))  # (N, C)
        return (fused if self.bias is None else fused + self.bias)[..., None, None]


@torch.no_grad()
def _start_at_zero_sum(group: nn.Conv2d, squeeze: nn.Conv2d) -> None:
    group.weight.fill_(1 / 3)
    squeeze.weight -= squeeze.weight.mean(1, keepdim=True)
    for layer in (group, squeeze):
        if layer.bias is not None:
            layer.bias.zero_()
