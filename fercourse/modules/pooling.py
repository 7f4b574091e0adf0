"""Global poolings of a feature map: the three descriptors that GCCA compares.

Stochastic pooling follows Zeiler and Fergus 2013; the paper calls it random pooling, F_rdm.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def stochastic_pool(x: Tensor, training: bool) -> Tensor:
    """Pool each channel to one value, at random in training and by expectation otherwise.

    In training the value at location l is taken with probability ``p_l = a_l / sum(a)``
    (their eq. 1, 2); in evaluation the result is the mean under those probabilities,
    ``sum(p_l a_l) = sum(a^2) / sum(a)`` (their eq. 3). A channel that is zero everywhere gives 0.

    Args:
        x: Non-negative activations (N, C, H, W), as a ReLU leaves them.
        training: Draw (True) or take the expectation (False).

    Returns:
        (N, C), of the dtype of ``x``.
    """
    if training:
        location = _draw_location(x, _row_means(x))  # (N, C)
        return x.flatten(2).gather(2, location.unsqueeze(2)).squeeze(2)  # (N, C)
    total = x.sum((2, 3), dtype=torch.float32)  # (N, C)
    squares = x.float().square().sum((2, 3))  # (N, C)
    return (squares / total.clamp_min(torch.finfo(torch.float32).tiny)).to(x.dtype)


def three_descriptors(x: Tensor, training: bool) -> Tensor:
    """Average, maximum and stochastic pooling side by side: (N, C, H, W) -> (N, C, 3)."""
    if training:
        return _Descriptors.apply(x)
    average, maximum = x.mean((2, 3)), x.amax((2, 3))  # (N, C) each
    return torch.stack((average, maximum, stochastic_pool(x, training=False)), 2)


class _Descriptors(torch.autograd.Function):
    """The three poolings with one backward pass over the map.

    The gradient is a constant (from the average) plus two single locations (from the maximum
    and the draw). Written out it keeps the memory format, which autograd's own loses. A tied
    maximum passes its gradient to one location.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        row_means = _row_means(x)  # (N, C, H)
        row_maxima = F.max_pool2d(x, (1, x.shape[3])).squeeze(3)  # (N, C, H)
        largest = _at_row(x, row_maxima.argmax(2), lambda values: values.argmax(2))  # (N, C)
        locations = torch.stack((largest, _draw_location(x, row_means)), 2)  # (N, C, 2)
        ctx.save_for_backward(locations)
        ctx.shape, ctx.contiguous = x.shape, x.is_contiguous()
        average = row_means.mean(2, keepdim=True).to(x.dtype)  # (N, C, 1)
        return torch.cat((average, x.flatten(2).gather(2, locations)), 2)  # (N, C, 3)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (locations,) = ctx.saved_tensors
        n, c, height, width = ctx.shape
        layout = torch.contiguous_format if ctx.contiguous else torch.channels_last
        everywhere = gradient[:, :, :1, None] / (height * width)  # (N, C, 1, 1)
        result = everywhere.expand(ctx.shape).clone(memory_format=layout)  # (N, C, H, W)
        if result.is_cuda:
            return scatter(result, locations, gradient[:, :, 1:])
        image = torch.arange(n, device=result.device).view(n, 1, 1)
        channel = torch.arange(c, device=result.device).view(1, c, 1)
        at = image, channel, locations // width, locations % width
        return result.index_put_(at, gradient[:, :, 1:], accumulate=True)


def scatter(maps: Tensor, locations: Tensor, values: Tensor) -> Tensor:
    """Add values (N, C, L) to maps (N, C, H, W) at flat locations (N, C, L), in place.

    What ``index_put_`` does, which on a GPU sorts its indices and copies a channels_last map there
    and back; on a CPU in bf16 it is the quicker one.
    """
    n, c = maps.shape[:2]
    if maps.is_contiguous():
        maps.view(n, c, -1).scatter_add_(2, locations, values)
    else:  # (N, H W, C) is how channels_last lies in memory
        flat = maps.permute(0, 2, 3, 1).view(n, -1, c)
        flat.scatter_add_(1, locations.transpose(1, 2), values.transpose(1, 2))
    return maps


def _row_means(x: Tensor) -> Tensor:
    """(N, C, H, W) -> float32 (N, C, H); a pooling kernel, which beats a reduction here."""
    return F.avg_pool2d(x, (1, x.shape[3])).squeeze(3).float()


@torch.no_grad()
def _draw_location(x: Tensor, row_means: Tensor) -> Tensor:
    """One of the H * W locations a channel with probability ``a / sum(a)``: (N, C).

    First a row in proportion to its mean (N, C, H), then a column within it: the same
    distribution as one draw over the map, without a cumulative sum over all of it.
    """
    return _at_row(x, _draw(row_means), lambda values: _draw(values.float()))


def _at_row(x: Tensor, row: Tensor, choose: Callable[[Tensor], Tensor]) -> Tensor:
    """Flat index of the column that ``choose`` picks in the given row of each channel: (N, C)."""
    n, c, _, width = x.shape
    values = x.gather(2, row.view(n, c, 1, 1).expand(n, c, 1, width)).squeeze(2)  # (N, C, W)
    return row * width + choose(values)


def _draw(weights: Tensor) -> Tensor:
    """One index a channel with probability proportional to ``weights``: (N, C, L) -> (N, C)."""
    if weights.is_cuda:  # whose scan along the last dimension takes several times as long
        cumulative = weights.transpose(1, 2).contiguous().cumsum(1).transpose(1, 2)
    else:
        cumulative = weights.cumsum(2)
    threshold = torch.rand_like(cumulative[..., :1]) * cumulative[..., -1:]
    return (cumulative <= threshold).sum(2).clamp_max(weights.shape[2] - 1)
