"""Random numbers that belong to a face, not to a batch.

Each number is a hash of (seed, stream, index, column), so face 17 is the same face alone, in a
batch of 8 or in a batch of 1000, on a CPU or a GPU.
"""

import math
import zlib

import torch
from torch import Tensor

_LOW = 0xFFFFFFFF


def uniform(seed: int, stream: str, index: Tensor, count: int) -> Tensor:
    """``count`` numbers in (0, 1) for each index: float64 (N, count).

    Args:
        seed: Non-negative.
        stream: What the numbers are for; two streams are independent.
        index: int64 (N,), the faces' numbers.
        count: How many a face.
    """
    start = _mix(torch.tensor(seed, device=index.device)) ^ zlib.crc32(stream.encode())
    column = torch.arange(count, device=index.device)
    bits = _mix(_mix(_mix(start) + index)[:, None] + column)  # (N, count)
    return (((bits >> 8).float() + 0.5) / 2**24).double()


def normal(seed: int, stream: str, index: Tensor, count: int) -> Tensor:
    """Standard normal numbers, by Box and Muller: float64 (N, count)."""
    u = uniform(seed, stream, index, 2 * count)
    return (-2 * u[:, :count].log()).sqrt() * (2 * math.pi * u[:, count:]).cos()


def _mix(x: Tensor) -> Tensor:
    """A 32-bit integer hash with low bias (C. Wellons, "Prospecting for hash functions", 2018)."""
    x = x & _LOW
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _LOW
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _LOW
    return x ^ (x >> 16)
