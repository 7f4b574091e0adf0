"""How far apart two correct results of torch's kernels may lie, and why.

Another processor adds the terms of a sum in another order (4, 8 or 16 at a time), multiplies and
adds in one rounding or in two, and has its own exp, log and cos. So has the same processor for
another shape, layout or size of batch: torch and oneDNN choose their kernels by it. Equality to the
bit is asked only where a process repeats an operation on the same shapes, or where nothing is
computed: copies, flips, files, whole numbers, sums of a few small ones.

Each is given as ``torch.testing.assert_close(a, b, **SUM)`` or ``a == about(b, **SUM)``.
"""

import pytest

STEP = {"rtol": 1e-6, "atol": 1e-6}
"""One or two operations a value: the last bits of float32, whose step is 1.2e-7."""

SUM = {"rtol": 1e-5, "atol": 1e-5}
"""A sum of up to a few thousand products of order one, or a few such in a row: each of n terms
rounds, and the roundings, 6e-8 each, add up like sqrt(n) of them."""

NETWORK = {"rtol": 1e-3, "atol": 1e-4}
"""Some twenty layers, each of which rounds what the one before it rounded; batch norms, roots and
quotients of small numbers stretch it."""

TRAINED = {"rtol": 1e-3, "atol": 0}
"""A loss after a few steps of training, where every step starts from the last one's rounding."""

DOUBLE = {"rtol": 1e-9, "atol": 1e-9}
"""Sums in float64 of numbers that float32 holds exactly."""

HALF = {"rtol": 1e-3, "atol": 1e-3}
"""Through float16 and back: 11 bits, 5e-4 of the value."""

GREY = 1
"""Grey levels: a pixel is rounded once, and one that straddles a half falls to either side."""

BOX = 0.1
"""Pixels: MTCNN's last network gives a box in shares of its window, of up to some hundred pixels,
after thirty layers; a batch of another size takes other kernels."""


def about(expected, rtol: float, atol: float):
    """``pytest.approx`` with a tolerance of this file."""
    return pytest.approx(expected, rel=rtol, abs=atol)
