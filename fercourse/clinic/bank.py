"""The clinic's recorded patients: every illness three times, and the reference."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

from fercourse.clinic.cases import VARIANTS, case
from fercourse.clinic.examine import Chart, admit
from fercourse.clinic.illnesses import ILLNESSES
from fercourse.errors import FercourseError
from fercourse.files import atomic_write

RECORDS = Path(__file__).parents[1] / "course" / "records" / "clinic"
REFERENCE = VARIANTS
"""The healthy variant that no ward has, which every figure is compared with."""


def bank() -> list[tuple[str, int]]:
    """All that is recorded: illness and variant, those of the same faces together."""
    sick = [(illness, k) for k in range(VARIANTS) for illness in ILLNESSES]
    return [*sick, ("healthy", REFERENCE)]


def record(illness: str, variant: int) -> Chart:
    """Make a patient and keep its chart; ``python -m fercourse.clinic`` makes all of them."""
    chart = admit(case(illness, variant))
    RECORDS.mkdir(parents=True, exist_ok=True)
    with atomic_write(_path(illness, variant)) as part:
        text = json.dumps(asdict(chart), separators=(",", ":"))
        part.write_text(text + "\n", encoding="utf-8")
    return chart


@cache
def recorded(illness: str, variant: int = REFERENCE) -> Chart:
    """A recorded chart.

    Args:
        illness: Of :data:`fercourse.clinic.ILLNESSES`.
        variant: 0 to 2; of "healthy" also 3, the reference.

    Raises:
        FercourseError: There is no such patient.
    """
    path = _path(illness, variant)
    if not path.is_file():
        raise FercourseError(
            f"The clinic has no chart of {illness!r}, variant {variant}: "
            "record it with python -m fercourse.clinic."
        )
    values = json.loads(path.read_text(encoding="utf-8"))
    return Chart(**(values | {"twice": tuple(values["twice"])}))


def _path(illness: str, variant: int) -> Path:
    return RECORDS / f"{illness.replace(' ', '-')}-{variant}.json"
