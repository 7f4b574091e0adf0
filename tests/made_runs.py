"""What workers do in tests: a row without training, or a very short training; sometimes a kill.

``python made_runs.py LEDGER RUNS`` is a whole ``fercourse run`` of three slow runs, to be killed.
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from fercourse.errors import FercourseError
from fercourse.experiments import job as jobs
from fercourse.runs.row import Row

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
FINGERPRINT = "f" * 16


def result(job):
    """A row for a job, and its history, from nothing; without torch or numpy, to start quickly."""
    config = job.run.config
    row = Row(
        key=f"{config.hash}-{config.seed}",
        plan=job.run.plan,
        dataset=config.data.name,
        variant=job.run.variant,
        label=job.run.label,
        note=job.run.note,
        seed=config.seed,
        config=config.to_dict(),
        hash=config.hash,
        fingerprint=FINGERPRINT,
        splits={"train": 9, "val": 9, "test": 7},
        selection="made up",
        best_epoch=0,
        val_accuracy=0.6,
        test_accuracy=1.0,
        recall=[1.0] * 7,
        confusion=[[int(i == k) for k in range(7)] for i in range(7)],
        seconds=0.1,
        device="cpu x 1",
        precision="float32",
        versions={"python": "3"},
        commit={},
        created="2026-01-01T00:00:00+00:00",
    )
    return row, [{"epoch": 0, "val_accuracy": 0.6}]


def quick(job, on_epoch):
    """Done at once."""
    return result(job)


def telling(job, on_epoch):
    """Two epochs, told one by one."""
    row, (epoch,) = result(job)
    history = [epoch | {"epoch": k, "train_accuracy": 0.5, "seconds": 1.0} for k in range(2)]
    for entry in history:
        on_epoch(entry)
    return row, history


def slow(job, on_epoch):
    """Model 1 is quick; the others are long enough to be killed in, the first time.

    Each leaves a file with the id of its process.
    """
    Path(job.root).mkdir(parents=True, exist_ok=True)
    begun = Path(job.root) / f"{job.run.variant}-{job.run.config.seed}.begun"
    first = not begun.exists()
    begun.write_text(str(os.getpid()))
    for _ in range(600 if first and job.run.variant != "model1" else 0):
        time.sleep(0.1)
    return result(job)


def ears(job, on_epoch):
    """Says whether this process was born deaf to Ctrl-C, and what kind of lock tqdm took."""
    from tqdm import tqdm

    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    raise FercourseError(f"{signal.SIGINT in blocked}, {type(tqdm.get_lock()).__name__}")


def sight(job, on_epoch):
    """Says which GPUs this process sees, and who it is; model 3 raises after that."""
    time.sleep(0.3)  # so that each of two workers gets a job
    seen = f"{os.environ.get('CUDA_VISIBLE_DEVICES')}, {os.getpid()}"
    if job.run.variant == "model3":
        raise RuntimeError(seen)
    raise FercourseError(seen)


def deadly(job, on_epoch):
    """Model 2 kills its worker the first time, model 3 always, model 4 raises, 5 is refused."""
    time.sleep(0.05)
    variant, once = job.run.variant, Path(job.root) / "killed"
    if variant == "model3" or (variant == "model2" and not once.exists()):
        once.parent.mkdir(parents=True, exist_ok=True)
        if variant == "model2":
            once.touch()
        os.kill(os.getpid(), KILL)
        time.sleep(60)
    if variant == "model4":
        raise RuntimeError("CUDA out of memory")
    if variant == "model5":
        raise FercourseError("There are no faces.")
    return result(job)


def no_data(config, source):
    """In place of loading: the fingerprint of :func:`result`."""
    return SimpleNamespace(fingerprint=FINGERPRINT)


def tiny(job, on_epoch):
    """The real thing, on bars instead of faces."""
    jobs.load_once = _bars
    return jobs.work(job, on_epoch)


def _bars(config, source):
    from made_faces import bar_dataset  # torch, which the other workers need not import

    return bar_dataset(64)


if __name__ == "__main__":
    from fercourse.experiments import runner
    from fercourse.experiments.plans import plan
    from fercourse.runs.ledger import Ledger

    jobs.load_once = no_data
    book, runs = Ledger(sys.argv[1]), plan("table1", "synthetic", "smoke", 1, (1, 2, 3))
    import made_runs  # so that workers find slow() by a name they can import

    runner.run(
        runs, book, jobs=2, device="cpu", out=sys.argv[2], progress=False, work=made_runs.slow
    )
