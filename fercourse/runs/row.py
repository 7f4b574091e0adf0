"""A measured run in the ledger: everything needed to trace a number back to where it came from."""

from __future__ import annotations

import functools
import math
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import fercourse
from fercourse.config import COMPONENTS, RunConfig, preset
from fercourse.config import LABELS as PRESETS
from fercourse.datasets.drawings import present
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.runs.entry import SCHEMA, Entry, field_types

LABELS = ("full", "cpu", "smoke")
"""By how much was spent on a run."""

_NAMED = {
    *(f"model.{name}" for name in COMPONENTS),
    *("model.width", "model.num_classes", "model.imagenet", "loss.label_smoothing"),
    *("loss.weight", "loss.pair_weight", "train.epochs", "train.augment", "train.mixup"),
}
"""What a recipe in words names by itself, or a table in its other columns."""


@dataclass(frozen=True, kw_only=True)
class Row(Entry):
    """A measured run.

    Attributes:
        schema: Version of this layout.
        seed: Of initialisation, batches and augmentation.
        config: The whole RunConfig as a nested dict.
        hash: The config's hash, without the seed.
        fingerprint: Of the data, as they were drawn or read; two rows compare only if what it
            stands for, ``faces``, is equal.
        splits: Images in "train", "val", "test", and "test_clean" where duplicates are known.
        selection: How the reported epoch was chosen, and on which split.
        best_epoch: The epoch reported.
        val_accuracy: Of that epoch on the split that selected it.
        test_accuracy: Single view, all test images.
        test_accuracy_clean: Without test images that have a near-duplicate in training.
        test_accuracy_flip: Probabilities averaged over the image and its mirror image.
        test_accuracy_flip_clean: Both.
        recall: Per class, in label order; None where the class has no test image.
        confusion: Counts, K x K, row = truth, column = answer; single view.
        seconds: Wall time of training.
        device: Such as "cuda:NVIDIA H100" or "cpu".
        precision: "float32" or "bf16", as it ran.
        versions: Of python, torch, torchvision and fercourse.
        commit: {"revision": ..., "dirty": ...} of the code; None outside a checkout.
        created: UTC, ISO 8601.
        note: Anything a reader should know.
    """

    seed: int
    config: dict[str, Any]
    hash: str
    fingerprint: str
    splits: dict[str, int]
    selection: str
    best_epoch: int
    val_accuracy: float
    test_accuracy: float
    test_accuracy_clean: float | None = None
    test_accuracy_flip: float | None = None
    test_accuracy_flip_clean: float | None = None
    recall: list[float | None]
    confusion: list[list[int]]
    seconds: float
    device: str
    precision: str
    versions: dict[str, str]
    commit: dict[str, Any] | None = None
    created: str
    note: str = ""
    schema: int = SCHEMA

    @property
    def identity(self) -> str:
        """The run and the data it ran on: what the ledger holds once, and a file name."""
        return f"{self.key}-{self.fingerprint[:8]}"

    @property
    def faces(self) -> str:
        """The fingerprint of the data as they are drawn now: equal for runs on the same faces."""
        return present(self.fingerprint)

    @property
    def run(self) -> RunConfig:
        """The config as an object; fields added to RunConfig since then take their defaults."""
        return RunConfig.from_dict(self.config)

    @property
    def folded(self) -> bool:
        """Whether this is one fold of a cross-validation."""
        return known(self.dataset).folded

    @property
    def pair_key(self) -> tuple[int, int, str]:
        """Seed, fold and faces: what two runs share that may be paired."""
        return self.run.seed, self.run.data.fold, self.faces

    def group_key(self, *but_for: str) -> tuple[object, ...]:
        """Equal for runs of one experiment on one copy of a data set: repetitions of one another.

        Args:
            but_for: Config fields in which they may differ besides: those that are compared.
        """
        copy: object = self.faces
        if self.folded:
            # A fingerprint tells the cut too, which each seed makes anew: the copies in use are
            # told apart by the number of their faces.
            copy = sum(self.splits[name] for name in ("train", "val", "test"))
        return self.dataset, self.label, self.run.experiment.without(*but_for), copy

    @property
    def recipe(self) -> str:
        """For tables: "48 px, width 0.375, 16 epochs, light augmentation"."""
        return f"{self.run.data.size} px, width {self.run.model.width:g}, {self.training}"

    @property
    def training(self) -> str:
        """The half of :attr:`recipe` about training: "16 epochs, light augmentation"."""
        c = self.run
        augmentation = "no" if c.train.augment == "none" else c.train.augment
        parts = [f"{c.train.epochs} epochs", f"{augmentation} augmentation"]
        if c.train.mixup:
            parts.append(f"mixup {c.train.mixup:g}")
        if c.loss.label_smoothing:
            parts.append(f"label smoothing {c.loss.label_smoothing:g}")
        if c.model.imagenet:
            parts.append("ImageNet weights")
        if c.data.crop:
            parts.append("MTCNN crops")
        if c.data.drawn:
            parts.append(f"{c.data.drawn} drawn faces added")
        if c.data.drawn_first:
            parts.append(f"alone for {c.data.drawn_first} epochs")
        return ", ".join([*parts, *self._unusual()])

    def _unusual(self) -> list[str]:
        """Settings that no preset of the label has and nothing above names: "dropout=0.5"."""
        lists = []
        for name, label in PRESETS.items():
            if label == self.label:
                usual = preset(name).change(**known(self.dataset).recipe.get(name, {}))
                other = self.run.diff(usual.change(seed=self.seed, data=self.run.data))
                lists.append(
                    [f"{k.partition('.')[2]}={v}" for k, v in other.items() if k not in _NAMED]
                )
        return min(lists, key=len, default=[])

    def value(self, name: str) -> Any:
        """A field, or by a dotted name one of the config: ``row.value("loss.weight")``."""
        part, _, inner = name.partition(".")
        if not inner:
            if name not in field_types(Row):
                names = ", ".join(field_types(Row))
                raise FercourseError(f"a row has no field {name!r}; it has {names}.")
            return getattr(self, name)
        if inner in self.config.get(part, {}):
            return self.config[part][inner]
        plain = RunConfig().to_dict().get(part)  # what a field added since then was
        if not isinstance(plain, dict) or inner not in plain:
            raise FercourseError(f"{self.key}: its config has no field {name!r}.")
        return plain[inner]

    @classmethod
    def measured(
        cls,
        config: RunConfig,
        *,
        plan: str,
        variant: str,
        label: str,
        fingerprint: str,
        splits: dict[str, int],
        selection: str,
        best_epoch: int,
        val_accuracy: float,
        confusion: Sequence[Sequence[int]],
        seconds: float,
        device: str,
        precision: str,
        test_accuracy_clean: float | None = None,
        test_accuracy_flip: float | None = None,
        test_accuracy_flip_clean: float | None = None,
        note: str = "",
    ) -> Row:
        """The row of a finished run; accuracy and recall follow from its (K, K) confusion matrix.

        Fields are as in :class:`Row`; hash, versions, commit and time are filled in.

        Raises:
            FercourseError: The numbers contradict one another.
        """
        from fercourse.evaluation import metrics

        counts = [[int(n) for n in row] for row in confusion]
        row = cls(
            key=f"{config.hash}-{config.seed}",
            plan=plan,
            dataset=config.data.name,
            variant=variant,
            label=label,
            seed=config.seed,
            config=config.to_dict(),
            hash=config.hash,
            fingerprint=fingerprint,
            splits={name: int(n) for name, n in splits.items()},
            selection=selection,
            best_epoch=int(best_epoch),
            val_accuracy=float(val_accuracy),
            test_accuracy=metrics.accuracy(counts),
            recall=[None if math.isnan(r) else float(r) for r in metrics.recall_per_class(counts)],
            confusion=counts,
            seconds=round(float(seconds), 1),
            device=device,
            precision=precision,
            versions=versions(),
            commit=commit(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            note=note,
            test_accuracy_clean=_optional(test_accuracy_clean),
            test_accuracy_flip=_optional(test_accuracy_flip),
            test_accuracy_flip_clean=_optional(test_accuracy_flip_clean),
        )
        found = row.problems()
        if found:
            raise FercourseError(f"run {row.key} cannot be recorded: {'; '.join(found)}.")
        return row

    def problems(self) -> list[str]:
        """What contradicts itself in this row, one phrase each; empty if nothing does."""
        found = super().problems()
        if self.label not in LABELS:
            found.append(f"label {self.label!r} is not one of {', '.join(LABELS)}")
        try:
            run = self.run
        except (FercourseError, TypeError) as error:
            return [*found, f"its config cannot be read: {error}"]
        if run.hash != self.hash:
            found.append(f"hash {self.hash} is not its config's, {run.hash}")
        if self.key != f"{self.hash}-{self.seed}":
            found.append(f"key {self.key} is not its hash and seed, {self.hash}-{self.seed}")
        if run.seed != self.seed:
            found.append(f"seed {self.seed} is not its config's, {run.seed}")
        if run.data.name != self.dataset:
            found.append(f"dataset {self.dataset!r} is not its config's, {run.data.name!r}")
        if not 0 <= self.best_epoch < run.train.epochs:
            found.append(f"best_epoch {self.best_epoch} is not one of {run.train.epochs}")
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


def _optional(value: float | None) -> float | None:
    return None if value is None else float(value)


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False
