"""Center, island, triplet and joint loss, and the supervision of maps, one file each."""

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
    "map_loss",
    "pair_bound",
    "pair_sum",
    "region_loss",
    "triplet_loss",
]
