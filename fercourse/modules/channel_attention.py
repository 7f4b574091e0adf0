"""What GCCA and its relatives share: channel weights, and what they do to the map."""

from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """A module that can stand behind a block of the backbone.

    A kind of it defines :meth:`attention`; one that does not follow the paper's eq. 2 defines
    :meth:`reweight` too.
    """

    def attention(self, x: Tensor) -> Tensor:
        """The channel weights in (0, 1): (N, C, H, W) -> (N, C, 1, 1)."""
        raise NotImplementedError

    def reweight(self, x: Tensor, weight: Tensor) -> Tensor:
        """Eq. 2 with x factored out, one pass over the map: ``F' = (1 + M) * F``.

        Args:
            x: F, (N, C, H, W).
            weight: M, (N, C, 1, 1).
        """
        return x * (1 + weight)

    def forward(self, x: Tensor) -> Tensor:
        """Weights, applied: (N, C, H, W) in and out."""
        return self.reweight(x, self.attention(x))


class Multiplied(ChannelAttention):
    """One whose weights multiply the map and nothing is added, as in SE, CBAM and ECA."""

    def reweight(self, x: Tensor, weight: Tensor) -> Tensor:
        """``F' = M * F``: (N, C, H, W) and (N, C, 1, 1) -> (N, C, H, W)."""
        return x * weight


def squeezed(channels: int, reduction: int) -> int:
    """Channels of a bottleneck: C / reduction, and never below the 4 that C = 64 gives.

    So one dead unit cannot silence a narrow block.
    """
    return max(4, channels // reduction)
