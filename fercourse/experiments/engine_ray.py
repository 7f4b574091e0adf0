"""A Ray cluster's machines as workers, each run a task of Ray's own.

joblib's Ray backend refuses ``return_as="generator_unordered"``, so that no row could be recorded
before the last run is over. Every machine needs fercourse and the data set.
"""

from __future__ import annotations

import logging
import math
import platform
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from fercourse.errors import FercourseError
from fercourse.experiments.engine_local import attempt
from fercourse.experiments.job import Event, Job, Work

ANSWER = 5.0
"""Seconds that a cluster may take to answer; Ray itself would try for minutes."""


def run_ray(
    next_job: Callable[[], Job | None],
    workers: int,
    work: Work,
    deadline: float | None = None,
    *,
    address: str = "auto",
    device: str = "auto",
) -> Generator[Event, None, None]:
    """As :func:`fercourse.experiments.engine_local.run_local`, on the machines of a cluster.

    Args:
        next_job: See there.
        workers: Runs at a time, on all machines together; fewer where the cluster is smaller. They
            share its CPUs and GPUs equally.
        work: See there.
        deadline: See there.
        address: "host:port" of the cluster's head; "auto" finds one that runs on this machine.
        device: "cpu" asks the cluster for no GPU.

    Raises:
        FercourseError: Ray is not installed, no cluster answers, or it has not what is asked for.
    """
    ray, ours = _connect(address)
    busy: dict[Any, tuple[Job, float]] = {}
    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        workers, cpus, gpus = shares(nodes, workers, device)
        # Ray's own retries would be starts that the runner does not count.
        task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0, num_returns="streaming")
        serve = task(_serve)
        while True:
            while len(busy) < workers and (job := next_job()):
                stream = serve.remote(work, replace(job, threads=cpus))
                busy[stream] = (job, time.monotonic())
            left = None if deadline is None else deadline - time.monotonic()
            if not busy or (left is not None and left <= 0):
                return
            for stream in ray.wait(list(busy), timeout=left)[0]:
                job, since = busy[stream]
                kind, value = _receive(ray, stream)
                if kind != "epoch":
                    del busy[stream]
                yield Event(job, kind, value, time.monotonic() - since)
    finally:
        for stream in busy:
            ray.cancel(stream, force=True)
        if ours:
            ray.shutdown()


def shares(nodes: Sequence[dict[str, float]], workers: int, device: str) -> tuple[int, int, float]:
    """How many runs at a time a cluster holds, and the CPUs and the GPU share of each.

    As many CPUs as leave room for all; no run is spread over two machines or two GPUs.

    Args:
        nodes: What each machine has, "CPU" and "GPU" among it.
        workers: Runs at a time that are wished for.
        device: "cpu" leaves GPUs aside, "cuda" demands them, "auto" takes what there is.

    Raises:
        FercourseError: The cluster cannot hold one run.
    """
    have = [(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes]
    gpus = 0 if device == "cpu" else sum(gpu for _, gpu in have)
    if device == "cuda" and not gpus:
        raise FercourseError("The Ray cluster has no GPU; use --device cpu or auto.")
    on_one = math.ceil(workers / gpus) if gpus else 0

    def room(cpus: int) -> int:
        return sum(min(cpu // cpus, gpu * on_one) if gpus else cpu // cpus for cpu, gpu in have)

    if not room(1):
        raise FercourseError("No machine of the Ray cluster has a CPU for a run; see `ray status`.")
    most = max(cpu for cpu, _ in have)
    cpus = max((c for c in range(1, most + 1) if room(c) >= workers), default=1)
    # Ray counts in ten-thousandths: rounded up, the shares of a GPU would not all fit.
    return min(workers, room(cpus)), cpus, int(10_000 / on_one) / 10_000 if gpus else 0.0


def _connect(address: str) -> tuple[Any, bool]:
    """Ray, and whether it was connected here."""
    try:
        import ray
        from ray.exceptions import RayError
    except ImportError:
        raise FercourseError(
            "--engine ray needs Ray: pip install 'fercourse[ray]', here and on every machine."
        ) from None
    if ray.is_initialized():
        return ray, False
    host, _, port = address.rpartition(":")
    if address != "auto" and not (host and port.isdecimal()):
        raise FercourseError(f"--address takes host:port or auto, not {address!r}.")
    try:
        if address != "auto":
            socket.create_connection((host, int(port)), ANSWER).close()
        ray.init(address, log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, ValueError, OverflowError, RuntimeError, RayError) as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise FercourseError(
            f"No Ray cluster answers at {address!r} ({reason}); start one with `ray start --head` "
            "and give the host:port that it prints as --address."
        ) from None
    return ray, True


def _receive(ray: Any, stream: Any) -> tuple[str, Any]:
    """Kind and value of the next event of a task."""
    try:
        return ray.get(next(stream))
    except ray.exceptions.RayTaskError as error:  # not of the job: fercourse is not there
        return "error", f"its Ray worker failed: {str(error).strip().splitlines()[-1]}"
    except (ray.exceptions.RayError, StopIteration) as error:
        return "died", f"its Ray worker ended: {type(error).__name__}"


def _serve(work: Work, job: Job) -> Iterator[tuple[str, Any]]:
    """A task's life: what happens to the job, as it happens, from the thread that does it."""
    events: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()

    def do() -> None:
        try:
            kind, value = attempt(work, job, lambda entry: events.put(("epoch", entry)))
            where = "" if kind == "done" else f" (on {platform.node()})"
            events.put((kind, value + where if where else value))
        finally:
            events.put(None)

    threading.Thread(target=do, daemon=True).start()
    while event := events.get():
        yield event
