"""Worker processes on this machine, each doing one job after another.

A pool of the standard library breaks as a whole when one of its processes is killed. Here each
worker has a pipe of its own, so that its death costs its job one more start and nobody else.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from tqdm import tqdm

from fercourse.errors import FercourseError
from fercourse.experiments.job import Event, Job, Work

ASK = 0.2
"""Seconds between questions whether to stop."""

_spawn = multiprocessing.get_context("spawn")  # CUDA does not survive a fork


def run_local(
    next_job: Callable[[], Job | None],
    workers: int,
    work: Work,
    deadline: float | None = None,
    stop: Callable[[], bool] | None = None,
    gpus: Sequence[str] = (),
) -> Generator[Event, None, None]:
    """Have jobs done by several processes; yield what happens as it happens.

    Args:
        next_job: Asked whenever a worker is idle; None while there is nothing to start. All is
            over when it says so and no worker is busy.
        workers: Processes at a time; they are started when first needed.
        work: A function of a module, called in the workers.
        deadline: On the clock ``time.monotonic``; workers still busy then are ended.
        stop: Asked several times a second; once it says yes, busy workers are ended.
        gpus: Shared out among the workers, by their names in CUDA_VISIBLE_DEVICES; without any,
            each worker sees all and takes the first.
    """
    staff: list[_Worker] = []
    try:
        while True:
            idle = [worker for worker in staff if worker.job is None]
            while len(staff) - len(idle) < workers and (job := next_job()):
                if not idle:
                    used = Counter(worker.gpu for worker in staff)
                    staff.append(_Worker(work, min(gpus, key=used.__getitem__, default=None)))
                    idle = staff[-1:]
                idle.pop().start(job)
            busy = [worker for worker in staff if worker.job]
            left = None if deadline is None else deadline - time.monotonic()
            if not busy or (left is not None and left <= 0) or (stop and stop()):
                return
            if stop:
                left = ASK if left is None else min(ASK, left)
            # A pipe whose process has died is ready too: reading it ends in EOFError.
            for pipe in wait([worker.pipe for worker in busy], left):
                worker = next(w for w in busy if w.pipe is pipe)
                event = worker.receive()
                if event.kind in ("died", "error"):
                    staff.remove(worker)
                if event.kind == "error":
                    worker.end()  # its GPU may be lost to it, or its memory still taken
                yield event
    finally:
        for worker in staff:
            worker.end()


class _Worker:
    """A process, the parent's end of its pipe, the job it is at, and its GPU if it has its own."""

    def __init__(self, work: Work, gpu: str | None = None) -> None:
        self.job: Job | None = None
        self.gpu = gpu
        self.since = 0.0
        self.pipe: Connection
        self.pipe, theirs = _spawn.Pipe()
        self.process = _spawn.Process(target=_serve, args=(theirs, work), daemon=True)
        with _deaf(), _seeing(gpu):
            self.process.start()
        theirs.close()  # so that the process holds the only copy, and its death closes it

    def start(self, job: Job) -> None:
        self.job, self.since = job, time.monotonic()
        with suppress(OSError):  # it died while idle: receive() will say so
            self.pipe.send(job)

    def receive(self) -> Event:
        job, seconds = self.job, time.monotonic() - self.since
        assert job is not None, "only a worker that has a job is heard"
        try:
            kind, value = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(10)
            code = self.process.exitcode
            self.pipe.close()
            self.job = None
            how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            return Event(job, "died", f"its process ended with {how}", seconds)
        if kind != "epoch":
            self.job = None
        return Event(job, kind, value, seconds)

    def end(self) -> None:
        self.pipe.close()  # which an idle worker takes as its end
        if self.job:
            self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started here do not hear Ctrl-C, of which a worker would die in its imports."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which ends the blocking where it is begun below
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _seeing(gpu: str | None) -> Iterator[None]:
    """Processes started here have this GPU as their only one."""
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    try:
        yield
    finally:
        if before is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
        elif gpu is not None:
            del os.environ["CUDA_VISIBLE_DEVICES"]


def _serve(pipe: Connection, work: Work) -> None:
    """A worker's life: jobs in, events out, until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's Ctrl-C is the parent's affair
    tqdm.set_lock(threading.RLock())  # its own outlives a worker that is ended, with a complaint
    logging.disable(logging.INFO)  # libraries' remarks, once a run, would tear up the bar
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(attempt(work, job, lambda entry: pipe.send(("epoch", entry))))


def attempt(work: Work, job: Job, on_epoch: Any) -> tuple[str, Any]:
    """Kind and value of the event that a job ends in, whatever it raises."""
    try:
        return "done", work(job, on_epoch)
    except FercourseError as error:
        return "failed", str(error)
    except Exception as error:
        return "error", f"{type(error).__name__}: {(str(error) or '-').splitlines()[0]}"


def _end_with_parent() -> None:
    """Training must not go on for nobody; the state of the last epoch is on the disk."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
