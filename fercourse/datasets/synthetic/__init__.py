"""Built-in faces, drawn from facial action units, with the truth about where each unit acts."""

from fercourse.datasets.synthetic.dataset import dataset
from fercourse.datasets.synthetic.draw import Face, draw
from fercourse.datasets.synthetic.drawing import LEVEL, Drawing
from fercourse.datasets.synthetic.montage import montage
from fercourse.datasets.synthetic.render import Rendered, render
from fercourse.datasets.synthetic.scene import Scene, scene
from fercourse.datasets.synthetic.units import PROTOTYPES, UNIT_NAMES, UNITS

__all__ = [
    "LEVEL",
    "PROTOTYPES",
    "UNITS",
    "UNIT_NAMES",
    "Drawing",
    "Face",
    "Rendered",
    "Scene",
    "dataset",
    "draw",
    "montage",
    "render",
    "scene",
]
