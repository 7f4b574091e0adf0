"""A run, written down: model, loss, training and data as frozen values with a stable hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal

from fercourse.datasets.data_config import DataConfig
from fercourse.datasets.registry import known
from fercourse.field_checks import check_types, require


@dataclass(frozen=True)
class Component:
    """A part of the framework that can be switched off.

    Attributes:
        switch: The field of :class:`ModelConfig`.
        title: What tables and figures call it.
        heading: The paper's word over its column of Table 1.
        section: Of the paper.
        row: Of Table 1, from which on it is switched on; None for a component of our own.
    """

    switch: str
    title: str
    heading: str = ""
    section: str = ""
    row: int | None = None


PARTS = (
    Component("fusion", "fusion", "Multi-feature fusion", "2.1", row=2),
    Component("gcca", "GCCA", "GCCA", "2.3", row=3),
    Component("decoder", "partial decoder", "PD", "2.4", row=4),
    Component("reverse", "reverse attention", "RA", "2.5", row=5),
    Component("joint_loss", "joint loss", "Joint loss", "2.6", row=6),
)
"""The components: tables, figures, names of variants and the ablation board read this."""

COMPONENTS = tuple(part.switch for part in PARTS)
"""Their switches."""

ARCHITECTURES: dict[str, str | Callable[[ModelConfig], Any]] = {
    "fernet": "fercourse.models.fernet:FERNet",
    "inception": "fercourse.models.inception:Inception",
    "skip": "fercourse.models.skip:SkipNet",
    "channels": "fercourse.models.channels:MultiChannel",
    "swift": "fercourse.models.swift:Swift",
}
"""Networks by name: the paper's framework, three methods of Table 2 and the speedrun's trunk, each
a subclass of :class:`fercourse.models.Recogniser`, or where it is to be imported from. Yours goes
beside them."""

ATTENTIONS = ("gcca", "se", "cbam", "eca")
"""What can stand in GCCA's place: its relatives, to compare."""


@dataclass(frozen=True)
class ModelConfig:
    """The framework with one switch a component; Table 1's six models are six values of it.

    Attributes:
        fusion: Add the pooled edge map and C3, C4 to the pooled C5 (Table 1, column 1).
        gcca: Channel attention after every block (section 2.3).
        decoder: Partial decoder and its global map (section 2.4).
        reverse: Reverse attention (section 2.5); needs the decoder's map to start from.
        joint_loss: Train with eq. 7 instead of cross-entropy alone (section 2.6).
        num_classes: Logits; 7 in the paper.
        in_channels: 1 for grey, 3 for RGB.
        width: Factor on every channel count of VGG16.
        embedding: Length of the vector the island loss acts on.
        dropout: Probability in [0, 1), before the embedding.
        reduction: GCCA's squeeze, C -> C / reduction.
        decoder_channels: Channels each level is reduced to in the partial decoder.
        imagenet: Start from torchvision's VGG16-BN weights (width 1 only).
        map_scale: Standard deviation over the face that P_d and every S_i are given, in logits;
            0, the paper's reading, leaves them as they come, and they come out flat.
        gcca_norm: Batch norm in GCCA's squeeze, so that its weights depend on the face; off in the
            paper's reading, where they hardly do.
        gcca_descriptor_norm: Another mend of that: descriptors are normalised over the batch.
        gcca_zero_sum: A third one: what all channels share cancels in GCCA's squeeze at the start.
        attention: What ``gcca`` puts there: "gcca", or to compare "se", "cbam" (the word in the
            caption of fig. 2; both its halves) or "eca", as their authors publish them.
        architecture: One of :data:`ARCHITECTURES`: "fernet" is the paper's, which alone has the
            components above and what belongs to them; the others have width, embedding, dropout,
            classes and input in common with it.
        dirac: Convolutions start by passing on what they get
            (:func:`fercourse.modules.blocks.start_kernels`); off in the paper's reading.
    """

    fusion: bool = True
    gcca: bool = True
    decoder: bool = True
    reverse: bool = True
    joint_loss: bool = True
    num_classes: int = 7
    in_channels: int = 1
    width: float = 1.0
    embedding: int = 128
    dropout: float = 0.001
    reduction: int = 16
    decoder_channels: int = 32
    imagenet: bool = False
    map_scale: float = 0.0
    gcca_norm: bool = False
    gcca_descriptor_norm: bool = False
    gcca_zero_sum: bool = False
    attention: Literal["gcca", "se", "cbam", "eca"] = "gcca"
    architecture: str = "fernet"
    dirac: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        require(self.in_channels in (1, 3), f"in_channels must be 1 or 3, not {self.in_channels}.")
        require(self.width > 0, f"width must be positive, not {self.width}.")
        require(0 <= self.dropout < 1, f"dropout must be in [0, 1), not {self.dropout}.")
        require(self.num_classes >= 2, f"num_classes must be at least 2, not {self.num_classes}.")
        for name in ("embedding", "reduction", "decoder_channels"):
            value = getattr(self, name)
            require(value >= 1, f"{name} must be at least 1, not {value}.")
        require(self.map_scale >= 0, f"map_scale must not be negative: {self.map_scale}.")
        require(
            self.attention in ATTENTIONS,
            f"attention must be one of {', '.join(ATTENTIONS)}, not {self.attention!r}.",
        )
        require(
            self.attention == "gcca"
            or not (self.gcca_norm or self.gcca_descriptor_norm or self.gcca_zero_sum),
            f"gcca_norm, gcca_descriptor_norm and gcca_zero_sum mend GCCA, not {self.attention}.",
        )
        require(
            self.decoder or not self.reverse,
            "reverse attention starts from the decoder's map: switch decoder on, or reverse off.",
        )
        require(
            self.architecture in ARCHITECTURES,
            f"architecture must be one of {', '.join(ARCHITECTURES)}, not {self.architecture!r}.",
        )
        require(
            self.architecture == "fernet"
            or not (self.imagenet or any(getattr(self, name) for name in COMPONENTS)),
            f"{', '.join(COMPONENTS)} and imagenet belong to the architecture fernet: "
            f"switch them off for {self.architecture}.",
        )
        require(
            not self.dirac or self.architecture in ("fernet", "swift"),
            f"dirac is for the architectures fernet and swift, not {self.architecture}.",
        )
        require(
            not self.imagenet or self.width == 1,
            f"ImageNet weights exist for width 1 only, not {self.width}.",
        )

    @classmethod
    def table1(cls, row: int, **changes: Any) -> ModelConfig:
        """Model ``row`` (1 to 6) of Table 1: each row switches one more component on.

        >>> ModelConfig.table1(3).gcca, ModelConfig.table1(3).decoder
        (True, False)
        """
        require(row in range(1, 7), f"Table 1 has models 1 to 6, not {row}.")
        switches: dict[str, Any] = {
            part.switch: part.row is not None and row >= part.row for part in PARTS
        }
        return cls(**(switches | changes))

    @property
    def name(self) -> str:
        """As variants are called: "model6", "skip", or "fusion+decoder", which Table 1 has not."""
        if self.architecture != "fernet":
            return self.architecture
        if self.table1_row:
            return f"model{self.table1_row}"
        return "+".join(name for name in COMPONENTS if getattr(self, name))

    @property
    def table1_row(self) -> int | None:
        """The row of Table 1 with these switches, or None where the paper has no such model."""
        if self.architecture != "fernet":
            return None
        switches = {name: getattr(self, name) for name in COMPONENTS}
        row = 1 + sum(switches.values())
        fits = {part.switch: part.row is not None and row >= part.row for part in PARTS}
        return row if switches == fits else None


@dataclass(frozen=True)
class LossConfig:
    """Eq. 5 to 7: ``L = L_S + lambda (L_C + lambda_1 L_I-COS)``.

    Attributes:
        weight: The paper's lambda, 0.005.
        pair_weight: The paper's lambda_1, 7.
        center_rate: Step of the published centre update (alpha in Cai et al. 2018), in (0, 1].
        centers: "published" moves centres by that update; "learned" by the optimizer.
        label_smoothing: Share of the target spread over all classes, in [0, 1); 0 in the paper.
        map_weight: Of map supervision: P_d and every S_i against the pixels that the expression
            changes, which only drawn faces know (:func:`fercourse.losses.map_loss`). 0, the
            paper's reading, has none.
        triplet_weight: Of the triplet loss beside the cross-entropy
            (:func:`fercourse.losses.triplet_loss`); 0, as in the paper, has none.
        class_weights: Exponent in [0, 1] of class-balanced cross-entropy
            (:func:`fercourse.losses.class_weights`): 1 makes the classes weigh the same, 0, as in
            the paper, the faces.
        focal: Exponent of the focal loss (:func:`fercourse.losses.balanced_focal`); 0, as in the
            paper, is the cross-entropy.
    """

    weight: float = 0.005
    pair_weight: float = 7.0
    center_rate: float = 0.5
    centers: Literal["published", "learned"] = "published"
    label_smoothing: float = 0.0
    map_weight: float = 0.0
    triplet_weight: float = 0.0
    class_weights: float = 0.0
    focal: float = 0.0

    def __post_init__(self) -> None:
        check_types(self)
        require(self.weight >= 0, f"lambda must not be negative: {self.weight}.")
        require(self.pair_weight >= 0, f"lambda_1 must not be negative: {self.pair_weight}.")
        require(
            self.centers in ("published", "learned"),
            f"centers must be 'published' or 'learned', not {self.centers!r}.",
        )
        require(0 < self.center_rate <= 1, f"center_rate must be in (0, 1]: {self.center_rate}.")
        require(
            0 <= self.label_smoothing < 1,
            f"label_smoothing must be in [0, 1): {self.label_smoothing}.",
        )
        require(self.map_weight >= 0, f"map_weight must not be negative: {self.map_weight}.")
        require(
            self.triplet_weight >= 0, f"triplet_weight must not be negative: {self.triplet_weight}."
        )
        require(
            0 <= self.class_weights <= 1,
            "class_weights must be in [0, 1], where 1 makes all classes weigh the same: "
            f"{self.class_weights}.",
        )
        require(self.focal >= 0, f"focal must not be negative: {self.focal}.")


@dataclass(frozen=True)
class TrainConfig:
    """How the weights are found.

    Attributes:
        epochs: Passes over the training split (an upper bound under schedule "plateau").
        batch_size: Images a step.
        optimizer: "sgd" (Nesterov, momentum 0.9), "adamw", "lion" or "muon"; see
            :func:`fercourse.training.optim.make_optimizer`.
        lr: Peak learning rate.
        weight_decay: On convolution and linear weights only, not on biases or batch norm.
        schedule: "plateau" halves at the epoch after ``patience`` ones without a lower validation
            loss (the paper's rule); "cosine" rises for ``warmup`` and then falls to nothing along
            a cosine.
        patience: Epochs, for "plateau".
        warmup: Share of all steps in which the rate rises, for "cosine".
        augment: "none", "paper" (the 15-fold set, one member drawn a step), "light" or "course";
            see :mod:`fercourse.augment`.
        flip: "random" flips half of the faces of "light" and "course", by chance; "alternating"
            shows each face and its mirror image in turns, an epoch each
            (:func:`fercourse.augment.alternate`).
        start_size: Pixels a side in the first epochs; sizes grow by eight up to the data's, each
            for an equal share of the epochs (:func:`fercourse.training.loop.sizes`); 0 trains at
            the data's size throughout.
        hardest: Share of each batch that is trained on, those with the highest loss before the
            step (Jiang et al., *Accelerating Deep Learning by Focusing on the Biggest Losers*,
            2019); 1 trains on all.
        teacher: Name of a bundled model or file of weights, whose probabilities the training faces
            are given as targets, halfway with their labels (Hinton et al., *Distilling the
            Knowledge in a Neural Network*, 2015); empty for none.
        fog: Share of the training faces that stand in fog (:func:`fercourse.augment.foggy`); 0
            switches it off.
        mixup: Beta parameter; 0 switches it off.
        ema: Decay of the weight average that is validated and kept; 0 switches it off.
        ema_corrected: Let that average start as the plain mean of the steps so far, until ``ema``
            forgets faster: the first weights then leave no trace in short runs.
        swa: Share of the run, at its end, in which the rate stays where it is and the plain mean
            of the weights is validated and kept, in place of ``ema``'s (Izmailov et al.,
            *Averaging Weights Leads to Wider Optima and Better Generalization*, 2018); 0
            switches it off.
        clip: Largest gradient norm; 0 switches it off.
        precision: "auto" is bf16 where it is native, else float32.
        compile: torch.compile the model.
        cuda_graphs: With ``compile``: record the model's kernels once and replay them, which spares
            a small net's launches (torch.compile's mode "reduce-overhead"; without CUDA it changes
            nothing).
    """

    epochs: int = 30
    batch_size: int = 128
    optimizer: Literal["sgd", "adamw", "lion", "muon"] = "sgd"
    lr: float = 0.05
    weight_decay: float = 5e-4
    schedule: Literal["plateau", "cosine"] = "cosine"
    patience: int = 3
    warmup: float = 0.2
    augment: Literal["none", "paper", "light", "course"] = "course"
    flip: Literal["random", "alternating"] = "random"
    start_size: int = 0
    hardest: float = 1.0
    teacher: str = ""
    fog: float = 0.0
    mixup: float = 0.0
    ema: float = 0.0
    ema_corrected: bool = False
    swa: float = 0.0
    clip: float = 0.0
    precision: Literal["auto", "float32", "bf16"] = "auto"
    compile: bool = False
    cuda_graphs: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        require(self.epochs >= 1, f"epochs must be at least 1, not {self.epochs}.")
        require(self.batch_size >= 2, f"batch_size must be at least 2, not {self.batch_size}.")
        require(self.lr > 0, f"lr must be positive, not {self.lr}.")
        require(self.weight_decay >= 0, f"weight_decay must not be negative: {self.weight_decay}.")
        require(0 <= self.ema < 1, f"ema must be in [0, 1), not {self.ema}.")
        require(0 <= self.swa < 1, f"swa must be in [0, 1), not {self.swa}.")
        require(0 <= self.warmup < 1, f"warmup must be in [0, 1), not {self.warmup}.")
        require(0 < self.hardest <= 1, f"hardest must be in (0, 1], not {self.hardest}.")
        require(
            self.start_size == 0 or self.start_size >= 32,
            f"start_size must be 0, or at least 32, which networks need: {self.start_size}.",
        )
        require(0 <= self.fog <= 1, f"fog must be in [0, 1], not {self.fog}.")
        require(self.mixup >= 0, f"mixup must not be negative: {self.mixup}.")
        require(self.clip >= 0, f"clip must not be negative: {self.clip}.")
        require(self.patience >= 0, f"patience must not be negative: {self.patience}.")
        require(
            not (self.swa and self.schedule == "plateau"),
            'swa needs schedule "cosine", whose rate it holds; "plateau" has no known end.',
        )
        require(
            self.compile or not self.cuda_graphs,
            "cuda_graphs needs compile: what is recorded is the compiled model.",
        )
        for name, allowed in (
            ("optimizer", ("sgd", "adamw", "lion", "muon")),
            ("schedule", ("plateau", "cosine")),
            ("augment", ("none", "paper", "light", "course")),
            ("flip", ("random", "alternating")),
            ("precision", ("auto", "float32", "bf16")),
        ):
            value = getattr(self, name)
            require(value in allowed, f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        require(
            self.flip == "random" or self.augment in ("light", "course"),
            f"flip {self.flip!r} is for augment light and course, not {self.augment}.",
        )


_PARTS = {"model": ModelConfig, "loss": LossConfig, "train": TrainConfig, "data": DataConfig}


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's numbers, the machine apart."""

    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    data: DataConfig = field(default_factory=DataConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        for name, part in _PARTS.items():
            value = getattr(self, name)
            require(isinstance(value, part), f"{name} must be a {part.__name__}, not {value!r}.")
        require(
            not (self.data.drawn and known(self.data.name).drawn),
            "data.drawn adds drawn faces to photographs; for drawn ones raise data.count.",
        )
        require(
            not (self.loss.triplet_weight and self.train.mixup),
            "triplet_weight needs mixup 0: blended faces have no one label.",
        )
        require(
            self.train.start_size <= self.data.size,
            f"start_size {self.train.start_size} is larger than the data's {self.data.size}.",
        )
        if self.loss.map_weight:
            require(
                not self.train.start_size, "map_weight needs start_size 0: masks do not shrink."
            )
            require(self.train.hardest == 1, "map_weight needs hardest 1: every mask counts.")
            require(self.model.decoder, "map_weight needs a map: switch the decoder on.")
            require(not self.train.mixup, "map_weight needs mixup 0: blended faces have no mask.")
            require(
                known(self.data.name).drawn or self.data.drawn > 0,
                f"map_weight needs masks, which {self.data.name} has none of: "
                "add drawn faces with data.drawn.",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, as stored beside weights and in the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """Inverse of :meth:`to_dict`; an unknown key is an error that names it."""
        return _build(cls, values, "run")

    def diff(self, other: RunConfig) -> dict[str, Any]:
        """The fields in which this run differs from another, dotted, with this run's values.

        >>> preset("smoke").diff(preset("smoke", seed=3, **{"train.epochs": 2}))
        {'train.epochs': 15, 'seed': 0}
        """
        ours, theirs = _flat(self), _flat(other)
        return {name: value for name, value in ours.items() if value != theirs[name]}

    def without(self, *names: str) -> RunConfig:
        """The run with these fields, or whole parts of it ("loss"), at their defaults.

        Runs that are equal without some fields differ in those alone.
        """
        plain = RunConfig()
        values = {
            name: getattr(getattr(plain, part), key) if key else getattr(plain, part)
            for name in names
            for part, _, key in (name.partition("."),)
        }
        return self.change(**values)

    @property
    def experiment(self) -> RunConfig:
        """The run without its seed and fold: what the repetitions of one experiment share.

        Where a data set is cut into folds, each seed cuts its own.
        """
        cut = ("data.fold", "data.seed") if known(self.data.name).folded else ("data.fold",)
        return self.without("seed", *cut)

    @property
    def hash(self) -> str:
        """Twelve hex digits naming the run without its seed; equal on every machine.

        Only what differs from the defaults is hashed. So a field added later, whose default is
        what was done before it, leaves the names of recorded runs as they are.
        """
        plain = _flat(RunConfig())
        changed = {
            # A whole number where a fraction is meant (lambda_1 = 5) is the same run as 5.0.
            name: type(plain[name])(value)
            for name, value in self.diff(RunConfig()).items()
            if name != "seed"
        }
        return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:12]

    def change(self, **changes: Any) -> RunConfig:
        """A copy with some fields changed, nested ones by a dotted name, all at once.

        >>> preset("smoke").change(**{"train.epochs": 1}, seed=3).train.epochs
        1
        """
        whole: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            part, dot, key = name.partition(".")
            _known(self, part)
            if dot:
                inner = getattr(self, part)
                require(is_dataclass(inner), f"{part} has no fields of its own, as {name} says.")
                _known(inner, key)
                parts.setdefault(part, {})[key] = value
            else:
                whole[part] = value
        for part, values in parts.items():
            whole[part] = replace(whole.get(part, getattr(self, part)), **values)
        return replace(self, **whole)


LABELS = {
    "paper": "full",
    "course": "full",
    "cpu": "cpu",
    "quarter": "cpu",
    "hour": "cpu",
    "long": "cpu",
    "smoke": "smoke",
}
"""The presets, and what the ledger calls the effort of each."""


def preset(name: str, model: int = 6, **changes: Any) -> RunConfig:
    """A named recipe for Table 1's model ``model``; ``changes`` as in :meth:`RunConfig.change`.

    ===========  =================================================================
    ``paper``    224 px, MTCNN crops, 15-fold set, halving on a plateau (section 3)
    ``course``   48 px, long and strongly augmented, for a GPU
    ``cpu``      48 px, a useful FER2013 model within the hour on two cores
    ``quarter``  48 px, the speedrun's recipe: a quarter of an hour on two cores
    ``hour``     48 px, the same recipe, wider and longer: an hour on two cores
    ``long``     48 px, wider and longer again: two hours on two cores, model 1
    ``smoke``    48 px, built-in faces, a tiny net, about a minute
    ===========  =================================================================
    """
    recipes = {
        "paper": _paper,
        "course": _course,
        "cpu": _cpu,
        "quarter": _quarter,
        "hour": _hour,
        "long": _long,
        "smoke": _smoke,
    }
    require(name in LABELS, f"{name!r} is not a preset; use one of {', '.join(LABELS)}.")
    return recipes[name](model).change(**changes)


def _paper(model: int) -> RunConfig:
    return RunConfig(
        model=ModelConfig.table1(model),
        train=TrainConfig(epochs=60, batch_size=64, lr=0.01, schedule="plateau", augment="paper"),
        data=DataConfig("fer2013", size=224, crop=True),
    )


def _course(model: int) -> RunConfig:
    return RunConfig(
        model=ModelConfig.table1(model, dropout=0.2),
        loss=LossConfig(label_smoothing=0.1),
        train=TrainConfig(epochs=150, batch_size=128, lr=0.05, warmup=0.03, ema=0.999, mixup=0.2),
        data=DataConfig("fer2013"),
    )


def _cpu(model: int) -> RunConfig:
    return RunConfig(
        model=ModelConfig.table1(model, width=0.375),
        train=TrainConfig(epochs=16, batch_size=128, lr=0.05, ema=0.998, augment="light"),
        data=DataConfig("fer2013"),
    )


def _quarter(model: int) -> RunConfig:
    return RunConfig(
        model=ModelConfig.table1(model, width=0.25),
        loss=LossConfig(label_smoothing=0.1),
        train=TrainConfig(
            epochs=24,
            batch_size=128,
            optimizer="muon",
            lr=0.02,
            weight_decay=0.05,
            ema=0.995,
            augment="light",
        ),
        data=DataConfig("fer2013"),
    )


def _hour(model: int) -> RunConfig:
    return _quarter(model).change(
        **{
            "model.width": 0.375,
            "train.epochs": 50,
            "train.ema": 0.998,
            "train.augment": "course",
        }
    )


def _long(model: int) -> RunConfig:
    return _hour(model).change(**{"model.width": 0.5, "train.epochs": 60})


def _smoke(model: int) -> RunConfig:
    return RunConfig(
        model=ModelConfig.table1(model, width=0.125, embedding=32),
        train=TrainConfig(epochs=15, batch_size=32, lr=0.05, augment="none"),
        data=DataConfig("synthetic", count=4000),
    )


def field_names() -> list[str]:
    """Every field of a run by its dotted name, but for the seed."""
    return [name for name in _flat(RunConfig()) if name != "seed"]


def _flat(config: RunConfig) -> dict[str, Any]:
    """All fields by their dotted names."""
    parts = {
        f"{part}.{f.name}": getattr(getattr(config, part), f.name)
        for part, kind in _PARTS.items()
        for f in fields(kind)
    }
    return parts | {"seed": config.seed}


def _known(config: Any, name: str) -> None:
    names = [f.name for f in fields(config)]
    # What comes near is looked for where it is said alone: it takes a while.
    near = [] if name in names else get_close_matches(name, names, 1)
    require(
        name in names,
        f"{type(config).__name__} has no field {name!r}"
        f"{f': did you mean {near[0]!r}? It' if near else '; it'} has {', '.join(names)}.",
    )


def _build(cls: type, values: dict[str, Any], where: str) -> Any:
    known = {f.name: f for f in fields(cls)}
    require(isinstance(values, dict), f"{where} must be a table of fields, not {values!r:.40}.")
    for name in values:
        require(name in known, f"{where} has an unknown field {name!r}.")
    return cls(
        **{
            name: _build(_PARTS[name], value, f"{where}.{name}") if name in _PARTS else value
            for name, value in values.items()
        }
    )
