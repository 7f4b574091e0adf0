"""Where the model looks: its own maps, class activation maps, and how both are held to the truth.

>>> from fercourse import explain
>>> explain.maps(model, faces.images)["global"]            # doctest: +SKIP
>>> explain.gradcam(model, faces.images, "layercam")       # doctest: +SKIP
"""

from fercourse.explain.baselines import baselines
from fercourse.explain.faithful import curves, road
from fercourse.explain.gradcam import METHODS, gradcam
from fercourse.explain.layers import layers
from fercourse.explain.map_statistics import map_statistics
from fercourse.explain.maps import TITLES, Maps, features, maps
from fercourse.explain.measure import measure
from fercourse.explain.sanity import flips, randomise
from fercourse.explain.score import (
    bootstrap,
    energy_inside,
    pointing_game,
    precision_recall_area,
    score,
    truth,
)
from fercourse.runs.score_book import ScoreBook, ScoreRow, highest_baseline

__all__ = [
    "METHODS",
    "TITLES",
    "Maps",
    "ScoreBook",
    "ScoreRow",
    "baselines",
    "bootstrap",
    "curves",
    "energy_inside",
    "features",
    "flips",
    "gradcam",
    "highest_baseline",
    "layers",
    "map_statistics",
    "maps",
    "measure",
    "pointing_game",
    "precision_recall_area",
    "randomise",
    "road",
    "score",
    "truth",
]
