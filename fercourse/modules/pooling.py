"""Global poolings of a feature map: the three descriptors that GCCA compares.

Stochastic pooling follows Zeiler and Fergus 2013; the paper calls it random pooling, F_rdm.
"""

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
    row_means = _row_means(x)  # (N, H, C)
    if training:
        row, column = _draw_place(_dense(x), row_means)  # (N, 1, C) each
        location = (row * x.shape[3] + column).transpose(1, 2)  # (N, C, 1)
        return x.flatten(2).gather(2, location).squeeze(2)  # (N, C)
    squares = _row_means(x * x).mean(1)  # (N, C)
    return _expectation(squares, row_means.mean(1)).to(x.dtype)


def three_descriptors(x: Tensor, training: bool) -> Tensor:
    """Average, maximum and stochastic pooling side by side: (N, C, H, W) -> (N, C, 3)."""
    if training:
        return _Descriptors.apply(x)
    average, squares = _row_means(x).mean(1), _row_means(x * x).mean(1)  # float32 (N, C) each
    pooled = average, x.amax((2, 3)), _expectation(squares, average)
    return torch.stack([values.to(x.dtype) for values in pooled], 2)


class _Descriptors(torch.autograd.Function):
    """The three poolings with one backward pass over the map.

    The gradient is a constant (from the average) plus two single places (from the maximum and the
    draw). Written out it keeps the memory format, which autograd's own loses. A tied maximum passes
    its gradient to one place. Places are kept as addresses in memory: with those, taking and adding
    are one-dimensional, which is many times as fast on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = _dense(x)
        row_means = _row_means(x)  # (N, H, C)
        places = torch.cat(
            (_addresses(x, *_largest_place(x)), _addresses(x, *_draw_place(x, row_means))), 1
        )  # (N, 2, C)
        ctx.save_for_backward(places)
        ctx.shape, ctx.contiguous = x.shape, x.is_contiguous()
        average = row_means.mean(1, keepdim=True).to(x.dtype)  # (N, 1, C)
        return torch.cat((average, _take(x, places)), 1).transpose(1, 2)  # (N, C, 3)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (places,) = ctx.saved_tensors
        height, width = ctx.shape[2:]
        layout = torch.contiguous_format if ctx.contiguous else torch.channels_last
        everywhere = gradient[:, :, :1, None] / (height * width)  # (N, C, 1, 1)
        result = everywhere.expand(ctx.shape).clone(memory_format=layout)  # (N, C, H, W)
        of_places = gradient[:, :, 1:].transpose(1, 2)  # (N, 2, C)
        _in_memory(result).index_add_(0, places.flatten(), of_places.flatten())
        return result


def _expectation(squares: Tensor, average: Tensor) -> Tensor:
    """``sum(a^2) / sum(a)`` from the two means; 0 for a channel that is zero everywhere."""
    return squares / average.clamp_min(torch.finfo(torch.float32).tiny)


def _row_means(x: Tensor) -> Tensor:
    """(N, C, H, W) -> float32 (N, H, C); a pooling kernel, which beats a reduction here."""
    return F.avg_pool2d(x, (1, x.shape[3])).squeeze(3).transpose(1, 2).float()


def _largest_place(x: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of each channel's maximum, (N, 1, C) each.

    By two pooling kernels, each of which tells where it found it: far quicker than an argmax.
    """
    height, width = x.shape[2:]
    of_rows, places = F.max_pool2d(x, (1, width), return_indices=True)  # (N, C, H, 1) each
    _, row = F.max_pool2d(of_rows, (height, 1), return_indices=True)  # (N, C, 1, 1)
    place = places.gather(2, row)[..., 0].transpose(1, 2)  # (N, 1, C), row x width + column
    return row[..., 0].transpose(1, 2), place % width


@torch.no_grad()
def _draw_place(x: Tensor, row_means: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column drawn for each channel with probability ``a / sum(a)``, (N, 1, C) each.

    First a row in proportion to its mean (N, H, C), then a column within it: the same distribution
    as one draw over the map, without a cumulative sum over all of it.
    """
    row = _draw(row_means)  # (N, 1, C)
    columns = torch.arange(x.shape[3], device=x.device).view(1, -1, 1)  # (1, W, 1)
    return row, _draw(_take(x, _addresses(x, row, columns)).float())


def _draw(weights: Tensor) -> Tensor:
    """One index a channel, with probability in proportion to weights (N, L, C): (N, 1, C)."""
    cumulative = weights.cumsum(1)
    threshold = torch.rand_like(cumulative[:, :1]) * cumulative[:, -1:]
    return (cumulative <= threshold).sum(1, keepdim=True).clamp_max(weights.shape[1] - 1)


def _dense(x: Tensor) -> Tensor:
    """The map with its values side by side in memory; as it is where it has them so."""
    layout = torch.contiguous_format if x.is_contiguous() else torch.channels_last
    return x.contiguous(memory_format=layout)


def _in_memory(x: Tensor) -> Tensor:
    """A dense map's values in the order of memory: (N C H W)."""
    return x.as_strided((x.numel(),), (1,))


def _addresses(x: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Where places lie in :func:`_in_memory`.

    Args:
        x: A dense map (N, C, H, W), in any memory format.
        row: Of each place, (N, L, C) or what broadcasts to it.
        column: Likewise.

    Returns:
        int64 (N, L, C).
    """
    n, c = x.shape[:2]
    image = torch.arange(n, device=x.device).view(n, 1, 1) * x.stride(0)
    channel = torch.arange(c, device=x.device) * x.stride(1)
    return image + channel + row * x.stride(2) + column * x.stride(3)


def _take(x: Tensor, addresses: Tensor) -> Tensor:
    """The values at addresses of any shape."""
    return _in_memory(x).index_select(0, addresses.flatten()).view(addresses.shape)
