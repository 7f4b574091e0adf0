"""The edge branch: low-level features of block 2 through one 1x1 convolution (section 2.1)."""

from torch import Tensor, nn

from fercourse.modules.blocks import conv_bn


class EdgeBranch(nn.Module):
    """C2 -> edge features of the same size: (N, C, H, W) -> (N, outputs, H, W), non-negative.

    The paper says "a convolutional layer with a single kernel" and no more; we read a 1x1 kernel.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv_bn(channels, outputs, 1)

    def forward(self, c2: Tensor) -> Tensor:
        """Edge features, (N, outputs, H, W)."""
        return self.conv(c2)
