"""Center, island, triplet and joint loss, class balance, and the supervision of maps."""

from fercourse.losses.balanced import balanced_focal, class_weights
from fercourse.losses.center import CenterLoss
from fercourse.losses.island import IslandLoss, pair_bound, pair_sum
from fercourse.losses.joint import JointLoss, LossTerms
from fercourse.losses.regions import IGNORED, map_loss, region_loss
from fercourse.losses.triplet import triplet_loss

__all__ = [
    "IGNORED",
    "CenterLoss",
    "IslandLoss",
    "JointLoss",
    "LossTerms",
    "balanced_focal",
    "class_weights",
    "map_loss",
    "pair_bound",
    "pair_sum",
    "region_loss",
    "triplet_loss",
]
