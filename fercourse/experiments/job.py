"""One run of a plan, as a worker process does it: load, train or resume, judge, keep the row."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock, Timeout

from fercourse.datasets.data_config import DataConfig
from fercourse.errors import FercourseError
from fercourse.experiments.plans import Planned
from fercourse.files import atomic_write
from fercourse.runs.ledger import History
from fercourse.runs.measured import commit, versions
from fercourse.runs.row import Row

if TYPE_CHECKING:
    from fercourse.datasets.faces import FaceDataset


@dataclass(frozen=True)
class Job:
    """A run and where to do it; it travels to workers by pickle.

    Attributes:
        run: What to do.
        source: Where the data set lies; None looks in the usual places of the worker's machine.
        root: Folder of the run folders.
        device: "auto", "cpu", "cuda" or "mps".
        threads: Of torch on the CPU; 0 leaves its choice.
    """

    run: Planned
    source: str | None = None
    root: str = "build/runs"
    device: str = "auto"
    threads: int = 0


Result = tuple[Row, History]
OnEpoch = Callable[[dict[str, float]], None]
Work = Callable[[Job, OnEpoch | None], Result]
"""What an engine has its workers do; :func:`work`, or something quicker in tests."""


class Event(NamedTuple):
    """What an engine reports of a job.

    Attributes:
        job: Which.
        kind: "epoch" (value: its history entry), "done" (value: a Result), "failed" (value: a
            sentence; there is no use in trying again), "error" (value: a sentence) or "died"
            (the worker is gone, value: how).
        value: As above.
        seconds: Since the job was started.
    """

    job: Job
    kind: str
    value: Any = None
    seconds: float = 0.0


def work(job: Job, on_epoch: OnEpoch | None = None) -> Result:
    """Do a job, or go on with it where a killed worker left it.

    The run's folder, ``root/hash-seed-data``, keeps weights, history and, until the run is done,
    the state to resume from. A finished row waits there as ``row.json`` until
    :func:`forget` is told that it is recorded.

    Raises:
        FercourseError: Bad config, data or device, or another process is busy with this run.
    """
    import torch

    from fercourse.experiments.train_and_judge import measure

    if job.threads:
        torch.set_num_threads(job.threads)
    data = load_once(job.run.config.data, job.source)
    folder = run_folder(job, data.fingerprint)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            if kept := _read(folder / "row.json"):
                return kept
            for torn in folder.glob(".*.*"):  # temporary files of a killed worker
                torn.unlink(missing_ok=True)
            done = measure(
                job.run.config,
                data,
                plan=job.run.plan,
                label=job.run.label,
                variant=job.run.variant,
                out=folder,
                device=job.device,
                on_epoch=on_epoch,
                progress=False,
            )
            row = replace(done.row, note=job.run.note)
            with suppress(OSError):  # a full disk; then the state stays, and says as much
                _write(folder / "row.json", row, done.fit.history)
                (folder / "state.pt").unlink(missing_ok=True)
            return row, done.fit.history
    except Timeout:
        raise FercourseError(f"Another process is busy with this run, in {folder}.") from None


def run_folder(job: Job, fingerprint: str) -> Path:
    """Where a job on these data keeps its files."""
    config = job.run.config
    return Path(job.root) / f"{config.hash}-{config.seed}-{fingerprint[:8]}"


def forget(job: Job, fingerprint: str) -> None:
    """Remove what only matters until the row is in the ledger; weights and history stay."""
    folder = run_folder(job, fingerprint)
    for name in ("row.json", "state.pt"):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)


@functools.lru_cache(maxsize=2)
def load_once(config: DataConfig, source: str | None) -> FaceDataset:
    """A worker does many runs on the same faces."""
    from fercourse.datasets.load import load_config

    return load_config(config, source)


def _write(path: Path, row: Row, history: History) -> None:
    with atomic_write(path) as part:
        part.write_text(json.dumps({"row": row.to_dict(), "history": history}), encoding="utf-8")


def _read(path: Path) -> Result | None:
    """A row that was never recorded, if the same code measured it."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        row = Row.from_dict(kept["row"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    same = row.versions == versions() and row.commit == commit()
    return (row, kept["history"]) if same else None
