"""Sick training runs, and the ward they lie in.

``ward("your name")`` draws five patients; ``python -m fercourse.clinic`` records all there are.
"""

from fercourse.clinic.bank import recorded
from fercourse.clinic.cases import faces, fast, forgotten, recipe
from fercourse.clinic.examine import in_training_mode
from fercourse.clinic.figures import whole
from fercourse.clinic.findings import PRICES
from fercourse.clinic.illnesses import ILLNESSES
from fercourse.clinic.ward import Patient, Ward, ward

__all__ = [
    "ILLNESSES",
    "PRICES",
    "Patient",
    "Ward",
    "faces",
    "fast",
    "forgotten",
    "in_training_mode",
    "recipe",
    "recorded",
    "ward",
    "whole",
]
