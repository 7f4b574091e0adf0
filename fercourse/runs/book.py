"""Records beside the ledger: a file of JSON lines, one a record, each held once."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from fercourse.errors import FercourseError
from fercourse.files import extend_lines, file_lock
from fercourse.settings import ledger_path


class Record(Protocol):
    """A dataclass of JSON values that can tell itself from others."""

    @property
    def identity(self) -> Hashable:
        """What a book holds once."""
        ...


Kind = TypeVar("Kind", bound=Record)


class Book(Generic[Kind]):
    """Records of one kind; a subclass says of which, and where they lie.

    Args:
        path: The file; by default :attr:`name` beside the ledger. It need not exist yet.
    """

    kind: type[Kind]
    name: str

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = ledger_path().with_name(self.name) if path is None else Path(path)

    def rows(self, **filters: Any) -> list[Kind]:
        """The records, in the order written, whose fields have these values (or one of several).

        Raises:
            FercourseError: A line is damaged; the sentence says which.
        """
        if not self.path.is_file():
            return []
        found = []
        names = {f.name for f in fields(self.kind)}  # pyright: ignore[reportArgumentType]
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                values = json.loads(line)
                unknown = values.keys() - names
                if unknown:
                    raise FercourseError(f"unknown field {min(unknown)!r}.")
                found.append(self.kind(**values))
            except (ValueError, TypeError, AttributeError) as error:
                raise FercourseError(
                    f"{self.path}, line {number}: {error} Correct or remove that line."
                ) from error
        for name, wanted in filters.items():
            values = wanted if isinstance(wanted, list | tuple | set) else (wanted,)
            found = [row for row in found if getattr(row, name) in values]
        return found

    def append(self, rows: Iterable[Kind]) -> int:
        """Add those that are not there yet; return how many. The file is replaced whole.

        Raises:
            FercourseError: A line is damaged, or another process keeps the file locked.
        """
        with file_lock(self.path):
            there = {row.identity for row in self.rows()}
            new = []
            for row in rows:
                if row.identity not in there:
                    there.add(row.identity)
                    new.append(row)
            if new:
                extend_lines(self.path, [_line(row) for row in new])
        return len(new)


def _line(row: Any) -> str:
    values = {k: v for k, v in asdict(row).items() if v not in ("", None, {})}
    return json.dumps(values, allow_nan=False, separators=(",", ":"))
