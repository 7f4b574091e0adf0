"""Center, island and joint loss, one file each."""

from fercourse.losses.center import CenterLoss
from fercourse.losses.island import IslandLoss, pair_bound, pair_sum
from fercourse.losses.joint import JointLoss, LossTerms

__all__ = ["CenterLoss", "IslandLoss", "JointLoss", "LossTerms", "pair_bound", "pair_sum"]
