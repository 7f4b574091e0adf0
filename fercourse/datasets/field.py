"""What others measured around FER2013, each with its source: for tables, never for our own claims.

``field.json`` holds only what was found in the source named, or in the code published with it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple


class People(NamedTuple):
    """How often people who looked at faces gave the label they have.

    Attributes:
        accuracy: In [0, 1].
        error: Of it, as reported.
        source: Who measured it.
    """

    accuracy: float
    error: float
    source: str


def people() -> People:
    """What people reached on FER2013."""
    said = _field()["people"]
    return People(said["accuracy"], said["error"], said["source"])


def collections() -> list[dict[str, str]]:
    """Data sets beside FER2013: name, images, labels, source and link."""
    return _field()["collections"]


def networks() -> list[dict[str, Any]]:
    """Published single networks on FER2013.

    Each with its accuracy in per cent, the weights it begins with, how it was judged, source, link.
    """
    return _field()["networks"]


def left_out() -> list[dict[str, Any]]:
    """Published accuracies that are not of a single network, and why they are not."""
    return _field()["left_out"]


@cache
def _field() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("field.json").read_text(encoding="utf-8"))
