"""Bundle trained weights: halve their precision, and write their card from the ledger's row."""

from __future__ import annotations

from pathlib import Path

import torch

from fercourse.config import RunConfig
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.files import write_if_changed
from fercourse.labels import BASIC
from fercourse.markdown import table
from fercourse.models.fernet import FERNet
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row
from fercourse.weights import FOLDER
from fercourse.weights.trained import load_weights, save_weights

LIMIT = 16 * 2**20
"""Bytes a file may have, so that every host takes it."""

CALIBRATED = ("temperature", "shares")
"""What :func:`fercourse.evaluation.calibration.calibrate` stored with the weights."""


def bundle(source: Path, ledger: Ledger, folder: Path = FOLDER) -> Path:
    """Store a run's ``model.safetensors`` in the package as float16, with its card.

    Raises:
        FercourseError: It is no model of Table 1, the ledger has no row of this run, or the file
            would be too large.
    """
    trained = load_weights(source)
    network = trained.network
    if network.config.table1_row is None:
        raise FercourseError(f"{source} is {network.config.name}, no model of Table 1.")
    row = row_of(trained.run, ledger)
    number = row.variant.removeprefix("model")[0]
    kind = "-supervised" if trained.run.loss.map_weight else ""
    target = folder / f"{row.dataset}{kind}-model{number}.safetensors"
    half = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    kept = {name: trained.about[name] for name in CALIBRATED if name in trained.about}
    facts = {"key": row.key, "plan": row.plan, "best_epoch": row.best_epoch, **kept}
    size = sum(tensor.nbytes for tensor in half.values())
    if size > LIMIT:
        raise FercourseError(f"{source} is {size / 2**20:.0f} MB; the most is 16 MB.")
    for name, tensor in network.state_dict().items():
        tensor.copy_(half[name])  # what a reader will get
    save_weights(target, network.half(), trained.run, facts)
    write_if_changed(card_path(target), card(row, target))
    return target


def row_of(run: RunConfig, ledger: Ledger) -> Row:
    """The ledger's row of a run.

    Raises:
        FercourseError: It has none.
    """
    rows = [r for r in ledger.rows() if r.key == f"{run.hash}-{run.seed}"]
    if not rows:
        raise FercourseError(f"The ledger has no row {run.hash}-{run.seed}: record the run first.")
    return rows[0]


def card_path(weights: Path) -> Path:
    """Where the card of a weights file lies."""
    return weights.with_suffix(".md")


def card(row: Row, weights: Path) -> str:
    """The model card, every number of it from the row."""
    run = row.run
    shipped = weights.stem.rpartition("-model")[0]
    number = row.variant.removeprefix("model")[0]
    parameters = sum(p.numel() for p in _model(run).parameters())
    lines = [
        f"# {weights.stem}",
        "",
        f"Table 1's model {number} (width {run.model.width:g}, "
        f"{parameters:,} parameters, {run.data.size} px grey faces), "
        f"trained from {'ImageNet weights' if run.model.imagenet else 'scratch'}. "
        f"Stored as float16. Run `{row.key}` of `results/ledger.jsonl`.",
        "",
        "## Data and protocol",
        "",
        known(row.dataset).card.format(difficulty=run.data.difficulty),
        *(["**Not in the official splits.**"] if run.data.split else []),
        f"{row.splits['train']:,} faces trained it, {row.splits['val']:,} selected the epoch, "
        f"{row.splits['test']:,} judged it. {row.training}, batches of "
        f"{run.train.batch_size}, seed {row.seed}; one run.",
        "",
        "## Measured",
        "",
        table(("measured", "per cent"), _measured(row), "lr"),
    ]
    lines += [
        "",
        "## Use and limits",
        "",
        "For teaching and for studying the paper's components. An expression label says what a "
        "face shows to an annotator, not what a person feels: do not decide anything about "
        "anybody with it. Accuracy was not measured by age, skin tone or gender, and differs "
        "between them in models of this kind. It expects an upright, cropped face.",
        "",
        "```python",
        "import fercourse",
        "",
        f'model = fercourse.pretrained("{shipped}", model={number}).network',
        "```",
        "",
    ]
    return "\n".join(lines)


def _measured(row: Row) -> list[tuple[str, str]]:
    """Names and per cent."""
    clean = row.test_accuracy_clean
    return [
        ("validation accuracy (selected on)", _percent(row.val_accuracy)),
        ("test accuracy", _percent(row.test_accuracy)),
        *([("without near-duplicates of training faces", _percent(clean))] if clean else []),
        ("averaged with the mirrored face", _percent(row.test_accuracy_flip)),
        *((f"recall, {e.title.lower()}", _percent(row.recall[e])) for e in BASIC),
    ]


def _model(run: RunConfig) -> FERNet:
    with torch.device("meta"):
        return FERNet(run.model)


def _percent(value: float | None) -> str:
    return "none in the test" if value is None else f"{100 * value:.2f}"
