"""The ledger: one JSON line for each finished run, the only source of a number in prose.

``results/ledger.jsonl`` holds the rows, ``results/history/`` the curves, one file a run. Rows are
only ever added, by as many processes as like: under a lock, the file is replaced whole.
"""

from __future__ import annotations

import errno
import json
import math
import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from fercourse.config import RunConfig
from fercourse.datasets.drawings import present
from fercourse.errors import FercourseError
from fercourse.files import atomic_write, extend_lines, file_lock, is_json
from fercourse.runs.claim import PAPER, Claim
from fercourse.runs.entry import Entry, field_types
from fercourse.runs.row import Row
from fercourse.runs.shallow_row import ShallowRow
from fercourse.settings import ledger_path

Kind = TypeVar("Kind", bound=Entry)

History = list[dict[str, Any]]
"""One dict an epoch: epoch, lr, train_loss, train_ce, train_center, train_island, ..."""


class Merged(NamedTuple):
    """What :meth:`Ledger.merge` did.

    Attributes:
        added: Rows taken over.
        known: Rows that were already here.
        conflicts: Keys of those already here with other numbers; ours are kept.
    """

    added: int
    known: int
    conflicts: tuple[str, ...]


class Ledger:
    """Rows of runs in a file of JSON lines.

    Args:
        path: The file; by default :func:`default_path`. It need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path) if path is not None else ledger_path()

    def append(self, row: Entry, history: History | None = None) -> bool:
        """Add a row, and its history beside it, unless this run on these data is already there.

        Safe with several processes and against a kill at any moment: history first, then the file
        of rows, each is replaced whole. A line torn by an older fercourse's end is left out.

        Returns:
            Whether the row was added.

        Raises:
            FercourseError: The row contradicts itself, a line of the file is damaged, the disk is
                full, or the lock stays taken. The rows in the file are then as they were.
        """
        return self._extend([(row, history)]) == 1

    def entries(self, **filters: Any) -> list[Entry]:
        """Measured runs and claims alike, in the order written, that fit every filter.

        Args:
            **filters: A field or dotted config name, and its value or a collection of values:
                ``entries(label="full", variant=["model1", "model6"], **{"loss.weight": 0.005})``.

        Raises:
            FercourseError: A line is damaged (the sentence says which), or a filter is unknown.
        """
        return _filtered([entry for _, entry in self._read()], filters)

    def rows(self, configs: Iterable[RunConfig] | None = None, **filters: Any) -> list[Row]:
        """The measured runs of networks, in the order written, that fit every filter.

        Args:
            configs: Only runs of these configs, whatever plan they were run for.
            **filters: As for :meth:`entries`.

        Raises:
            FercourseError: As for :meth:`entries`.
        """
        found = _filtered([e for _, e in self._read() if isinstance(e, Row)], filters)
        if configs is not None:
            plan = set(configs)
            found = [row for row in found if _run_or_none(row) in plan]
        return found

    def shallow(self, **filters: Any) -> list[ShallowRow]:
        """The measured methods without learned features; filters as for :meth:`entries`."""
        return _filtered([e for _, e in self._read() if isinstance(e, ShallowRow)], filters)

    def claims(self, **filters: Any) -> list[Claim]:
        """What the paper claims, as far as it fits every filter; see :meth:`entries`."""
        return _filtered([e for _, e in self._read() if isinstance(e, Claim)], filters)

    def missing(
        self, configs: Sequence[RunConfig], fingerprint: str | None = None
    ) -> list[RunConfig]:
        """Those configs that have no row yet, in the order given.

        Configs are compared, not hashes: a field added to RunConfig since a row was written counts
        as its default.

        Args:
            configs: A plan.
            fingerprint: Count only rows measured on these data.
        """
        rows = self.rows()
        if fingerprint is not None:
            rows = [row for row in rows if row.faces == present(fingerprint)]
        done = {_run_or_none(row) for row in rows}
        return [config for config in configs if config not in done]

    def history(self, row: Entry) -> History | None:
        """A row's curves, one dict an epoch; None where none were kept."""
        path = self._history_path(row)
        if not path.is_file():
            return None
        try:
            columns = json.loads(path.read_text(encoding="utf-8"))
            epochs = zip(*columns.values(), strict=True)
            return [dict(zip(columns, values, strict=True)) for values in epochs]
        except (ValueError, AttributeError, TypeError) as error:
            raise FercourseError(f"{path} is damaged ({error}); remove it.") from error

    def merge(self, path: str | os.PathLike[str]) -> Merged:
        """Take over the rows, and histories, of another ledger; twice is the same as once.

        Args:
            path: A ``ledger.jsonl``, or a zip file that holds one with its ``history/``.

        Raises:
            FercourseError: There is no such file, or a line of it is damaged or contradicts
                itself: nothing is taken.
        """
        if zipfile.is_zipfile(path):
            with TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
                archive.extractall(folder)  # which keeps every name inside the folder
                found = sorted(Path(folder).rglob("ledger.jsonl"))
                if len(found) != 1:
                    raise FercourseError(f"{path} holds {len(found)} files ledger.jsonl, not one.")
                return self.merge(found[0])
        other = Ledger(path)
        if not other.path.is_file():
            raise FercourseError(f"there is no ledger at {other.path}.")
        theirs = other.entries()
        ours = {row.identity: row for row in self.entries()}
        for row in theirs:
            if problems := row.problems():
                raise FercourseError(
                    f"{other.path}: {row.key} contradicts itself ({'; '.join(problems)}); correct "
                    "or remove its line, nothing was taken."
                )
        conflicts = tuple(row.key for row in theirs if ours.get(row.identity, row) != row)
        added = self._extend([(row, other.history(row)) for row in theirs])
        return Merged(added, len(theirs) - added, conflicts)

    def prepare(self) -> None:
        """Make the folder, and find out before a long run whether its row could be written.

        Raises:
            FercourseError: The path is a folder's.
            OSError: It could not: a file is in the way, or this user may not.
        """
        if self.path.is_dir():
            raise FercourseError(f"{self.path} is a folder where the ledger's file is needed.")
        if self.path.exists():
            self.path.open("r+b").close()
        with file_lock(self.path):
            pass

    def verify(self) -> list[str]:
        """Everything wrong with the file, one sentence each; empty when it is sound.

        Checks every line's schema, the hash recomputed from its config, the confusion matrix
        against test size, accuracy and recall, duplicates, and that each history can be read.
        """
        found: list[str] = []
        seen: dict[str, int] = {}
        with file_lock(self.path):
            for number, row in self._read(damage=found):
                where = f"{self.path}, line {number} ({row.key}): "
                found += [f"{where}{problem}." for problem in row.problems()]
                if row.identity in seen:
                    found.append(f"{where}this run is already in line {seen[row.identity]}.")
                seen.setdefault(row.identity, number)
                try:
                    history = self.history(row)
                except FercourseError as error:
                    found.append(f"{where}{error}")
                    continue
                if history and row.value("best_epoch") not in {
                    epoch.get("epoch") for epoch in history
                }:
                    found.append(
                        f"{where}best_epoch {row.value('best_epoch')} is not in its history."
                    )
        return found

    def _extend(self, entries: Sequence[tuple[Entry, History | None]]) -> int:
        """Add the rows that are not there yet under one lock; return how many."""
        for row, _ in entries:
            problems = row.problems()
            if problems:
                raise FercourseError(f"{row.key} cannot be recorded: {'; '.join(problems)}.")
        new: dict[str, tuple[Entry, History | None]] = {}
        with file_lock(self.path):
            known = {row.identity for _, row in self._read()}
            for row, history in entries:
                if row.identity not in known:
                    new.setdefault(row.identity, (row, history))
            try:
                for row, history in new.values():
                    if history:
                        _write_history(self._history_path(row), history)
                if new:
                    extend_lines(self.path, [_line(row) for row, _ in new.values()])
            except OSError as error:
                advice = "make room" if error.errno == errno.ENOSPC else "mend that"
                raise FercourseError(
                    f"{', '.join(row.key for row, _ in new.values())} could not be recorded in "
                    f"{self.path} ({error.strerror}); the rows before it are safe: {advice} and "
                    "run it again."
                ) from error
        return len(new)

    def _read(self, damage: list[str] | None = None) -> Iterator[tuple[int, Entry]]:
        """Line numbers and rows; damaged lines are raised, or told in ``damage`` if given."""
        if not self.path.is_file():
            return
        *lines, tail = self.path.read_bytes().split(b"\n")
        if tail and is_json(tail):  # whole, only its line end is missing
            lines.append(tail)
        elif tail:
            torn = (
                f"{self.path}, line {len(lines) + 1}: torn when its process was killed, ignored; "
                "the next append removes it."
            )
            if damage is None:
                warnings.warn(torn, stacklevel=3)
            else:
                damage.append(torn)
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = _entry(json.loads(line))
            except ValueError as error:  # FercourseError, bad JSON and bad UTF-8 alike
                why = error if isinstance(error, FercourseError) else "this is not JSON."
                told = f"{self.path}, line {number}: {why} Correct or remove that line."
                if damage is None:
                    raise FercourseError(told) from error
                damage.append(told)
                continue
            yield number, row

    def _history_path(self, row: Entry) -> Path:
        return self.path.parent / "history" / f"{row.identity.replace(':', '_')}.json"


def _filtered(entries: list[Kind], filters: dict[str, Any]) -> list[Kind]:
    known = field_types(Row) | field_types(ShallowRow) | field_types(Claim)
    for name, wanted in filters.items():
        if "." not in name and name not in known:
            raise FercourseError(f"a row has no field {name!r}; it has {', '.join(known)}.")
        values = wanted if isinstance(wanted, list | tuple | set | range) else (wanted,)
        entries = [entry for entry in entries if entry.value(name) in values]
    return entries


def _entry(values: Any) -> Entry:
    """A line's JSON as the kind of entry its label says it is."""
    if not isinstance(values, dict):
        return Row.from_dict(values)  # which says that it is no row
    kind = Claim if values.get("label") == PAPER else ShallowRow if "method" in values else Row
    return kind.from_dict(values)


def _line(entry: Entry) -> str:
    return json.dumps(entry.to_dict(), allow_nan=False)


def _write_history(path: Path, history: History) -> None:
    """One list a column, six digits a number: a third of the size of one dict an epoch."""
    names = list(dict.fromkeys(name for epoch in history for name in epoch))
    columns = {name: [_short(epoch.get(name)) for epoch in history] for name in names}
    text = json.dumps(columns, allow_nan=False, separators=(",", ":"))
    with atomic_write(path) as part:
        part.write_text(text + "\n", encoding="utf-8", newline="\n")


def _short(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None  # a diverged loss


def _run_or_none(row: Row) -> RunConfig | None:
    """The row's config; None for a claim, or where RunConfig can no longer say it."""
    try:
        return row.run
    except (FercourseError, TypeError):
        return None
