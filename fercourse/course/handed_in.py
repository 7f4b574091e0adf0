"""What a learner handed in, read as what it is: a file from somebody else."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4.rwbase import rejoin_lines

from fercourse.course import build
from fercourse.course.assign import grade_id
from fercourse.errors import FercourseError

BIGGEST = 20 * 2**20
"""Bytes of a notebook: pictures of all its figures fit in."""
MOST = 2**20
"""Bytes of it without outputs and pasted pictures; a lesson has a tenth."""
LONGEST = 100_000
"""Letters of a solution."""
WRITTEN = "hand in the notebook that `fercourse course assign` wrote"


@dataclass(frozen=True)
class HandedIn:
    """A notebook's solutions.

    Attributes:
        lesson: Its number.
        code: A cell's text by the exercise's name.
        lacking: By the name of each other exercise of the lesson, why its cell is not taken.
    """

    lesson: int
    code: dict[str, str]
    lacking: dict[str, str]


def exercises() -> dict[int, list[str]]:
    """The names of each lesson's exercises, in order."""
    return {
        lesson.number: [c.metadata["exercise"] for c in lesson.cells if "exercise" in c.metadata]
        for lesson in map(build.read, build.sources())
    }


def read(path: Path, known: dict[int, list[str]]) -> HandedIn:
    """Read a notebook.

    Args:
        path: Of the file.
        known: The exercises of every lesson.

    Raises:
        FercourseError: It is no notebook, or of no lesson; the sentence does not name the file.
    """
    notebook = _notebook(path)
    lesson = notebook.get("metadata", {}).get("fercourse", {})
    number = lesson.get("number") if isinstance(lesson, dict) else None
    if type(number) is not int or number not in known:
        raise FercourseError(f"It does not say which lesson it is of: {WRITTEN}.")
    cells: dict[str, list[str]] = {}
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader")
        if cell["cell_type"] == "code" and isinstance(marks, dict) and marks.get("solution"):
            cells.setdefault(str(marks.get("grade_id")), []).append(cell["source"])
    mine = {grade_id(name) for name in known[number]}
    if not mine & set(cells):
        of = [n for n, names in known.items() if {grade_id(name) for name in names} & set(cells)]
        raise FercourseError(
            f"It says that it is lesson {number:02}, and its exercises are those of {of[0]:02}."
            if of
            else f"None of the exercises of lesson {number:02} is in it: {WRITTEN}."
        )
    code, lacking = {}, {}
    for name in known[number]:
        found = cells.get(grade_id(name), [])
        if problem := _problem(found):
            lacking[name] = problem
        else:
            code[name] = found[0]
    return HandedIn(number, code, lacking)


def _problem(found: list[str]) -> str:
    if not found:
        return "Its cell is missing: it was removed, or is a new one without the old one's name."
    if len(found) > 1:
        return f"Its cell is there {len(found)} times: keep the one that counts."
    if len(found[0]) > LONGEST:
        return f"Its cell has {len(found[0])} letters, and {LONGEST} are the most that are read."
    return ""


def _notebook(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FercourseError("There is no such file.")
    with path.open("rb") as file:
        content = file.read(BIGGEST + 1)
    if len(content) > BIGGEST:
        raise FercourseError(
            f"It has more than {BIGGEST >> 20} MB, which is not read: clear its outputs."
        )
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        raise FercourseError("It is no notebook: its content is no JSON.") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or "cells" not in notebook:
        raise FercourseError("It is no notebook of Jupyter's format 4.")
    cells = notebook["cells"]
    for cell in cells if isinstance(cells, list) else []:
        if isinstance(cell, dict):  # what is not looked at may be large
            cell.pop("attachments", None)
            if "outputs" in cell:
                cell["outputs"] = []
    try:
        if len(json.dumps(notebook)) > MOST:
            raise FercourseError(f"Its cells have more than {MOST >> 20} MB of text.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids, of older programs
            made = nbformat.from_dict(notebook)
            nbformat.validate(made)
            return rejoin_lines(made)
    except FercourseError:
        raise
    except Exception as error:  # nbformat was not written for what anybody may have made up
        why = str(error).partition("\n")[0] or type(error).__name__
        raise FercourseError(f"It is no valid notebook: {why}") from None
