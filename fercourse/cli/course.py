"""``fercourse course``: for those who write the lessons, and for running them all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercourse.errors import FercourseError

app = typer.Typer(help="Build and run the notebooks.", no_args_is_help=True)

Numbers = Annotated[list[int] | None, typer.Argument(help="Lessons; all where none is named.")]


@app.command()
def build(
    lessons: Numbers = None,
    force: Annotated[bool, typer.Option(help="Also what has not changed.")] = False,
    execute: Annotated[bool, typer.Option(help="Run the cells and store outputs.")] = True,
    record: Annotated[
        bool, typer.Option(help="Keep trained weights for the lecture mode.")
    ] = False,
) -> None:
    """Make notebooks/NN_topic.ipynb from notebooks/source/NN_topic.py."""
    from fercourse.course import build as builder

    environment = {"FERCOURSE_RECORD": "1"} if record else {}
    known = {int(path.name[:2]) for path in builder.sources()}
    if wrong := set(lessons or ()) - known:
        raise FercourseError(f"There is no lesson {min(wrong)} in {builder.SOURCE}.")
    for path in builder.sources():
        if lessons and int(path.name[:2]) not in lessons:
            continue
        made = builder.build(path, force or record, execute, **environment)
        print(f"{path.stem}: {'built' if made else 'as it was'}", flush=True)


@app.command()
def run(
    lessons: Numbers = None,
    mode: Annotated[str | None, typer.Option(help="smoke, lecture or full.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("build/course"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Notebooks at a time.")] = None,
    record: Annotated[bool, typer.Option(help="Keep minutes and memory for the openings.")] = False,
) -> None:
    """Run notebooks in a mode and make pages to browse; say what each took."""
    try:
        from fercourse.course import run_course as runner
    except ModuleNotFoundError as error:
        raise FercourseError(
            f"running the course needs {error.name}: pip install 'fercourse[lab]'."
        ) from error
    from fercourse.course.mode import mode as picked

    mode = mode or picked()
    taken = runner.run_course(mode, out, lessons or (), jobs)
    for stem, row in taken.items():
        print(f"{stem:24} {row.seconds:6.0f} s {row.memory_gb:5.1f} GB  {row.error}".rstrip())
    if record:
        runner.record(mode, taken)
    print(f"Browse {out / 'index.html'}")
    stopped = [stem for stem, row in taken.items() if row.error]
    if stopped:
        raise FercourseError(f"{len(stopped)} notebooks stopped: {', '.join(stopped)}.")


@app.command()
def slides(
    lessons: Numbers = None,
    out: Annotated[Path, typer.Option(help="Folder of the slides.")] = Path("build/slides"),
) -> None:
    """Make slides of the built notebooks, from the cells that are tagged for it."""
    try:
        from fercourse.course.run_course import notebooks
        from fercourse.course.slides import write_slides
    except ModuleNotFoundError as error:
        raise FercourseError(
            f"making slides needs {error.name}: pip install 'fercourse[lab]'."
        ) from error

    paths = [p for p in notebooks() if not lessons or int(p.name[:2]) in lessons]
    if wrong := set(lessons or ()) - {int(p.name[:2]) for p in paths}:
        raise FercourseError(f"There is no notebook of lesson {min(wrong)}; make notebooks.")
    write_slides(out, paths)
    print(f"Present {out / 'index.html'}")


@app.command(name="map")
def map_() -> None:
    """Write docs/paper-to-code.md: the cell, function and test of everything in the paper."""
    from fercourse.pages.paper_to_code import PAGE, write

    print(f"{PAGE.name}: {'written' if write() else 'as it was'}")
