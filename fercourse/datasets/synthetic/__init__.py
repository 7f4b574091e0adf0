"""Built-in faces, drawn from facial action units."""

from fercourse.datasets.synthetic.dataset import dataset
from fercourse.datasets.synthetic.units import UNIT_NAMES, UNITS

__all__ = ["UNITS", "UNIT_NAMES", "dataset"]
