"""``fercourse explain``: draw a model's maps, score them, and write the page about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fercourse.cli.options import Weights
from fercourse.settings import BUNDLED


class _ShowByDefault(TyperGroup):
    """``fercourse explain me.jpg`` is ``fercourse explain show me.jpg``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click does, with the command named where it was left out."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ShowByDefault,
    no_args_is_help=True,
    help="Where a model looks. fercourse explain PHOTO or DATA draws it.",
)

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
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    trained = load_weights(find_weights(weights))
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
def show(
    source: Annotated[
        str, typer.Argument(help="A photograph, or a data set: synthetic, fer2013, a path.")
    ],
    weights: Weights = BUNDLED,
    expression: Annotated[
        str | None, typer.Option("--class", help="Whose evidence; what each face is read as.")
    ] = None,
    method: Annotated[str, typer.Option(help="gradcam, gradcam++, layercam, ...")] = "gradcam",
    layer: Annotated[str, typer.Option(help="Where the class map is made.")] = "block5",
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = Path("build/attention"),
) -> None:
    """Draw class map, GCCA and the cascade for anyone's picture: fercourse explain me.jpg."""
    from dataclasses import replace

    from fercourse import plots
    from fercourse.evaluation.predict import probabilities
    from fercourse.explain import METHODS, gradcam
    from fercourse.files import atomic_write
    from fercourse.labels import Expression
    from fercourse.models.fernet import framework
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    trained = load_weights(find_weights(weights))
    model, size = trained.network, trained.run.data.size
    faces = _faces(source, size, trained.run.data.difficulty)
    p = probabilities(model, faces.images)  # (N, K)
    if faces.ids is None:  # a photograph is titled with what it is read as: nobody said more
        faces = replace(faces, labels=p.argmax(1))
    wanted = None if expression is None else Expression.parse(expression)
    heat = gradcam(model, faces, method, target=wanted, layer=layer)
    what = "the class each face is read as" if wanted is None else wanted.title
    title = f"{METHODS[method]} at {layer}"
    finding = f"Evidence for {what}, each map on its own scale"
    drawings = {"class": lambda: plots.compared(faces, {title: heat}, finding)}
    if model.config.gcca:
        drawings["gcca"] = lambda: plots.gcca(framework(model), faces)
    if model.config.reverse:
        drawings["cascade"] = lambda: plots.cascade(framework(model), faces)
        plots.cascade_gif(framework(model), faces, out / "cascade.gif")
    for name, draw in drawings.items():
        with atomic_write(out / f"{name}.png") as part:
            draw().savefig(part, format="png")
    for k, row in enumerate(p, start=1):
        print(f"face {k}: {Expression(int(row.argmax())).title} {row.max():.0%}")
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


def _faces(source: str, size: int, difficulty: float):
    """A photograph's largest face, or a data set's first held-out face of each expression."""
    import torch

    from fercourse.datasets.load import load

    if Path(source).suffix.lower() in _PHOTOGRAPHS and Path(source).is_file():
        return _photo(Path(source), size)
    faces = load(source, size=size, difficulty=difficulty).test
    first = [at[0] for k in range(7) if len(at := (faces.labels == k).nonzero())]
    return faces[torch.cat(first)]


_PHOTOGRAPHS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff")


def _photo(path: Path, size: int):
    """The largest face of a photograph; nobody says what it expresses, so neutral stands there."""
    import torch

    from fercourse.datasets.faces import Faces
    from fercourse.detection import crop, detect
    from fercourse.errors import FercourseError
    from fercourse.images import read_photo

    image = read_photo(path)
    found = detect([image])[0]
    if not found:
        raise FercourseError(f"no face was found in {path}.")
    return Faces(crop(image, found[0].box, size)[None], torch.tensor([6]))
