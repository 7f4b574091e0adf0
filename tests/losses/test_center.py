"""The centre loss against a loop over images."""

import math

import pytest
import torch
from tolerances import SUM, about

from fercourse.losses import CenterLoss

pytestmark = pytest.mark.numeric


K, D = 7, 5


def _batch(n=12, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, D, generator=g), torch.randint(0, K, (n,), generator=g)


def test_center_loss_is_half_the_mean_squared_distance():
    x, y = _batch()
    loss = CenterLoss(K, D).eval()
    c = loss.centers.tolist()
    wanted = sum(math.dist(v, c[k]) ** 2 for v, k in zip(x.tolist(), y.tolist(), strict=True))
    assert loss(x, y).item() == about(wanted / 2 / len(x), **SUM)
