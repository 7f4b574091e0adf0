"""From ``notebooks/source/NN_topic.py`` to the notebook learners open.

The source is py:percent text with a YAML header. What every lesson has alike is put around it here:
the opening, the exercises (stub, check, hints, solution) and the closing with its links.
"""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from PIL import Image
from yaml import YAMLError

from fercourse.course import door
from fercourse.errors import FercourseError
from fercourse.files import atomic_write
from fercourse.settings import ROOT

NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"
MINUTES = ROOT / "results" / "minutes.json"
KERNEL = {"name": "python3", "display_name": "Python 3 (fercourse)", "language": "python"}
IMPORTS = """\
import fercourse  # before torch: it sets how torch's threads wait for one another
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercourse import course, plots
"""
"""Every lesson begins with these."""

CELL_SECONDS = 300
KEPT = ("tags", "paper", "exercise")
"""Of a cell's metadata."""
COMPARED = "nbval-check-output"
"""Tag of a cell that shows recorded numbers, which nbval compares with those of today."""
SOLUTION = "<details><summary>Solution</summary>"
STARS = {1: "★☆☆", 2: "★★☆", 3: "★★★"}


@dataclass(frozen=True)
class Source:
    """A lesson as it was written.

    Attributes:
        path: ``notebooks/source/NN_topic.py``.
        title: Of the lesson.
        learn: What somebody can do after it.
        needs: Numbers of the lessons before it.
        boxes: Parts of Fig. 1 it is about, see :func:`fercourse.plots.framework`.
        seed: Of its random numbers, where that is not its own number: a lesson that has moved keeps
            the draws that its prose speaks of.
        cells: As jupytext read them.
    """

    path: Path
    title: str
    learn: Sequence[str]
    needs: Sequence[int]
    boxes: Sequence[str]
    seed: int | None
    cells: Sequence[NotebookNode]

    @property
    def number(self) -> int:
        """0 to 20, from the file's name."""
        return int(self.path.name[:2])

    @property
    def target(self) -> Path:
        """The notebook made from it."""
        return self.path.parents[1] / f"{self.path.stem}.ipynb"


def sources(folder: Path = SOURCE, lessons: Sequence[int] = ()) -> list[Path]:
    """Lessons' sources, in order; of all, or by number.

    Raises:
        FercourseError: There is no such lesson.
    """
    numbered = {int(path.name[:2]): path for path in sorted(folder.glob("[0-9][0-9]_*.py"))}
    if wrong := set(lessons) - set(numbered):
        raise FercourseError(f"There is no lesson {min(wrong)} in {folder}.")
    return [path for number, path in numbered.items() if not lessons or number in lessons]


def read(path: Path) -> Source:
    """Read a lesson.

    Raises:
        FercourseError: Its header is missing or incomplete.
    """
    try:
        notebook = jupytext.read(path, fmt="py:percent")
    except YAMLError as error:
        why = " ".join(str(error).split())
        raise FercourseError(f"{path.name}: its header is not YAML ({why}).") from error
    header = notebook.metadata.get("fercourse", {})
    missing = {"title", "learn", "needs"} - set(header)
    if missing:
        raise FercourseError(
            f"{path.name}: its header has no {', '.join(sorted(missing))}; "
            "write them under jupyter: fercourse: at its top."
        )
    return Source(
        path,
        header["title"],
        header["learn"],
        header["needs"],
        header.get("boxes", []),
        header.get("seed"),
        notebook.cells,
    )


def assemble(lesson: Source, all_paths: Sequence[Path] | None = None) -> NotebookNode:
    """The notebook of a lesson, not yet run."""
    paths = list(all_paths or sources(lesson.path.parent))
    cells = [_opening(lesson, paths)]
    if first := door.colab_cell(door.address()):
        cells.append(new_code_cell(first))
    call = f"lesson = course.begin({lesson.number}"
    call += f", seed={lesson.seed}" if lesson.seed is not None else ""
    call += f", boxes={list(lesson.boxes)}" if lesson.boxes else ""
    cells.append(new_code_cell(IMPORTS + f"\n{call})"))
    count = 0
    for cell in lesson.cells:
        name = cell.metadata.get("exercise")
        if cell.metadata.get("contents"):
            cell = new_markdown_cell(f"{cell.source}\n\n{_contents(paths)}")
        if name is None:
            cells.append(cell)
            continue
        count += 1
        # In the lesson, what is written is used below it; at the end, nothing follows.
        used = not any("## Exercises" in c.source.splitlines() for c in cells)
        cells += _exercise(cell.source, name, count, lesson.path.name, used)
        for made in cells[-4:]:  # for :mod:`fercourse.course.assign`
            made.metadata["exercise"] = name
    cells.append(new_markdown_cell(_links(lesson, paths)))
    for position, cell in enumerate(cells):
        cell.id = f"cell-{lesson.number:02}-{position:03}"
        # jupytext's own notes are of no use to a reader
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT}
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "fercourse": {"number": lesson.number, "title": lesson.title},
        },
    )


def same(a: NotebookNode, b: NotebookNode) -> bool:
    """Whether two notebooks are equal up to their outputs."""
    return _bare(a) == _bare(b)


def run(
    notebook: NotebookNode,
    folder: Path,
    mode: str = "smoke",
    on_start: Callable[[int], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run all cells in a fresh kernel, in place, as headless.

    Args:
        notebook: Gets the outputs.
        folder: The kernel's working folder.
        mode: For ``FERCOURSE_MODE``.
        on_start: Called with the id of the kernel's process.
        environment: More variables of the kernel's environment.

    Raises:
        FercourseError: A cell raised; the sentence names it.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    settings = {"FERCOURSE_MODE": mode, "FERCOURSE_STATIC": "1", "PYTHONHASHSEED": "0"}

    def started(cell: NotebookNode, cell_index: int) -> None:
        if on_start and cell_index == 0:
            manager: Any = client.km  # which has a local process under it
            on_start(manager.provisioner.pid)

    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=KERNEL["name"],
        record_timing=False,
        coalesce_streams=True,  # where a print is cut is chance
        store_widget_state=False,  # explorers show a plain picture where nobody can move them
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=started,
    )
    try:
        # A kernel's stderr is its server's chatter; what cells print there is in their outputs.
        client.execute(env={**os.environ, **settings, **(environment or {})}, stderr=DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        name = notebook.metadata.fercourse.number
        raise FercourseError(f"Notebook {name:02} stopped: {error}") from error


def keep_outputs(notebook: NotebookNode, old: NotebookNode) -> bool:
    """Take over the outputs of the same code; False, and nothing done, where it did not run so."""
    cells, ran = ([c for c in n.cells if c.cell_type == "code"] for n in (notebook, old))
    if [c.source for c in cells] != [c.source for c in ran]:
        return False
    if not all(cell.execution_count for cell in ran):
        return False
    for cell, before in zip(cells, ran, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    return True


def shrink(notebook: NotebookNode) -> None:
    """Store each picture with 256 colours, which halves it and cannot be seen."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = _palette(data["image/png"])


def build(path: Path, force: bool = False, execute: bool = True, **environment: str) -> bool:
    """Make a lesson's notebook, unless it is there and its source has not changed.

    Where only its prose has changed, the outputs are kept.

    Returns:
        Whether it was made anew.
    """
    lesson = read(path)
    notebook = assemble(lesson)
    if not force and lesson.target.is_file():
        old = nbformat.read(lesson.target, as_version=4)
        kept = keep_outputs(notebook, old)
        if same(notebook, old) and (kept or not execute):
            return False
        execute = execute and not kept
    if execute:
        language = notebook.metadata.language_info
        run(notebook, lesson.target.parent, environment=environment)
        notebook.metadata.language_info = language  # and not this machine's release of Python
        shrink(notebook)
    _write(notebook, lesson.target)
    return True


def refresh(path: Path) -> list[tuple[str, str]]:
    """Run a lesson again and store only what shows other recorded numbers than before.

    For after the ledger has got new rows. Every other cell keeps what it showed: its times are of
    the machine that the lesson's prose speaks of.

    Returns:
        What the changed cells said, and what they say now; prose around them may have to follow.

    Raises:
        FercourseError: The notebook is not what its source says, or a cell raised.
    """
    lesson = read(path)
    old = nbformat.read(lesson.target, as_version=4) if lesson.target.is_file() else None
    if old is None or not same(assemble(lesson), old):
        raise FercourseError(
            f"{lesson.target.name} is older than its source: fercourse course build "
            f"{lesson.number} makes it anew."
        )
    new = assemble(lesson)
    run(new, lesson.target.parent)
    shrink(new)
    changed = []
    for cell, ran in zip(old.cells, new.cells, strict=True):
        if COMPARED in cell.metadata.get("tags", []) and _words(cell) != _words(ran):
            changed.append((_words(cell), _words(ran)))
            cell.outputs = ran.outputs
    if changed:
        _write(old, lesson.target)
    return changed


def _words(cell: NotebookNode) -> str:
    """What a cell's outputs say, which for a figure begins with its digest."""
    said = (o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
    return "\n".join(words.strip() for words in said)


def _write(notebook: NotebookNode, target: Path) -> None:
    with atomic_write(target) as part:
        text = nbformat.writes(notebook)
        part.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def _opening(lesson: Source, paths: Sequence[Path]) -> NotebookNode:
    lines = [f"# {lesson.number:02} · {lesson.title}", "", "**You will learn**", ""]
    lines += [f"- {item}" for item in lesson.learn]
    stems = {int(p.name[:2]): p.stem for p in paths}
    before = [f"[{n:02}]({stems[n]}.ipynb)" for n in lesson.needs if n in stems]
    lines += ["", f"**Before this:** {', '.join(before) if before else 'nothing'}"]
    cost = _cost(lesson.number)
    if cost:
        lines[-1] += f" · **Time to run:** {cost}"
    if shown := door.page_badges(door.address(), f"notebooks/{lesson.target.name}"):
        lines += ["", shown]
    return new_markdown_cell("\n".join(lines))


def _cost(number: int) -> str:
    """Measured minutes a mode, rounded for a reader; empty where none were measured."""
    if not MINUTES.is_file():
        return ""
    measured = json.loads(MINUTES.read_text(encoding="utf-8"))
    parts = []
    for mode, rows in measured.items():
        row = rows.get(f"{number:02}")
        if row:
            seconds = row["seconds"]
            time = (
                f"{-(-seconds // 60):.0f} min"
                if seconds > 90
                else f"{-(-seconds // 10) * 10:.0f} s"
            )
            parts.append(f"{mode} {time} ({row['memory_gb']:.1f} GB)")
    return ", ".join(parts)


def _exercise(task: str, name: str, count: int, where: str, used: bool) -> list[NotebookNode]:
    """Head, stub, check and what is folded away; ``used``: later cells run on what was written."""
    module, _, function = name.partition(".")
    try:
        home = import_module(f"fercourse.exercises.{module}")
        exercise = getattr(home, function).exercise
        getattr(home, f"check_{function}")
    except (ImportError, AttributeError) as error:
        raise FercourseError(f"{where}: there is no exercise {name} ({error}).") from error
    # The check alone: a lesson may have a name like the module's for something of its own.
    call = f"from fercourse.exercises.{module} import check_{function}\n\n"
    if used:
        call += f"{function} = course.yours(check_{function}, {function})"
    else:
        call += f"check_{function}({function})"
    head = (
        f"### Exercise {count} · {exercise.title}\n\n{STARS[exercise.difficulty]} · about "
        f"{exercise.minutes} minutes\n\n{task}"
    )
    hidden = [
        f"<details><summary>Hint {i} of {len(exercise.hints)}</summary>\n\n{hint}\n\n</details>"
        for i, hint in enumerate(exercise.hints, 1)
    ]
    hidden.append(f"{SOLUTION}\n\n```python\n{exercise.source()}\n```\n\n</details>")
    return [
        new_markdown_cell(head),
        new_code_cell(exercise.stub(), metadata={"tags": ["exercise"]}),
        new_code_cell(call, metadata={"tags": ["exercise"]}),
        new_markdown_cell("\n\n".join(hidden)),
    ]


def _links(lesson: Source, paths: Sequence[Path]) -> str:
    position = [p.name for p in paths].index(lesson.path.name)
    parts = []
    if position > 0:
        parts.append(f"← [{_title(paths[position - 1])}]({paths[position - 1].stem}.ipynb)")
    if lesson.number:
        parts.append(f"[Contents]({paths[0].stem}.ipynb)")
    if position + 1 < len(paths):
        parts.append(f"[{_title(paths[position + 1])}]({paths[position + 1].stem}.ipynb) →")
    return "---\n\n" + " · ".join(parts)


def _contents(paths: Sequence[Path]) -> str:
    """All lessons as a table, for the cell marked ``contents=true``."""
    rows = ["| lesson | afterwards you can | exercises | needs |", "| --- | --- | :-: | --- |"]
    for path in paths:
        lesson = read(path)
        exercises = sum("exercise" in cell.metadata for cell in lesson.cells)
        needs = ", ".join(f"{n:02}" for n in lesson.needs)
        rows.append(
            f"| [{path.name[:2]} · {lesson.title}]({path.stem}.ipynb) | {lesson.learn[0]} | "
            f"{exercises or ''} | {needs} |"
        )
    return "\n".join(rows)


def _title(path: Path) -> str:
    return f"{path.name[:2]} {read(path).title}"


def _bare(notebook: NotebookNode) -> list[Any]:
    return [
        (c.cell_type, c.source, {k: v for k, v in c.metadata.items() if k in ("tags", "paper")})
        for c in notebook.cells
    ]


def _palette(png: str) -> str:
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    small = io.BytesIO()
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    if small.tell() >= len(png) * 3 // 4:
        return png
    return base64.b64encode(small.getvalue()).decode()
