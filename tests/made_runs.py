"""What workers do in tests: a row without training, or a very short training; sometimes a kill."""

import os
import signal
import time
from pathlib import Path

from made_rows import made_confusion

from fercourse.errors import FercourseError
from fercourse.experiments import job as jobs
from fercourse.experiments.row import Row

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
FINGERPRINT = "f" * 16


def result(job):
    """A row for a job, and its history, from nothing."""
    counts = made_confusion(0.7, sizes=(5,) * 7)
    row = Row.measured(
        job.run.config, plan=job.run.plan, variant=job.run.variant, label=job.run.label,
        fingerprint=FINGERPRINT, splits={"train": 9, "val": 9, "test": 35}, selection="made up",
        best_epoch=0, val_accuracy=0.6, confusion=counts, seconds=0.1, device="cpu x 1",
        precision="float32", note=job.run.note,
    )  # fmt: skip
    return row, [{"epoch": 0, "val_accuracy": 0.6}]


def quick(job, on_epoch):
    """Done at once."""
    return result(job)


def slow(job, on_epoch):
    """Long enough to be killed in; says that it began, and by which process it was ended."""
    Path(job.root).mkdir(parents=True, exist_ok=True)
    begun = Path(job.root) / f"{job.run.variant}-{job.run.config.seed}.begun"
    first = not begun.exists()
    begun.write_text(str(os.getpid()))
    for _ in range(600 if first else 0):
        time.sleep(0.1)
    return result(job)


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


def tiny(job, on_epoch):
    """The real thing, on bars instead of faces."""
    jobs.load_once = _bars
    return jobs.work(job, on_epoch)


def _bars(config, source):
    from made_faces import bar_dataset  # torch, which the other workers need not import

    return bar_dataset(64)
