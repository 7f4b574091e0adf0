"""``fercourse train``, ``evaluate``, ``predict``, ``demo`` and ``doctor``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercourse.errors import FercourseError

if TYPE_CHECKING:
    from fercourse.evaluation.predict import Evaluation
    from fercourse.experiments.record import Measured

DataOption = Annotated[
    str | None,
    typer.Option("--data", help="synthetic, fer2013, ckplus, or a path; the preset's by default."),
]
Weights = Annotated[Path, typer.Option("--weights", "-w", help="A model.safetensors of yours.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]

Epochs = Annotated[int | None, typer.Option(help="Passes over the training faces.")]
Lr = Annotated[float | None, typer.Option(help="Peak learning rate.")]
BatchSize = Annotated[int | None, typer.Option(help="Faces a step.")]


def train(
    data: DataOption = None,
    preset: Annotated[str, typer.Option(help="paper, course, cpu or smoke.")] = "cpu",
    model: Annotated[int, typer.Option(min=1, max=6, help="Row of Table 1.")] = 6,
    seed: Annotated[int, typer.Option(help="Of weights, batches and augmentation.")] = 0,
    epochs: Epochs = None,
    lr: Lr = None,
    batch_size: BatchSize = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Any field of the config: loss.weight=0.01.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; a run found there goes on.")
    ] = None,
    device: Device = "auto",
    record: Annotated[bool, typer.Option(help="Add the run to results/ledger.jsonl.")] = False,
) -> None:
    """Train one model, select its best epoch, judge it once, and draw what happened."""
    from fercourse.config import LABELS
    from fercourse.config import preset as make
    from fercourse.experiments.ledger import Ledger

    config = make(preset, model, seed=seed, **changes(change, epochs, lr, batch_size))
    dataset, config = _load(data, config)
    folder = out or Path("build/runs") / f"{dataset.name}-{preset}-model{model}-seed{seed}"
    print(
        f"{dataset.name}: {len(dataset.train):,} faces train, {len(dataset.val):,} select, "
        f"{len(dataset.test):,} are held out; run {config.hash} in {folder}"
    )
    label = LABELS[preset]
    book = Ledger() if record else None
    if book:
        book.prepare()  # what could not be recorded is not begun
    done = _measure(config, dataset, folder, device, label)
    if book:
        new = book.append(done.row, done.fit.history)
        print(f"{'Recorded' if new else 'Already recorded'} in {book.path}.")
    _draw(done, folder)


def evaluate(
    weights: Weights,
    data: DataOption = None,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    views: Annotated[str, typer.Option(help="single, flip or ten.")] = "single",
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a trained model on a split, with and without leaked duplicates."""
    from fercourse.datasets.registry import known
    from fercourse.evaluation.predict import evaluate as judge
    from fercourse.training.checkpoint import load_model
    from fercourse.training.run import find_device

    net = load_model(weights)
    dataset, _ = _load(data, net.run)
    if split not in dataset.splits:
        raise FercourseError(f"There is no split {split!r}; use train, val or test.")
    leaky = known(dataset.name).leaks and split != "train"
    result = judge(
        net, dataset.splits[split], dataset.train if leaky else None, views, find_device(device)
    )
    if as_json:
        print(json.dumps(_as_dict(result), indent=1))
    else:
        _report(f"{dataset.name}, {split} split", [result])


def predict(
    photo: Annotated[Path, typer.Argument(help="A picture with faces in it.")],
    weights: Weights,
    out: Annotated[
        Path | None, typer.Option(help="The annotated picture; PHOTO-faces.png by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; draw only with --out.")] = (
        False
    ),
    device: Device = "auto",
) -> None:
    """Find the faces in a picture and say what they express."""
    from fercourse.evaluation.photo import annotate, read_photo, recognise
    from fercourse.training.checkpoint import load_model
    from fercourse.training.run import find_device

    net = load_model(weights)
    image = read_photo(photo)
    found = recognise(net, image, find_device(device))
    if as_json:
        print(json.dumps([face.to_dict() for face in found], indent=1))
    else:
        for i, face in enumerate(found, start=1):
            shares = ", ".join(f"{e.title} {p:.0%}" for e, p in face.ranked()[:3])
            print(f"face {i} (found with p = {face.detection.probability:.4f}): {shares}")
        if not found:
            print(f"{photo}: no face was found.")
    if found and (out or not as_json):
        target = out or photo.with_name(f"{photo.stem}-faces.png")
        annotate(image, found, target)
        if not as_json:
            print(f"Drawn in {target}")


def demo(
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = Path("build/demo"),
    device: Device = "auto",
) -> None:
    """Train the whole framework on built-in faces and draw curves, matrix and attention maps."""
    from fercourse import plots
    from fercourse.config import preset

    config = preset("smoke")
    dataset, config = _load(None, config)
    print(
        f"{len(dataset.train):,} drawn faces train the paper's model 6, {config.model.width:g} "
        f"times as wide; {len(dataset.test):,} faces of other people judge it."
    )
    done = _measure(config, dataset, out, device, "smoke")
    _draw(done, out)
    _save(plots.sample_grid(dataset.train), out / "faces.png")
    one_each = [int((dataset.test.labels == k).nonzero()[0]) for k in range(7)]
    _save(plots.cascade(done.fit.model, dataset.test[one_each]), out / "attention.png")
    print(f"See {out / 'faces.png'} and {out / 'attention.png'} too.")


def doctor() -> None:
    """Check this machine: versions, device, memory, data, notebook kernel; say what to mend."""
    from fercourse.doctor import doctor as examine

    examine()


def _load(data: str | None, config: Any) -> tuple[Any, Any]:
    """The data set, and the config with its name in it."""
    from dataclasses import replace

    from fercourse.datasets.load import load_config

    dataset = load_config(config.data, data)
    return dataset, replace(config, data=replace(config.data, name=dataset.name))


def _measure(config: Any, dataset: Any, folder: Path, device: str, label: str) -> Measured:
    """Train and judge, print the result, and leave weights and numbers in the folder."""
    from fercourse.experiments.record import measure
    from fercourse.files import whole_file

    live = sys.stderr.isatty()  # a log file gets a line an epoch instead of a bar
    done = measure(
        config,
        dataset,
        label=label,
        out=folder,
        device=device,
        progress=live,
        on_epoch=None if live else _print_epoch,
    )
    with whole_file(folder / "evaluation.json") as part:
        both = {"single": _as_dict(done.single), "flip": _as_dict(done.flip)}
        part.write_text(json.dumps(both, indent=1), encoding="utf-8")
    _report(
        f"{dataset.name}, held-out split, epoch {done.fit.best_epoch} "
        f"(validation {done.fit.val_accuracy:.1%})",
        [done.single, done.flip],
    )
    print(f"Weights, history and evaluation.json are in {folder}")
    return done


def _draw(done: Measured, folder: Path) -> None:
    """Curves and confusion matrix, where there is matplotlib: a machine that trains needs none."""
    from fercourse import plots

    try:
        _save(plots.learning_curves(done.fit.history), folder / "curves.png")
        _save(plots.confusion(done.single.confusion), folder / "confusion.png")
    except FercourseError as error:
        print(f"Nothing is drawn: {error}")
    else:
        print(f"See {folder / 'curves.png'} and {folder / 'confusion.png'}.")


def _print_epoch(e: dict[str, float]) -> None:
    print(
        f"epoch {e['epoch']:3d}  loss {e['train_loss']:.3f}  train {e['train_accuracy']:.1%}  "
        f"val {e['val_accuracy']:.1%}  {e['images_per_second']:.0f} images/s",
        flush=True,
    )


def _report(title: str, results: list[Evaluation]) -> None:
    from rich.table import Table

    from fercourse.cli.tables import print_whole
    from fercourse.labels import Expression

    table = Table(title=title, title_justify="left")
    table.add_column("views")
    for name in ("images", "accuracy", "without duplicates"):
        table.add_column(name, justify="right")
    for k in range(len(results[0].recall)):
        table.add_column(Expression(k).title, justify="right")
    for r in results:
        clean = "" if r.accuracy_clean is None else f"{r.accuracy_clean:.2%} ({r.leaked} out)"
        recall = ["" if v != v else f"{v:.0%}" for v in r.recall]
        table.add_row(r.views, str(r.n), f"{r.accuracy:.2%}", clean, *recall)
    print_whole(table)


def _as_dict(result: Evaluation) -> dict[str, Any]:
    """Plain JSON values; a class without images has recall null."""
    return {
        "views": result.views,
        "images": result.n,
        "accuracy": result.accuracy,
        "accuracy_clean": result.accuracy_clean,
        "leaked": result.leaked,
        "recall": [None if v != v else float(v) for v in result.recall],
        "confusion": result.confusion.tolist(),
    }


def changes(
    settings: list[str] | None, epochs: int | None, lr: float | None, batch_size: int | None
) -> dict[str, Any]:
    """Config fields by their dotted names, of ``--set`` and of the options for three of them.

    Raises:
        FercourseError: A field is given both ways.
    """
    named = {"train.epochs": epochs, "train.lr": lr, "train.batch_size": batch_size}
    found = {name: value for name, value in named.items() if value is not None}
    for name, value in map(setting, settings or []):
        if name in found:
            option = name.partition(".")[2].replace("_", "-")
            raise FercourseError(f"{name} is given twice: by --{option} and by --set.")
        found[name] = value
    return found


def setting(text: str) -> tuple[str, Any]:
    """``train.epochs=5`` to a name and a value."""
    name, found, value = text.partition("=")
    if not found or "." not in name:  # seed and model have options of their own
        raise FercourseError(f"--set takes name=value, such as train.epochs=5, not {text!r}.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _save(figure: Any, path: Path) -> None:
    from fercourse.files import whole_file

    with whole_file(path) as part:
        figure.savefig(part, format="png")
