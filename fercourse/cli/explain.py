"""``fercourse explain``: score a model's maps, draw them, and write the page about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Where a model looks: scores, figures and the page.")

Weights = Annotated[Path, typer.Option("--weights", "-w", help="A model.safetensors of yours.")]
Data = Annotated[
    str | None,
    typer.Option("--data", help="synthetic, fer2013, ckplus or a path; the model's own."),
]
Scores = Annotated[
    Path | None, typer.Option("--scores", help="The score book; scores.jsonl beside the ledger.")
]


@app.command()
def score(
    weights: Weights,
    data: Data = None,
    methods: Annotated[
        str, typer.Option(help="Of gradcam, gradcam++, layercam, eigencam, ablationcam.")
    ] = "gradcam,gradcam++,layercam,eigencam",
    layers: Annotated[str, typer.Option(help="Where class activation maps are made.")] = "block5",
    count: Annotated[int, typer.Option(min=1, help="Faces of the held-out split.")] = 210,
    slow_count: Annotated[int, typer.Option(min=1, help="Faces for the slow checks.")] = 70,
    sanity: Annotated[bool, typer.Option(help="Randomise weights, mirror faces.")] = False,
    faithful: Annotated[bool, typer.Option(help="Deletion, insertion and ROAD.")] = False,
    variant: Annotated[str | None, typer.Option(help="Name in the tables; model6 ...")] = None,
    scores: Scores = None,
) -> None:
    """Hold every map of a model against the truth, or on photographs its own answer; record it."""
    from dataclasses import replace

    from fercourse.datasets.load import load_config
    from fercourse.datasets.registry import known
    from fercourse.explain import ScoreBook, measure
    from fercourse.weights.trained import load_weights

    trained = load_weights(weights)
    config = trained.run.data
    if known(data or "").drawn:
        config = replace(config, crop=False)  # drawn faces are cut out already
    dataset = load_config(config, data)  # the folds it was trained by
    rows = measure(
        trained,
        dataset,
        methods=_names(methods),
        layers=_names(layers),
        count=count,
        slow_count=slow_count,
        sanity=sanity,
        faithful=faithful,
        variant=variant,
    )
    book = ScoreBook(scores)
    new = book.append(rows)
    for row in rows:
        found = row.scores.get("pr_auc") or row.scores.get("road")
        if found and "all" in found:
            value, low, high, n = found["all"]
            what = "PR-AUC" if "pr_auc" in row.scores else "ROAD"
            print(
                f"{row.kind:9s} {row.name:16s} {what} {value:.3f} ({low:.3f} to {high:.3f}, "
                f"{n:.0f} faces)"
            )
    print(f"{book.path}: {new} rows added, {len(rows) - new} already there.")


@app.command()
def figures(
    weights: Weights,
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = Path("build/attention"),
    photo: Annotated[
        Path | None, typer.Option(help="A photograph with one face, instead of built-in faces.")
    ] = None,
) -> None:
    """Draw cascade, channel weights, methods and animation for a model."""
    from fercourse import plots
    from fercourse.files import atomic_write
    from fercourse.weights.trained import load_weights

    trained = load_weights(weights)
    model, size = trained.network, trained.run.data.size
    faces = _photo(photo, size) if photo else _drawn(size)
    drawings = {"methods": lambda: plots.cam_grid(model, faces)}
    if model.config.gcca:
        drawings["gcca"] = lambda: plots.gcca(model, faces)
    if model.config.reverse:
        drawings["cascade"] = lambda: plots.cascade(model, faces)
        plots.cascade_gif(model, faces, out / "cascade.gif")
    for name, draw in drawings.items():
        with atomic_write(out / f"{name}.png") as part:
            draw().savefig(part, format="png")
    print(f"{', '.join(drawings)} are in {out}.")


@app.command()
def report(
    page: Annotated[Path, typer.Argument(help="The page whose tables are written.")] = Path(
        "docs/where-it-looks.md"
    ),
    scores: Scores = None,
) -> None:
    """Write the tables of docs/where-it-looks.md from the score book and the ledger."""
    from fercourse.explain import ScoreBook
    from fercourse.pages.where_it_looks import write
    from fercourse.runs.ledger import Ledger

    changed = write(page, ScoreBook(scores).rows(), Ledger().rows())
    print(f"{page} {'written' if changed else 'was up to date'}.")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _drawn(size: int):
    """One built-in face of each expression."""
    from fercourse.datasets.load import load

    return load("synthetic", size=size, count=21, difficulty=0.1).train[:7]


def _photo(path: Path, size: int):
    """The largest face of a photograph; nobody says what it expresses, so neutral stands there."""
    import torch

    from fercourse.datasets.faces import Faces
    from fercourse.detection import crop, detect
    from fercourse.errors import FercourseError
    from fercourse.evaluation.recognise import read_photo

    image = read_photo(path)
    found = detect([image])[0]
    if not found:
        raise FercourseError(f"no face was found in {path}.")
    return Faces(crop(image, found[0].box, size)[None], torch.tensor([6]))
