"""Stochastic pooling over a whole feature map (Zeiler and Fergus 2013): the paper's F_rdm."""

import torch
from torch import Tensor


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
    if not training:
        total = x.sum((2, 3), dtype=torch.float32)  # (N, C)
        squares = x.float().square().sum((2, 3))  # (N, C)
        return (squares / total.clamp_min(torch.finfo(torch.float32).tiny)).to(x.dtype)

    # First a row by the row sums, then a column within it: the same distribution as one draw
    # over all H * W locations, without a cumulative sum over the whole map.
    n, c, _, width = x.shape
    with torch.no_grad():
        row = _draw(x.sum(3, dtype=torch.float32))  # (N, C)
        values = x.gather(2, row.view(n, c, 1, 1).expand(n, c, 1, width))  # (N, C, 1, W)
        column = _draw(values.squeeze(2).float())  # (N, C)
    location = (row * width + column).unsqueeze(2)  # (N, C, 1)
    return x.flatten(2).gather(2, location).squeeze(2)  # (N, C)


def _draw(weights: Tensor) -> Tensor:
    """One index per channel with probability proportional to ``weights`` (N, C, L) -> (N, C)."""
    cumulative = weights.cumsum(2)
    threshold = torch.rand_like(cumulative[..., :1]) * cumulative[..., -1:]
    return (cumulative <= threshold).sum(2).clamp_max(weights.shape[2] - 1)
