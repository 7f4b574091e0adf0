"""What a line of the ledger is, be it a measurement or a claim of the paper's."""

from __future__ import annotations

import functools
import math
import types
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from fercourse.errors import FercourseError

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the ledger: a claim of the paper's, or a measurement.

    Accuracies and recalls are fractions in [0, 1].

    Attributes:
        key: Names it: config hash and seed of a run, "0123456789ab-0"; "paper:..." of a claim.
        plan: What it belongs to: "table1", "fig6a", "fig6b", "table2", "single", ...
        dataset: "fer2013", "ckplus" or "synthetic".
        variant: What is varied, "model6" or "model6-lambda0.005".
        label: "full", "cpu" or "smoke" (measured, by how much was spent), "paper" (claimed).
    """

    key: str
    plan: str
    dataset: str
    variant: str
    label: str

    @property
    def identity(self) -> str:
        """What the ledger holds once, and a file name."""
        return self.key

    def value(self, name: str) -> Any:
        """A field, by its name; None where this kind of entry has none."""
        return getattr(self, name, None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the fields that are empty."""
        return {name: v for name, v in asdict(self).items() if v is not None and v != ""}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Inverse of :meth:`to_dict`.

        Raises:
            FercourseError: A field is unknown, missing or of the wrong type.
        """
        if not isinstance(values, dict):
            raise FercourseError(f"a row is a JSON object, not {type(values).__name__}.")
        hints = field_types(cls)
        if values.get("schema") != SCHEMA:
            raise FercourseError(
                f"schema {values.get('schema')!r} is not {SCHEMA}: written by another fercourse."
            )
        for name, value in values.items():
            if name not in hints:
                raise FercourseError(f"unknown field {name!r}.")
            if not _fits(value, hints[name]):
                raise FercourseError(f"field {name!r} cannot be {value!r:.60}.")
        needed = {f.name for f in fields(cls) if f.default is MISSING}
        if missing := needed - values.keys():
            raise FercourseError(f"field {min(missing)!r} is missing.")
        return cls(**values)

    def problems(self) -> list[str]:
        """What contradicts itself, one phrase each; empty if nothing does."""
        return [
            f"{name} {value} is not a fraction in [0, 1]"
            for name in field_types(type(self))
            if "accuracy" in name
            and (value := getattr(self, name)) is not None
            and not 0 <= value <= 1
        ]


@functools.cache
def field_types(kind: type[Entry]) -> dict[str, Any]:
    """Names of an entry's fields and what they may hold."""
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of the type a field is annotated with."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(v, arguments[0]) for v in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(v, arguments[1]) for v in value.values())
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint  # so that True is not an int
