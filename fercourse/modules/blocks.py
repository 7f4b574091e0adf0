"""The bricks every part is laid with: a normalised convolution, resizing to a partner, pooling."""

from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn(
    inputs: int, outputs: int, kernel: int, relu: bool = True, stride: int = 1
) -> nn.Sequential:
    """Convolution of the same size (over ``stride``), batch norm, a ReLU unless told otherwise."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


def start_kernels(network: nn.Module, dirac: bool = False) -> None:
    """Draw the 3x3 kernels as He et al. (2015) do for ReLUs, by the number of outputs.

    ``dirac`` makes the first kernels, one an input, pass it on as it is: what reaches a layer then
    is not a random mixture of what came in (Zagoruyko and Komodakis, *DiracNets*, 2017).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if dirac:
                nn.init.dirac_(module.weight.data[: module.in_channels])


def resize_like(x: Tensor, partner: Tensor) -> Tensor:
    """Bilinear resize of (N, C, h, w) to the partner's H and W.

    Targeting the partner, rather than a factor of two, keeps odd input sizes working.
    """
    if x.shape[2:] == partner.shape[2:]:
        return x
    return F.interpolate(x, size=partner.shape[2:], mode="bilinear", align_corners=False)


def global_avg_pool(x: Tensor) -> Tensor:
    """Global average pooling, (N, C, H, W) -> (N, C).

    A pooling kernel keeps the gradient in the map's own memory format; ``x.mean((2, 3))`` would
    not, and every addition to it would then be slow.
    """
    return F.avg_pool2d(x, x.shape[2:]).flatten(1)


def make_divisible(channels: int, width: float) -> int:
    """A channel count times the width multiplier, to a multiple of 8 and at least 8."""
    return max(8, 8 * round(channels * width / 8))
