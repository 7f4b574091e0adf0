"""``fercourse course``: for those who write the lessons, and for running them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercourse.errors import FercourseError

if TYPE_CHECKING:
    from rich.table import Table

    from fercourse.course.grade import Result

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
    for path in builder.sources(lessons=lessons or ()):
        made = builder.build(path, force or record, execute, **environment)
        print(f"{path.stem}: {'built' if made else 'as it was'}", flush=True)


@app.command()
def refresh(lessons: Numbers = None) -> None:
    """Run notebooks, and store only what shows other recorded numbers than before.

    For after the ledger has got new rows. What changed is printed: prose may have to follow.
    """
    from fercourse.course import build as builder

    for path in builder.sources(lessons=lessons or ()):
        changed = builder.refresh(path)
        print(f"{path.stem}: {len(changed)} changed" if changed else f"{path.stem}: as it was")
        for before, now in changed:
            print(f"  was  {before}\n  is   {now}", flush=True)


@app.command()
def run(
    lessons: Numbers = None,
    mode: Annotated[str | None, typer.Option(help="smoke, lecture or full.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("build/course"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Notebooks at a time.")] = None,
    record: Annotated[
        bool, typer.Option(help="Keep minutes and memory for the openings; pages do not move.")
    ] = False,
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
    taken = runner.run_course(mode, out, lessons or (), jobs, pages=not record)
    for stem, row in taken.items():
        print(f"{stem:24} {row.seconds:6.0f} s {row.memory_gb:5.1f} GB  {row.error}".rstrip())
    if record:
        runner.record(mode, taken)
    print(f"Browse {out / 'index.html'}")
    stopped = [stem for stem, row in taken.items() if row.error]
    if stopped:
        raise FercourseError(f"{len(stopped)} notebooks stopped: {', '.join(stopped)}.")


@app.command()
def assign(
    lessons: Numbers = None,
    out: Annotated[Path, typer.Option(help="A folder, nbgrader's for a course.")] = Path(
        "build/assignments"
    ),
) -> None:
    """Write lessons as homework, without solutions and outputs, in nbgrader's format."""
    from fercourse.course.assign import assign as write

    for path in write(lessons or (), out):
        print(path)
    print(
        "No solutions are in these files; who looks for them finds them in the package, "
        "fercourse/exercises."
    )


@app.command()
def grade(
    notebooks: Annotated[list[Path], typer.Argument(help="Handed-in files, or folders of them.")],
    csv: Annotated[Path | None, typer.Option(help="Write the table into this file, too.")] = None,
    lesson: Annotated[int | None, typer.Option(help="Grade notebooks of this lesson only.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="For each exercise.")] = 20,
    sandbox: Annotated[
        bool, typer.Option(help="Off: only for notebooks you wrote yourself.")
    ] = True,
) -> None:
    """Check handed-in notebooks in a process that may only compute; a table of who passed what."""
    from fercourse.cli.tables import print_whole
    from fercourse.course import grade as grader

    files = grader.notebooks(notebooks)
    if not files:
        raise FercourseError("There are no notebooks (.ipynb) in these folders.")
    limits = grader.Limits(seconds=seconds)
    results = list(grader.grade(files, limits, sandbox, lesson))
    print_whole(grades(results))
    if csv:
        grader.write_csv(results, csv)
        print(csv)


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
    """Write docs/paper-to-code.md, teaching.md's tables and wrong-answers.md."""
    from fercourse.pages import paper_to_code, teaching

    print(f"{paper_to_code.PAGE.name}: {'written' if paper_to_code.write() else 'as it was'}")
    told = "written" if teaching.write() else "as they were"
    print(f"{teaching.TEACHING.name}, {teaching.WRONG.name}: {told}")


def grades(results: list[Result]) -> Table:
    """A row an exercise, and one with the points of each notebook."""
    from itertools import groupby

    from rich.table import Table
    from rich.text import Text

    from fercourse.course.grade import plain

    table = Table("notebook", "exercise", "", "points", "what is said")
    table.columns[3].justify = "right"
    for path, group in groupby(results, key=lambda row: row.notebook):
        rows = list(group)
        name = plain(str(path))
        for row in rows:
            mark, points = "✓" if row.passed else "✗", f"{row.points} of {row.out_of}"
            # Text: what learners wrote is no markup
            shown = (name, row.exercise, mark, points if row.exercise else "", row.message)
            table.add_row(*map(Text, shown))
            name = ""
        if rows[0].exercise:
            reached, all_points = sum(r.points for r in rows), sum(r.out_of for r in rows)
            done = f"{sum(r.passed for r in rows)} of {len(rows)} passed"
            table.add_row("", done, "", f"{reached} of {all_points}", end_section=True)
        else:
            table.add_section()
    return table
