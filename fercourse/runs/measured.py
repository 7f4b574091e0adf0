"""What every measured line of the ledger has: whatever was trained, and however."""

from __future__ import annotations

import functools
import math
import platform
import subprocess
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import fercourse
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.drawings import present
from fercourse.datasets.registry import known
from fercourse.runs.entry import SCHEMA, Entry

LABELS = ("full", "cpu", "smoke")
"""By how much was spent on a run."""


@dataclass(frozen=True, kw_only=True)
class Measured(Entry):
    """A measurement; its kinds are :class:`Row`, of a network, and :class:`ShallowRow`.

    Attributes:
        schema: Version of this layout.
        seed: Of all that is left to chance.
        fingerprint: Of the data, as they were drawn or read; two rows compare only if what it
            stands for, ``faces``, is equal.
        splits: Images in "train", "val", "test", and "test_clean" where duplicates are known.
        selection: How what is reported was chosen, and on which split.
        val_accuracy: Of what was chosen on the split that chose it.
        test_accuracy: Single view, all test images.
        test_accuracy_clean: Without test images that have a near-duplicate in training.
        recall: Per class, in label order; None where the class has no test image.
        confusion: Counts, K x K, row = truth, column = answer; single view.
        seconds: Wall time of training.
        device: Such as "cuda:NVIDIA H100" or "cpu".
        versions: Of python, torch, torchvision and fercourse.
        commit: {"revision": ..., "dirty": ...} of the code; None outside a checkout.
        created: UTC, ISO 8601.
        note: Anything a reader should know.
    """

    seed: int
    fingerprint: str
    splits: dict[str, int]
    selection: str
    val_accuracy: float
    test_accuracy: float
    test_accuracy_clean: float | None = None
    recall: list[float | None]
    confusion: list[list[int]]
    seconds: float
    device: str
    versions: dict[str, str]
    commit: dict[str, Any] | None = None
    created: str
    note: str = ""
    schema: int = SCHEMA

    @property
    def data(self) -> DataConfig:
        """The data set as it was loaded."""
        raise NotImplementedError

    @property
    def experiment(self) -> Hashable:
        """What repetitions share: everything but seed and fold."""
        raise NotImplementedError

    @property
    def cross_validation(self) -> Hashable:
        """What the folds of one cross-validation share."""
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """The run and the data it ran on: what the ledger holds once, and a file name."""
        return f"{self.key}-{self.fingerprint[:8]}"

    @property
    def faces(self) -> str:
        """The fingerprint of the data as they are drawn now: equal for runs on the same faces."""
        return present(self.fingerprint)

    @property
    def folded(self) -> bool:
        """Whether this is one fold of a cross-validation."""
        return known(self.dataset).folded

    @property
    def pair_key(self) -> tuple[int, int, str]:
        """Seed, fold and faces: what two runs share that may be paired."""
        return self.seed, self.data.fold, self.faces

    @property
    def copy(self) -> str | int:
        """Which copy of the data set: its faces, or where folds are cut, how many there are.

        There a fingerprint tells the cut too, which each seed makes anew.
        """
        if self.folded:
            return sum(self.splits[name] for name in ("train", "val", "test"))
        return self.faces

    def problems(self) -> list[str]:
        """What contradicts itself in this row, one phrase each; empty if nothing does."""
        found = super().problems()
        if self.label not in LABELS:
            found.append(f"label {self.label!r} is not one of {', '.join(LABELS)}")
        if not _is_utc(self.created):
            found.append(f"created {self.created!r} is not a UTC time in ISO 8601")
        return found + self._count_problems()

    def _count_problems(self) -> list[str]:
        """The confusion matrix against the numbers that follow from it."""
        side = len(self.confusion)
        counts = [n for row in self.confusion for n in row]
        if any(len(row) != side for row in self.confusion) or min(counts, default=-1) < 0:
            return ["confusion is not a K x K table of counts"]
        found, total = [], sum(counts)
        if "test" not in self.splits or total != self.splits["test"]:
            found.append(
                f"confusion counts {total} images, the test split has {self.splits.get('test')}"
            )
        right = sum(self.confusion[k][k] for k in range(side))
        if total and abs(right / total - self.test_accuracy) > 1e-6:
            found.append(
                f"test_accuracy {self.test_accuracy:.6f} is not the confusion matrix's, "
                f"{right / total:.6f}"
            )
        expected = [row[k] / sum(row) if sum(row) else None for k, row in enumerate(self.confusion)]
        if len(self.recall) != side or any(
            (a is None) != (b is None) or (a is not None and b is not None and abs(a - b) > 1e-6)
            for a, b in zip(self.recall, expected, strict=True)
        ):
            found.append("recall is not the confusion matrix's")
        return found


def counted(confusion: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The fields that follow from a (K, K) confusion matrix, and that matrix in plain numbers."""
    from fercourse.evaluation import metrics

    counts = [[int(n) for n in row] for row in confusion]
    recall = metrics.recall_per_class(counts)
    return {
        "test_accuracy": metrics.accuracy(counts),
        "recall": [None if math.isnan(r) else float(r) for r in recall],
        "confusion": counts,
    }


def provenance() -> dict[str, Any]:
    """The fields that say when and by what a row was measured."""
    return {
        "versions": versions(),
        "commit": commit(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@functools.cache
def versions() -> dict[str, str]:
    """What a result may depend on: python, torch, torchvision and fercourse."""
    found = {"python": platform.python_version(), "fercourse": fercourse.__version__}
    for name in ("torch", "torchvision"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


@functools.cache
def commit() -> dict[str, Any] | None:
    """The package's git revision and whether its code was changed since; None if not a checkout."""
    package = Path(fercourse.__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(package), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # not installed inside another's checkout
        return {"revision": git("rev-parse", "HEAD"), "dirty": bool(git("status", "-s", "--", "."))}
    except (OSError, subprocess.CalledProcessError):
        return None


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False
