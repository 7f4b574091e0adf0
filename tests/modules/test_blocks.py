"""Channel counts and resizing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fercourse.modules.blocks import make_divisible, resize_like

pytestmark = pytest.mark.numeric


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_resize_meets_its_partner(h, w, height, width):
    x = torch.rand(1, 2, h, w)
    assert resize_like(x, torch.empty(1, 5, height, width)).shape == (1, 2, height, width)
    assert resize_like(x, x) is x


def test_scaled_channels():
    assert [make_divisible(64, w) for w in (1, 0.375, 0.25, 0.125, 0.01)] == [64, 24, 16, 8, 8]
