"""GCCA's relatives as their authors publish them, for the same place: SE, CBAM and ECA."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse.modules.blocks import global_avg_pool
from fercourse.modules.channel_attention import Multiplied, squeezed


class SE(Multiplied):
    """Squeeze and excitation: the channels' averages through a bottleneck (Hu et al., 2018).

    Args:
        channels: C.
        reduction: Of the bottleneck, which is never narrower than GCCA's.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        narrow = squeezed(channels, reduction)
        self.squeeze = nn.Conv2d(channels, narrow, 1)
        self.excite = nn.Conv2d(narrow, channels, 1)

    def attention(self, x: Tensor) -> Tensor:
        """``sigmoid(W_2 relu(W_1 avg))``: (N, C, H, W) -> (N, C, 1, 1)."""
        return self.mlp(F.avg_pool2d(x, x.shape[2:])).sigmoid()

    def mlp(self, pooled: Tensor) -> Tensor:
        """The bottleneck, before the sigmoid: (N, C, 1, 1) in and out."""
        return self.excite(self.squeeze(pooled).relu())


class CBAM(SE):
    """SE with the maximum beside the average, and spatial attention behind it (Woo et al., 2018).

    Args:
        channels: C.
        reduction: Of the bottleneck, which is never narrower than GCCA's.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__(channels, reduction)
        self.locate = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def attention(self, x: Tensor) -> Tensor:
        """The channel half, ``sigmoid(MLP(avg) + MLP(max))``: (N, C, H, W) -> (N, C, 1, 1)."""
        average, maximum = (pool(x, x.shape[2:]) for pool in (F.avg_pool2d, F.max_pool2d))
        return (self.mlp(average) + self.mlp(maximum)).sigmoid()

    def spatial(self, x: Tensor) -> Tensor:
        """The spatial half: one weight in (0, 1) for every place, (N, C, H, W) -> (N, 1, H, W).

        A 7x7 convolution over the mean and the maximum of the channels.
        """
        return self.locate(torch.cat((x.mean(1, True), x.amax(1, True)), 1)).sigmoid()

    def reweight(self, x: Tensor, weight: Tensor) -> Tensor:
        """Both halves, the channels' first: (N, C, H, W) and (N, C, 1, 1) -> (N, C, H, W)."""
        x = super().reweight(x, weight)
        return x * self.spatial(x)


class ECA(Multiplied):
    """A convolution over the row of the channels' averages, no bottleneck (Wang et al., 2020).

    Args:
        channels: C; the kernel spans ``|log2(C) / 2 + 1 / 2|`` of them, the next odd number.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        size = int(abs(math.log2(channels) + 1) / 2)
        size += 1 - size % 2
        self.along = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def attention(self, x: Tensor) -> Tensor:
        """Weights from each channel's neighbours: (N, C, H, W) -> (N, C, 1, 1)."""
        row = global_avg_pool(x)[:, None]  # (N, 1, C)
        return self.along(row)[:, 0, :, None, None].sigmoid()
