"""What GCCA and its relatives share: channel weights, and what they do to the map."""

from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """A module that can stand behind a block of the backbone.

    A kind of it defines :meth:`attention`; one that does not follow the paper's eq. 2 defines
    :meth:`gain` too.
    """

    def attention(self, x: Tensor) -> Tensor:
        """The channel weights in (0, 1): (N, C, H, W) -> (N, C, 1, 1)."""
        raise NotImplementedError

    def gain(self, weight: Tensor) -> Tensor:
        """What a channel of weight M is multiplied with: ``1 + M``, eq. 2 with F factored out."""
        return 1 + weight

    def reweight(self, x: Tensor, weight: Tensor) -> Tensor:
        """The map F', in one pass: (N, C, H, W) and M (N, C, 1, 1) -> (N, C, H, W)."""
        return x * self.gain(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Weights, applied: (N, C, H, W) in and out."""
        return self.reweight(x, self.attention(x))


class Multiplied(ChannelAttention):
    """One whose weights multiply the map and nothing is added, as in SE, CBAM and ECA."""

    def gain(self, weight: Tensor) -> Tensor:
        """The weight itself: ``F' = M * F``."""
        return weight


def squeezed(channels: int, reduction: int) -> int:
    """Channels of a bottleneck: C / reduction, and never below the 4 that C = 64 gives.

    So one dead unit cannot silence a narrow block.
    """
    return max(4, channels // reduction)
