"""A Ray cluster's machines as workers, through Ray's own tasks.

Not through joblib's Ray backend: it hands back nothing before the last run is over, and gives up
all of them when one worker is killed. Every machine needs fercourse and the data set installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from fercourse.errors import FercourseError
from fercourse.experiments.engine_local import attempt
from fercourse.experiments.job import Event, Job, Work


def run_ray(
    next_job: Callable[[], Job | None],
    workers: int,
    work: Work,
    deadline: float | None = None,
    address: str | None = None,
) -> Iterator[Event]:
    """As :func:`fercourse.experiments.engine_local.run_local`, on a cluster; no "epoch" events.

    Every run is given an equal share of the cluster's CPUs and GPUs.

    Args:
        next_job: See there.
        workers: Runs at a time, on all machines together.
        work: See there.
        deadline: See there.
        address: "auto" or "host:port" of a running cluster, "ray://host:port" from outside it;
            None uses the one this process is connected to, or starts one on this machine.

    Raises:
        FercourseError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _connect(address)
    share = _share(ray.cluster_resources(), workers)
    task = ray.remote(max_retries=0, **share)(_attempt)
    busy: dict[Any, tuple[Job, float]] = {}
    try:
        while True:
            while len(busy) < workers and (job := next_job()):
                busy[task.remote(work, job, int(share["num_cpus"]))] = (job, time.monotonic())
            left = None if deadline is None else deadline - time.monotonic()
            if not busy or (left is not None and left <= 0):
                return
            for reference in ray.wait(list(busy), timeout=left)[0]:
                job, since = busy.pop(reference)
                seconds = time.monotonic() - since
                try:
                    yield Event(job, *ray.get(reference), seconds)
                except ray.exceptions.RayError as error:
                    how = f"its Ray worker ended: {type(error).__name__}"
                    yield Event(job, "died", how, seconds)
    finally:
        for reference in busy:
            ray.cancel(reference, force=True)


def _attempt(work: Work, job: Job, threads: int) -> tuple[str, Any]:
    """A job in a worker; its threads are the CPUs that Ray counts for it."""
    import torch

    torch.set_num_threads(threads)
    return attempt(work, job, None)


def _connect(address: str | None) -> Any:
    try:
        import ray
    except ImportError:
        raise FercourseError(
            "The engine ray needs Ray: install fercourse[ray], here and on every machine."
        ) from None
    try:
        if not ray.is_initialized() or address:
            ray.init(address or "local", ignore_reinit_error=True, log_to_driver=False,
                     include_dashboard=None if address else False)  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise FercourseError(
            f"No Ray cluster answers at {address} ({reason}); start one with: ray start --head"
        ) from None
    return ray


def _share(resources: dict[str, float], workers: int) -> dict[str, float]:
    """CPUs and GPUs of one run. A share of a GPU, so that ``workers`` runs fit on the cluster."""
    cpus, gpus = int(resources.get("CPU", 1)), resources.get("GPU", 0.0)
    gpu = gpus / workers
    return {
        "num_cpus": max(1, cpus // workers),
        # Ray counts GPUs in ten-thousandths; above one a run gets whole ones, and uses one.
        "num_gpus": 1.0 if gpu >= 1 else int(gpu * 10_000) / 10_000,
    }
