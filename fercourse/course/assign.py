"""Lessons as homework: the notebooks without solutions and outputs, in nbgrader's format.

A stub's cell is nbgrader's "autograded answer" and the check's cell its "autograder tests" (cell
metadata, schema version 3), so a department's nbgrader takes the files as they are; the folder is
laid out as its course folder, ``source/NAME/NAME.ipynb`` beside an ``nbgrader_config.py``. Without
nbgrader, hand out the notebooks and see :mod:`fercourse.course.grade`.

Hints stay. Who looks for the solutions finds them all the same: the course is open, and they stand
in the package, ``fercourse/exercises``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from fercourse.course import build
from fercourse.exercises.exercise import find
from fercourse.files import write_if_changed

SCHEMA = 3
"""The version of nbgrader's cell metadata."""

NOTE = """\
**This notebook is homework.** Only the cells of its exercises are graded, each by itself, after the
imports above: whatever a function of yours needs, helpers and further imports, belongs into its own
cell. Keep these cells, and hand in this file."""

CONFIG = '''\
"""nbgrader's commands are run in this folder: `nbgrader generate_assignment NAME`."""

c = get_config()  # noqa: F821
c.ClearSolutions.enabled = False  # none are in there, and the stubs are to stay as they are
'''


def grade_id(name: str) -> str:
    """The name of an exercise's solution cell; nbgrader wants letters, digits, ``_`` and ``-``."""
    return name.replace(".", "-")


def assigned(lesson: build.Source, all_paths: Sequence[Path] | None = None) -> NotebookNode:
    """The notebook to hand out.

    Raises:
        FercourseError: The lesson names an exercise that is not there.
    """
    notebook = build.assemble(lesson, all_paths)
    for cell in notebook.cells:
        name = cell.metadata.pop("exercise", None)
        if name is None:
            continue
        if cell.cell_type == "markdown":
            cell.source = cell.source.partition(build.SOLUTION)[0].rstrip()
        elif cell.source == find(name)[0].stub():
            cell.metadata |= {"nbgrader": _answer(name), "deletable": False}
        else:
            cell.source = _raising(cell.source, name)
            cell.metadata |= {"nbgrader": _tests(name), "deletable": False, "editable": False}
    imports = next(k for k, c in enumerate(notebook.cells) if c.source.startswith(build.IMPORTS))
    notebook.cells.insert(imports + 1, new_markdown_cell(NOTE, id=f"homework-{lesson.number:02}"))
    return notebook


def assign(lessons: Sequence[int], out: Path, folder: Path = build.SOURCE) -> list[Path]:
    """Write lessons' notebooks into a folder that is a course of nbgrader's.

    Args:
        lessons: Numbers; all where there is none.
        out: Gets ``source/NAME/NAME.ipynb`` and ``nbgrader_config.py``.
        folder: Of the lessons' sources.

    Returns:
        The notebooks.

    Raises:
        FercourseError: There is no such lesson.
    """
    paths = build.sources(folder)
    written = []
    for path in build.sources(folder, lessons):
        lesson = build.read(path)
        target = out / "source" / path.stem / f"{path.stem}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(target, nbformat.writes(assigned(lesson, paths)).rstrip("\n") + "\n")
        written.append(target)
    write_if_changed(out / "nbgrader_config.py", CONFIG)
    return written


def _raising(source: str, name: str) -> str:
    """A check's cell that fails with the diagnosis, which is how nbgrader knows.

    Its last line calls the check, or also goes on with ours where the attempt is wrong
    (``course.yours``); then that line stays.
    """
    _, _, function = name.partition(".")
    *before, last = source.splitlines()
    call = f"check_{function}({function})"
    goes_on = [] if last == call else [last]
    return "\n".join([*before, f"said = {call}", *goes_on, "assert said, said.message", "said"])


def _answer(name: str) -> dict[str, Any]:
    return _metadata(grade_id(name), grade=False, solution=True, locked=False)


def _tests(name: str) -> dict[str, Any]:
    points = find(name)[0].difficulty
    marks = _metadata(f"check-{grade_id(name)}", grade=True, solution=False, locked=True)
    return marks | {"points": points}


def _metadata(name: str, **marks: bool) -> dict[str, Any]:
    return {"schema_version": SCHEMA, "grade_id": name, "task": False, **marks}
