"""Where each equation, figure and table of the paper is: notebook cell, function, test, status.

``fercourse course map`` writes it to ``docs/paper-to-code.md``, and a test keeps it true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, NamedTuple

import jupytext

from fercourse.config import LossConfig, ModelConfig, RunConfig, TrainConfig
from fercourse.course.build import NOTEBOOKS, SOURCE, sources
from fercourse.files import write_if_changed
from fercourse.markdown import table
from fercourse.runs.groups import grouped, whole_seeds
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row
from fercourse.runs.statistics import paired
from fercourse.settings import ROOT

PAGE = ROOT / "docs" / "paper-to-code.md"

Status = Literal["as printed", "our reading", "deviates"]


@dataclass(frozen=True)
class Item:
    """One numbered thing of the paper.

    Attributes:
        name: "eq. 2", "Fig. 3" or "Table 1"; cells are tagged with it: ``paper="eq. 2"``.
        what: What it is about, in a few words.
        function: Dotted path of the code that is it.
        test: Of that code, "tests/test_x.py::test_name".
        status: "as printed"; "our reading", where the paper leaves something open; "deviates",
            where the code does something else than what is printed.
        note: What was read or changed, and why.
    """

    name: str
    what: str
    function: str
    test: str
    status: Status
    note: str


ITEMS: tuple[Item, ...] = (
    Item(
        "eq. 1",
        "GCCA: the channels' weights",
        "fercourse.modules.gcca.GCCA.attention",
        "tests/modules/test_gcca.py::test_gcca_follows_equations_1_and_2",
        "our reading",
        "The three numbers of one channel are neighbours, and the convolution has one group a "
        "channel. C/16, but never below 4.",
    ),
    Item(
        "eq. 2",
        "GCCA: reweighting with a residual",
        "fercourse.modules.gcca.GCCA.forward",
        "tests/modules/test_gcca.py::test_gcca_follows_equations_1_and_2",
        "as printed",
        "Factored as (1 + M) F. Eq. 1 calls the weights P(F), eq. 2 M_c(F).",
    ),
    Item(
        "eq. 3",
        "Reverse attention: what is left",
        "fercourse.modules.reverse_attention.ReverseAttention.forward",
        "tests/modules/test_reverse_attention.py::test_reverse_attention_follows_equations_3_and_4",
        "our reading",
        "“Dot multiplication” is read as the element-wise product, A_i the same for all channels.",
    ),
    Item(
        "eq. 4",
        "Reverse attention: the weight",
        "fercourse.modules.reverse_attention.ReverseAttention.forward",
        "tests/modules/test_reverse_attention.py::test_reverse_attention_follows_equations_3_and_4",
        "deviates",
        "Printed with C_(i+1), which has hundreds of channels and predicts nothing; the running "
        "prediction S_(i+1) stands there instead, as in the work it cites. The first S is P_d.",
    ),
    Item(
        "eq. 5",
        "Island loss",
        "fercourse.losses.island.IslandLoss.forward",
        "tests/losses/test_joint.py::test_joint_loss_is_equation_7",
        "our reading",
        "L_C is half the mean squared distance over the batch; centres move by the update "
        "published with the island loss.",
    ),
    Item(
        "eq. 6",
        "Cosines between centres",
        "fercourse.losses.island.pair_sum",
        "tests/losses/test_island.py::test_pair_sum_is_equation_6_without_the_diagonal",
        "deviates",
        "Printed over all j and k. A centre's cosine with itself would add 2 K and no gradient: "
        "j = k is left out, as in the original.",
    ),
    Item(
        "eq. 7",
        "Joint loss",
        "fercourse.losses.joint.JointLoss.forward",
        "tests/losses/test_joint.py::test_joint_loss_is_equation_7",
        "as printed",
        "Its L_f, which nothing defines, is taken for eq. 5's L_I.",
    ),
    Item(
        "eq. 8",
        "Acc: mean over N runs",
        "fercourse.evaluation.metrics.mean_accuracy",
        "tests/evaluation/test_metrics.py::test_equations_8_and_9_divide_by_n",
        "as printed",
        "",
    ),
    Item(
        "eq. 9",
        "Sta: spread of N runs",
        "fercourse.evaluation.metrics.stability",
        "tests/evaluation/test_metrics.py::test_equations_8_and_9_divide_by_n",
        "as printed",
        "A standard deviation dividing by N; the text calls it mean square error.",
    ),
    Item(
        "Fig. 1",
        "The framework",
        "fercourse.models.fernet.FERNet.forward",
        "tests/models/test_fernet.py::test_each_row_has_its_maps_and_uses_every_weight",
        "our reading",
        "“Multiple features are fused” is read as the concatenation of pooled vectors; the "
        "decoder's features are averaged under the last map.",
    ),
    Item(
        "Fig. 2",
        "The backbone",
        "fercourse.models.vgg.VGG16Backbone.forward",
        "tests/models/test_fernet.py::test_lateral_sizes_are_the_papers",
        "our reading",
        "The caption says CBAM, text and Fig. 3 say GCCA; GCCA it is, before lateral output and "
        "pooling. Batch norm is ours.",
    ),
    Item(
        "Fig. 3",
        "Three poolings side by side",
        "fercourse.modules.gcca.GCCA.descriptors",
        "tests/modules/test_gcca.py::test_three_descriptors_are_the_three_poolings",
        "our reading",
        "“Random pooling” is read as stochastic pooling: a draw in training, the expectation in "
        "evaluation.",
    ),
    Item(
        "Fig. 4",
        "Partial decoder",
        "fercourse.modules.partial_decoder.PartialDecoder.forward",
        "tests/modules/test_partial_decoder.py::test_partial_decoder_is_the_published_cascade",
        "our reading",
        "The cascade of the work it cites, 32 channels a level.",
    ),
    Item(
        "Fig. 5",
        "Fifteen-fold augmentation",
        "fercourse.augment.fifteen_fold",
        "tests/test_augment.py::test_fifteen_are_five_angles_by_three_flips",
        "our reading",
        "Five rotations of three views (as it is, mirrored, upside down) make 15. Training draws "
        "one of them a step instead of storing all.",
    ),
    Item(
        "Fig. 6",
        "Sweeps of lambda and lambda_1",
        "fercourse.plots.experiments.runs.sweep",
        "tests/plots/test_plots.py::test_sweep_says_whether_the_values_differ_and_where_the_best_mean_lies",
        "our reading",
        "The paper does not say on which split it chose; ours chooses on the validation split.",
    ),
    Item(
        "Fig. 7",
        "Confusion matrix, CK+",
        "fercourse.runs.summaries.pool_folds",
        "tests/runs/test_statistics.py::test_folds_are_pooled_face_by_face",
        "our reading",
        "The paper does not say how CK+ was split: here in ten folds, no person in two.",
    ),
    Item(
        "Fig. 8",
        "Confusion matrix, FER2013",
        "fercourse.plots.training.curves.confusion",
        "tests/plots/test_plots.py::test_confusion_rows_are_per_cent_of_the_truth",
        "as printed",
        "Per cent of the true class. What the text says of it is taken apart in lesson 19.",
    ),
    Item(
        "Table 1",
        "Six models, a component at a time",
        "fercourse.config.ModelConfig.table1",
        "tests/test_config.py::test_table_1",
        "as printed",
        "Models 5 and 6 are one network: they differ by the loss.",
    ),
    Item(
        "Table 2",
        "Other methods",
        "fercourse.runs.table2.standings",
        "tests/runs/test_table2.py::test_standings_are_in_the_tables_order_with_claims",
        "our reading",
        "All five run again in compact versions in their spirit, on one field; [9] is undefined on "
        "stills. The paper's numbers stand beside as claims.",
    ),
)
"""Every equation, figure and table of the paper."""

OPEN: dict[str, str] = {
    "model.in_channels": "grey or RGB",
    "model.embedding": "which vector the island loss acts on, and its length",
    "model.dropout": "where the 0.001 acts",
    "model.decoder_channels": "channels a level of the decoder",
    "model.imagenet": "whether VGG16 starts pre-trained",
    "model.map_scale": "what makes the global map vary over the face",
    "model.gcca_norm": "what makes channel weights depend on the face",
    "model.gcca_descriptor_norm": "the same, by normalised descriptors",
    "model.gcca_zero_sum": "the same, by how the weights start",
    "model.attention": "which attention stands behind a block: the caption of fig. 2 says CBAM",
    "loss.weight": "on which split lambda was chosen",
    "loss.pair_weight": "on which split lambda_1 was chosen",
    "loss.center_rate": "the step of the centres",
    "loss.centers": "how centres move: by the published update, or learned",
    "train.epochs": "how long",
    "train.batch_size": "how many images a step",
    "train.optimizer": "which",
    "train.lr": "where it starts",
    "train.weight_decay": "whether there is any",
    "train.schedule": "which loss must cease to decrease, training or validation",
    "train.patience": "whether the third or the fourth such epoch halves",
    "train.augment": "fifteen stored copies, or one drawn a step; before or after splitting",
}
"""Config fields that stand for something the paper leaves open, and what."""

STATED = frozenset(
    f"model.{name}"
    for name in (
        "fusion",
        "gcca",
        "decoder",
        "reverse",
        "joint_loss",
        "num_classes",
        "reduction",
        "width",
    )
)
"""Config fields the paper fixes."""

ADDED = frozenset(
    {
        "loss.label_smoothing",
        "loss.map_weight",
        "loss.triplet_weight",
        "loss.class_weights",
        "loss.focal",
        "model.architecture",
        "model.dirac",
        "train.warmup",
        "train.flip",
        "train.start_size",
        "train.hardest",
        "train.teacher",
        "train.fog",
        "train.mixup",
        "train.ema",
        "train.ema_corrected",
        "train.swa",
        "train.clip",
        "train.precision",
        "train.compile",
        "train.cuda_graphs",
    }
)
"""Config fields the paper does not have; off, or without effect, by their defaults or the preset
"paper"."""


class Place(NamedTuple):
    """A tagged cell.

    Attributes:
        lesson: 0 to 20.
        stem: Of the notebook's file name.
        heading: The last one above the cell; "" where there is none.
    """

    lesson: int
    stem: str
    heading: str


def places(folder: Path = SOURCE) -> dict[str, list[Place]]:
    """Tagged cells of all lessons by what they are tagged with, in order."""
    found: dict[str, list[Place]] = {}
    for path in sources(folder):
        heading = ""
        for cell in jupytext.read(path, fmt="py:percent").cells:
            if cell.cell_type == "markdown":
                headings = re.findall(r"^#{2,3} (.+)$", cell.source, re.MULTILINE)
                heading = headings[-1] if headings else heading
            elif "paper" in cell.metadata:
                place = Place(int(path.name[:2]), path.stem, heading)
                found.setdefault(cell.metadata["paper"], []).append(place)
    return found


def effect(field: str, rows: list[Row]) -> str:
    """What other values of a config field did, from runs that differ in it and nothing else.

    Args:
        field: Dotted, "loss.weight".
        rows: Of a ledger.

    Returns:
        Differences of test accuracy in points to the run with our default, paired over the seeds
        both have; "not measured" where there are none.
    """
    said = []
    for members in grouped((row.group_key(field), row) for row in rows).values():
        by_value = grouped((row.value(field), row) for row in members)
        scores = {
            value: {row.seed: row.test_accuracy for row in whole_seeds(group)[0]}
            for value, group in by_value.items()
        }
        ours = scores.pop(_value(RunConfig(), field), {})
        for value in sorted(scores, key=str):
            shared = sorted(ours.keys() & scores[value].keys())
            if shared:
                pair = paired([ours[at] for at in shared], [scores[value][at] for at in shared])
                said.append(f"{value}: {pair} on {members[0].dataset}")
    return "; ".join(said) if said else "not measured"


def render(folder: Path = SOURCE, ledger: Ledger | None = None) -> str:
    """The page, Markdown."""
    ledger = ledger or Ledger(ROOT / "results" / "ledger.jsonl")
    # The speedrun's few epochs tell little of long runs; docs/speedrun.md has its changes.
    rows = [row for row in ledger.rows() if row.plan != "speedrun"]
    cells = places(folder)
    lines = [
        "# From the paper to the code",
        "",
        "Written by `fercourse course map`. A cell is named by its lesson and the heading it "
        "stands under. [design.md](design.md) gives the reasons at length.",
        "",
    ]
    items = []
    for item in ITEMS:
        where = "<br>".join(_link(place) for place in dict.fromkeys(cells.get(item.name, [])))
        function = item.function.removeprefix("fercourse.")
        file, _, test = item.test.partition("::")
        parts = (
            item.name,
            item.what,
            where or "none yet",
            f"`{function}`",
            f"[{test}](../{file})",
            item.status,
            item.note,
        )
        items.append(parts)
    head = ("in the paper", "what", "notebook cell", "function", "test", "status", "note")
    lines += [
        table(head, items),
        "",
        "## What the paper leaves open and a config field decides",
        "",
        "The effect is the change of test accuracy against our default where nothing else differs, "
        "from the ledger. The default is the class's; a preset may take another value.",
        "",
        table(
            ("field", "our default", "left open", "effect of another value"),
            [
                (f"`{field}`", f"`{_value(RunConfig(), field)}`", leaves, effect(field, rows))
                for field, leaves in OPEN.items()
            ],
        ),
        "",
        f"The paper fixes {_listed(STATED)}. It does not have {_listed(ADDED)}.",
    ]
    return "\n".join(lines) + "\n"


def write(page: Path = PAGE, ledger: Ledger | None = None) -> bool:
    """Write the page; True if that changed it."""
    return write_if_changed(page, render(ledger=ledger))


def config_fields() -> set[str]:
    """All fields of the model, loss and training configs, dotted."""
    parts = {"model": ModelConfig, "loss": LossConfig, "train": TrainConfig}
    return {f"{part}.{f.name}" for part, kind in parts.items() for f in fields(kind)}


def _value(config: RunConfig, field: str) -> object:
    part, _, name = field.partition(".")
    return getattr(getattr(config, part), name)


def _link(place: Place) -> str:
    notebook = (NOTEBOOKS / f"{place.stem}.ipynb").relative_to(ROOT).as_posix()
    text = f"[{place.lesson:02}](../{notebook})"
    return f"{text} {place.heading}" if place.heading else text


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
