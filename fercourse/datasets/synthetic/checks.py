"""Every argument of the painter, checked in one place."""

import torch

from fercourse.datasets.synthetic.units import UNITS
from fercourse.errors import FercourseError


def number(name: str, value: object, low: int, high: int = 2**31 - 1) -> int:
    """``value`` as an int in [low, high]."""
    try:
        whole = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != value or isinstance(value, bool | str):
        raise FercourseError(f"{name} must be a whole number, not {value!r}.")
    if not low <= whole <= high:
        raise FercourseError(f"{name} must be from {low} to {high}, not {whole}.")
    return whole


def share(name: str, value: object) -> float:
    """``value`` as a float in [0, 1]."""
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        result = float("nan")
    if not 0 <= result <= 1 or isinstance(value, bool | str):
        raise FercourseError(f"{name} must be a number from 0 to 1, not {value!r}.")
    return result


def device(value: object) -> torch.device:
    """A device torch can draw on."""
    try:
        torch.zeros(1, dtype=torch.float64, device=value)  # type: ignore[arg-type]
    except Exception as error:  # each backend raises its own kind
        raise FercourseError(f"Nothing can be drawn on device {value!r} here.") from error
    return torch.device(value)  # type: ignore[arg-type]


def intensity(unit: object, value: object) -> tuple[float, float]:
    """The two sides of an action unit, from one number for both or a pair."""
    if unit not in UNITS:
        raise FercourseError(
            f"{unit!r} is not an action unit drawn here; use one of {', '.join(map(str, UNITS))}."
        )
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise FercourseError(
                f"AU{unit} needs one intensity or a pair (left, right), not {len(value)} values."
            )
        return share(f"AU{unit}", value[0]), share(f"AU{unit}", value[1])
    both = share(f"AU{unit}", value)
    return both, both
