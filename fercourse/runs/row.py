"""A measured run in the ledger: everything needed to trace a number back to where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fercourse.config import COMPONENTS, RunConfig, preset
from fercourse.config import LABELS as PRESETS
from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.runs.entry import field_types
from fercourse.runs.measured import Measured, counted, provenance

_NAMED = {
    *(f"model.{name}" for name in COMPONENTS),
    *(
        "model.architecture",
        "model.width",
        "model.num_classes",
        "model.imagenet",
        "loss.label_smoothing",
    ),
    *("loss.weight", "loss.pair_weight"),
    *("train.epochs", "train.optimizer", "train.augment", "train.mixup"),
}
"""What a recipe in words names by itself, or a table in its other columns."""

_OPTIMIZERS = {"adamw": "AdamW", "lion": "Lion", "muon": "Muon"}
"""But for SGD, which goes without saying."""


@dataclass(frozen=True, kw_only=True)
class Row(Measured):
    """A trained network; what :class:`Measured` does not say already:

    Attributes:
        config: The whole RunConfig as a nested dict.
        hash: The config's hash, without the seed.
        best_epoch: The epoch reported.
        test_accuracy_flip: Probabilities averaged over the image and its mirror image.
        test_accuracy_flip_clean: That, without images that have a near-duplicate in training.
        precision: "float32" or "bf16", as it ran.
    """

    config: dict[str, Any]
    hash: str
    best_epoch: int
    test_accuracy_flip: float | None = None
    test_accuracy_flip_clean: float | None = None
    precision: str

    @property
    def run(self) -> RunConfig:
        """The config as an object; fields added to RunConfig since then take their defaults."""
        return RunConfig.from_dict(self.config)

    @property
    def data(self) -> DataConfig:
        """The data set as it was loaded."""
        return self.run.data

    @property
    def experiment(self) -> RunConfig:
        """The config without its seed and fold."""
        return self.run.experiment

    @property
    def cross_validation(self) -> RunConfig:
        """The config without its fold."""
        return self.run.without("data.fold")

    def group_key(self, *but_for: str) -> tuple[object, ...]:
        """Equal for runs of one experiment on one copy of a data set: repetitions of one another.

        Args:
            but_for: Config fields in which they may differ besides: those that are compared.
        """
        return self.dataset, self.label, self.run.experiment.without(*but_for), self.copy

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
        if c.train.optimizer in _OPTIMIZERS:
            parts[0] += f" by {_OPTIMIZERS[c.train.optimizer]}"
        if c.train.mixup:
            parts.append(f"mixup {c.train.mixup:g}")
        if c.loss.label_smoothing:
            parts.append(f"label smoothing {c.loss.label_smoothing:g}")
        if c.model.imagenet:
            parts.append("ImageNet weights")
        if c.data.crop:
            parts.append("MTCNN crops")
        if c.data.split:
            parts.append(f"not the official split (seed {c.data.seed})")
        if c.data.classes:
            parts.append(f"classes numbered as {c.data.classes}")
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
            **counted(confusion),
            seconds=round(float(seconds), 1),
            device=device,
            precision=precision,
            **provenance(),
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
        return found


def _optional(value: float | None) -> float | None:
    return None if value is None else float(value)
