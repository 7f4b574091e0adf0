"""Reverse attention (section 2.5, eq. 3 and 4) after Chen, Tan, Wang and Hu 2018."""

from typing import NamedTuple

from torch import Tensor, nn

from fercourse.modules.blocks import conv_bn, resize_like


class Reversed(NamedTuple):
    """What one stage of reverse attention gives.

    Attributes:
        features: R_i, the features outside the region predicted so far, (N, C, h, w).
        attention: A_i in (0, 1), high where nothing was predicted yet, (N, 1, h, w).
        refined: S_i, the prediction with this stage's finding added, in logits, (N, 1, h, w).
    """

    features: Tensor
    attention: Tensor
    refined: Tensor


class ReverseAttention(nn.Module):
    """Erase what the deeper map S_(i+1) already claims from C_i, and refine S with what is left.

    Args:
        channels: C, of the block's features.
        hidden: Channels of the refining head; 64 in the original, 256 in its deepest stage.
    """

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv_bn(channels, hidden, 1),
            conv_bn(hidden, hidden, 3),
            conv_bn(hidden, hidden, 3),
            nn.Conv2d(hidden, 1, 3, padding=1),
        )

    def forward(self, features: Tensor, deeper: Tensor) -> Reversed:
        """One step from deep to shallow.

        Args:
            features: C_i, (N, C, h, w).
            deeper: S_(i+1) in logits, (N, 1, h', w'), any size; P_d for the deepest block.
        """
        predicted = resize_like(deeper, features)  # U(S_(i+1)): (N, 1, h, w)
        attention = 1 - predicted.sigmoid()  # eq. 4
        remaining = features * attention  # eq. 3, over all channels: (N, C, h, w)
        return Reversed(remaining, attention, predicted + self.residual(remaining))
