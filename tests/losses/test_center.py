"""The centre loss against a loop over images."""

import math

import pytest
from made_batches import D, K, made_batch
from tolerances import SUM, about

from fercourse.losses import CenterLoss

pytestmark = pytest.mark.numeric


def test_center_loss_is_half_the_mean_squared_distance():
    x, y = made_batch()
    loss = CenterLoss(K, D).eval()
    c = loss.centers.tolist()
    wanted = sum(math.dist(v, c[k]) ** 2 for v, k in zip(x.tolist(), y.tolist(), strict=True))
    assert loss(x, y).item() == about(wanted / 2 / len(x), **SUM)
