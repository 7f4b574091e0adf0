"""Reverse attention against eq. 3 and 4, written here."""

import pytest
import torch
from tolerances import STEP, SUM
from torch import nn

from fercourse.modules import ReverseAttention

pytestmark = pytest.mark.numeric


def test_reverse_attention_follows_equations_3_and_4():
    torch.manual_seed(0)
    stage = ReverseAttention(12, hidden=8).eval()
    c, deeper = torch.rand(2, 12, 6, 6), torch.randn(2, 1, 3, 3)
    with torch.no_grad():
        features, attention, refined = stage(c, deeper)
        up = nn.functional.interpolate(deeper, size=(6, 6), mode="bilinear")
        torch.testing.assert_close(attention, 1 - 1 / (1 + torch.exp(-up)), **STEP)
        torch.testing.assert_close(features, c * attention, **STEP)
        torch.testing.assert_close(refined, up + stage.residual(features), **SUM)


def test_reverse_attention_erases_what_is_claimed_already():
    stage = ReverseAttention(4).eval()
    claimed = torch.full((1, 1, 4, 4), -30.0)
    claimed[..., :2] = 30.0  # the left half is certain
    features, attention, _ = stage(torch.ones(1, 4, 4, 4), claimed)
    assert attention[..., :2].max() < 1e-6
    assert features[..., 2:].min() > 1 - 1e-6
