"""What configs ask of their fields."""

from __future__ import annotations

import math
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from fercourse.errors import FercourseError


def require(holds: bool, otherwise: str) -> None:
    """Raise FercourseError with this sentence unless it holds."""
    if not holds:
        raise FercourseError(otherwise)


_TYPES = {
    "bool": (bool, "true or false"),
    "int": (Integral, "a whole number"),
    "float": (Real, "a number"),
    "str": (str, "a word"),
}


def check_types(config: Any) -> None:
    """Each value is of its field's type: the word "False" would count as true."""
    for f in fields(config):
        if f.type in _TYPES:
            kind, called = _TYPES[f.type]
            value = getattr(config, f.name)
            fits = isinstance(value, kind) and isinstance(value, bool) == (f.type == "bool")
            fits = fits and (f.type != "float" or math.isfinite(value))
            require(fits, f"{f.name} must be {called}, not {value!r}.")
