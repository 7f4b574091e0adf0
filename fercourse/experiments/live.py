"""One run in the background, watched while it goes on, and recorded when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from fercourse.errors import FercourseError
from fercourse.experiments import job as jobs
from fercourse.experiments.engine_local import run_local
from fercourse.experiments.job import Job, Work
from fercourse.experiments.plans import Planned
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row


class LiveRun:
    """A run that trains in a process of its own while a thread here follows it.

    A process, because training seeds and draws from torch's global generator: in a notebook's own
    process, a cell run meanwhile would change the run, and the run that cell. It can be stopped at
    any moment: nothing is in the ledger before the run is whole, and what is on the disk (the last
    epoch's state) lets the same run go on later.

    Args:
        planned: What to do.
        ledger: Where its row goes.
        root: Folder of the run folders.
        source: Where the data set lies; None looks in the usual places.
        device: "auto", "cpu", "cuda" or "mps".
        changed: Called in the thread whenever something happened.
        work: What the process does; for tests.

    Attributes:
        state: "training", then "recorded", "stopped" or "failed".
        history: One dict an epoch; a resumed run's earlier epochs come with its row.
        trouble: Why it failed, a sentence.
        row: Once it is recorded.
    """

    def __init__(
        self,
        planned: Planned,
        ledger: Ledger,
        root: str | Path = "build/runs",
        source: str | Path | None = None,
        device: str = "auto",
        changed: Callable[[LiveRun], None] | None = None,
        work: Work = jobs.work,
    ) -> None:
        self.planned, self.ledger = planned, ledger
        self.state, self.trouble = "training", ""
        self.history: list[dict[str, Any]] = []
        self.row: Row | None = None
        self._changed, self._work = changed, work
        text = None if source is None else str(source)
        self._job = Job(planned, text, str(Path(root).resolve()), device)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live run", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask it to end; its process is gone within a second. Nothing is recorded."""
        self._stop.set()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for its end; whether it came."""
        self._thread.join(seconds)
        return not self.running

    def _follow(self) -> None:
        try:
            self._state_after(self._end())
        except Exception as error:  # a full disk, a damaged ledger: told, not lost in a thread
            self.trouble = str(error) if isinstance(error, FercourseError) else repr(error)
            self._state_after("failed")

    def _end(self) -> str:
        todo = [self._job]
        events = run_local(
            lambda: todo.pop() if todo else None, 1, self._work, stop=self._stop.is_set
        )
        with closing(events):
            for event in events:
                if event.kind == "epoch":
                    self.history.append(event.value)
                    self._tell()
                elif event.kind == "done":
                    row, self.history = event.value
                    self.ledger.append(row, self.history)
                    jobs.forget(self._job, row.fingerprint)
                    self.row = row
                    return "recorded"
                else:
                    self.trouble = event.value
                    return "failed"
        return "stopped"

    def _state_after(self, state: str) -> None:
        self.state = state
        self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed(self)
