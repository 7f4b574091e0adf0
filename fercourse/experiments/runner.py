"""Do what a plan asks for and the ledger lacks: in order, in parallel, in time, in spite of kills.

Nothing is remembered but the ledger and the run folders. So a plan that was broken off, by its
budget, by Ctrl-C or by a power cut, goes on with the same call.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from fercourse.datasets.drawings import present
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.experiments import job as jobs_
from fercourse.experiments.durations import Durations
from fercourse.experiments.engine_local import run_local
from fercourse.experiments.job import Event, Job, Result, Work
from fercourse.experiments.plans import Planned
from fercourse.runs.ledger import Ledger

TRIES = 2
"""How often a run is started before it counts as failed: once more after its worker died."""

PATIENCE = (1.0, 4.0, 10.0, 15.0, 30.0)
"""Seconds between attempts to record on a full disk, once nothing else is left to do."""


@dataclass
class Report:
    """What :func:`run` did.

    Attributes:
        recorded: Runs added to the ledger, in the order they finished.
        elsewhere: Runs that another process recorded meanwhile.
        left: Runs still missing, in the plan's order.
        failed: Of these, by name, why; the same call tries them again.
        unrecorded: Of these, by name, those that are finished but could not be written.
        trouble: Why not, in a sentence.
        seconds: Wall time.
    """

    recorded: list[Planned] = field(default_factory=list)
    elsewhere: list[Planned] = field(default_factory=list)
    left: list[Planned] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unrecorded: list[str] = field(default_factory=list)
    trouble: str = ""
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether whatever is left is left for want of time alone."""
        return not self.failed and not self.unrecorded


def run(
    plan: Sequence[Planned],
    ledger: Ledger,
    *,
    budget_seconds: float | None = None,
    jobs: int = 1,
    device: str = "auto",
    engine: str = "local",
    address: str | None = None,
    source: str | Path | None = None,
    out: str | Path = "build/runs",
    progress: bool = True,
    work: Work = jobs_.work,
) -> Report:
    """Measure the runs of a plan that the ledger lacks, and record each as it finishes.

    A run whose expected end lies after the budget is not started, unless it would not fit into a
    whole budget either; one still going when the budget ends is stopped, and the next call resumes
    it, at most an epoch poorer. A run whose worker is killed is started once more; if that fails
    too, it is listed, and the others go on.

    Args:
        plan: See :func:`fercourse.experiments.plans.plan`.
        ledger: Where rows go.
        budget_seconds: Wall time; None is as long as it takes.
        jobs: Runs at a time; on the CPU they share its cores, and several GPUs are shared out.
        device: "auto", "cpu", "cuda" or "mps".
        engine: "local" for processes of this machine, "ray" for the machines of a Ray cluster.
        address: Of the cluster, "host:port"; None finds one that runs on this machine.
        source: Where the data set lies; None looks in the usual places.
        out: Folder of the run folders.
        progress: Show a bar with the time left.
        work: What is done with a job; for tests.

    Raises:
        FercourseError: The ledger is damaged, or there are no data, device or cluster here.
        OSError: Neither a row nor a run folder could be written.
    """
    start = time.monotonic()
    if jobs < 1:
        raise FercourseError(f"jobs must be at least 1, not {jobs}.")
    perform = _engine(engine, address, device)
    todo = missing(plan, ledger, source)
    kind = device_kind(device, engine)
    if todo:  # what could not be kept is not begun
        ledger.prepare()
        Path(out).mkdir(parents=True, exist_ok=True)
    if todo and not known(todo[0].config.data.name).drawn:
        jobs_.load_once(todo[0].config.data, _text(source))  # no data: say so before any worker
    if engine == "local" and kind == "cuda" and jobs > 1:
        from fercourse.device import visible_gpus

        perform = partial(perform, gpus=visible_gpus())
    threads = threads_each(jobs)
    queue = deque(
        Job(planned, _text(source), str(Path(out).resolve()), device, threads if jobs > 1 else 0)
        for planned in todo
    )
    durations = Durations(ledger.rows(), kind, threads)
    with _bar(todo, progress) as bar:
        so_far = _Progress(queue, ledger, durations, bar, start, budget_seconds, source)
        while so_far.queue:
            with closing(perform(so_far.next_job, jobs, work, so_far.deadline)) as events:
                for event in events:
                    so_far.take(event)
            if not so_far.write_patiently():
                break
    there = {*so_far.recorded, *so_far.elsewhere}
    return Report(
        recorded=so_far.recorded,
        elsewhere=so_far.elsewhere,
        left=[planned for planned in todo if planned not in there],
        failed=so_far.failed,
        unrecorded=[job.run.name for job, _ in so_far.waiting],
        trouble=so_far.trouble,
        seconds=time.monotonic() - start,
    )


def missing(
    plan: Sequence[Planned], ledger: Ledger, source: str | Path | None = None
) -> list[Planned]:
    """The runs of a plan that have no row measured on these data, in order.

    The data are only loaded where the ledger has a row of that config on some data.

    Args:
        plan: See :func:`fercourse.experiments.plans.plan`.
        ledger: What is done.
        source: Where the data set lies; None looks in the usual places.
    """
    found: dict[Any, set[str]] = {}
    for row in ledger.rows([planned.config for planned in plan]):
        found.setdefault(row.run, set()).add(row.faces)
    return [
        planned
        for planned in plan
        if planned.config not in found
        or present(jobs_.load_once(planned.config.data, _text(source)).fingerprint)
        not in found[planned.config]
    ]


class _Progress:
    """Where a plan stands: what waits to be started, what waits to be recorded, what failed."""

    def __init__(
        self,
        queue: deque[Job],
        ledger: Ledger,
        durations: Durations,
        bar: tqdm,
        start: float,
        budget: float | None,
        source: str | Path | None,
    ) -> None:
        self.queue, self.ledger, self.durations, self.bar = queue, ledger, durations, bar
        self.budget, self.source = budget, source
        self.deadline = None if budget is None else start + budget
        self.waiting: deque[tuple[Job, Result]] = deque()
        self.recorded: list[Planned] = []
        self.elsewhere: list[Planned] = []
        self.failed: dict[str, str] = {}
        self.trouble = ""
        self._tries: Counter[str] = Counter()
        self._epochs: Counter[str] = Counter()

    def next_job(self) -> Job | None:
        """The next in the plan's order; None when nothing can be started, or recorded, now.

        Another process may work on the same ledger: what it has recorded is passed over.
        """
        while self.queue and not self.waiting and self._fits(self.queue[0]):
            job = self.queue.popleft()
            if missing([job.run], self.ledger, self.source):
                return job
            self.elsewhere.append(job.run)
            self.bar.update(job.run.config.train.epochs)
        return None

    def take(self, event: Event) -> None:
        """Note what an engine reports."""
        name, epochs = event.job.run.name, event.job.run.config.train.epochs
        if event.kind == "epoch":
            self._epochs[name] += 1
            self.bar.update()
        elif event.kind == "done":
            row, _ = event.value
            # A resumed run took less time here than it takes.
            self.durations.add(event.job.run.config, max(event.seconds, row.seconds))
            self.bar.update(epochs - self._epochs[name])
            self.waiting.append((event.job, event.value))
            self.write()
        else:
            self._tries[name] += 1
            if event.kind == "failed" or self._tries[name] >= TRIES:
                self.failed[name] = event.value
            else:
                self.queue.appendleft(event.job)
        self.bar.set_postfix(runs=len(self.recorded), failed=len(self.failed))

    def write(self) -> None:
        """Record what waits, the oldest first; what cannot be written goes on waiting."""
        while self.waiting:
            job, (row, history) = self.waiting[0]
            try:
                new = self.ledger.append(row, history)
            except (FercourseError, OSError) as error:
                self.trouble = str(error)
                return
            self.waiting.popleft()
            (self.recorded if new else self.elsewhere).append(job.run)
            jobs_.forget(job, row.fingerprint)
        self.trouble = ""

    def write_patiently(self) -> bool:
        """Wait for room on the disk; whether the plan can go on."""
        if not self.waiting:
            return False
        for seconds in PATIENCE:
            if self.deadline is not None and time.monotonic() + seconds > self.deadline:
                break
            time.sleep(seconds)
            self.write()
            if not self.waiting:
                return True
        return False

    def _fits(self, job: Job) -> bool:
        if self.deadline is None:
            return True
        left = self.deadline - time.monotonic()
        expected = self.durations.expect(job.run.config)
        if left <= 0 or expected is None or expected <= left:
            return left > 0
        return self.budget is None or expected > self.budget or _begun(job)


def _begun(job: Job) -> bool:
    """Whether a state to resume from lies on this machine."""
    config = job.run.config
    return any(Path(job.root).glob(f"{config.hash}-{config.seed}-*/state.pt"))


def _bar(todo: Sequence[Planned], progress: bool) -> tqdm:
    """Counts epochs, so that the time left is known long before the first run ends."""
    return tqdm(
        total=sum(planned.config.train.epochs for planned in todo),
        desc=todo[0].plan if todo else None,
        unit="epoch",
        smoothing=0,
        disable=not (progress and todo),
    )


def _engine(
    name: str, address: str | None, device: str
) -> Callable[..., Generator[Event, None, None]]:
    if name == "ray":
        from fercourse.experiments.engine_ray import run_ray

        return partial(run_ray, address=address or "auto", device=device)
    if name != "local":
        raise FercourseError(f"There is no engine {name!r}; use local or ray.")
    if address:
        raise FercourseError("An address is one of a Ray cluster; it needs --engine ray.")
    return run_local


def device_kind(device: str, engine: str = "local") -> str | None:
    """What "auto" stands for; "cpu" is always there, and need not wait for torch to load.

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        engine: With "ray", the other machines' devices are not known here: None.

    Raises:
        FercourseError: This machine has no such device.
    """
    if device == "cpu":
        return device
    if engine == "ray":
        return None if device == "auto" else device
    from fercourse.device import find_device

    return find_device(device).type


def threads_each(jobs: int) -> int:
    """Of torch on the CPU for each run, where so many go at a time."""
    return max(1, cores() // max(1, jobs))


def cores() -> int:
    """Those of the machine's that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _text(source: str | Path | None) -> str | None:
    return None if source is None else str(source)
