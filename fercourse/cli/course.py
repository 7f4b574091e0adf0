"""``fercourse course``: for those who write the lessons, and for running them all."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Build and run the notebooks.", no_args_is_help=True)

Numbers = Annotated[list[int] | None, typer.Argument(help="Lessons; all where none is named.")]


@app.command()
def build(
    lessons: Numbers = None,
    force: Annotated[bool, typer.Option(help="Also what has not changed.")] = False,
    execute: Annotated[bool, typer.Option(help="Run the cells and store outputs.")] = True,
    record: Annotated[
        bool, typer.Option(help="Keep trained weights for the lecture gear.")
    ] = False,
) -> None:
    """Make notebooks/NN_topic.ipynb from notebooks/source/NN_topic.py."""
    from fercourse.course import build as builder

    environment = {"FERCOURSE_RECORD": "1"} if record else {}
    for path in builder.sources():
        if lessons and int(path.name[:2]) not in lessons:
            continue
        made = builder.build(path, force or record, execute, **environment)
        print(f"{path.stem}: {'built' if made else 'as it was'}", flush=True)
