"""What a teacher reads: minutes of each lesson, and every wrong answer that a check knows."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable
from importlib import import_module

from fercourse.course.build import MINUTES, Source, read, sources
from fercourse.exercises.exercise import Exercise
from fercourse.files import write_if_changed
from fercourse.markdown import fill_tables, table
from fercourse.settings import ROOT

TEACHING = ROOT / "docs" / "teaching.md"
WRONG = ROOT / "docs" / "wrong-answers.md"
WORDS_A_MINUTE = 130
"""Of prose with equations, read to be understood."""

LEAST = 4
"""Words that make a sentence."""


def write() -> bool:
    """Write teaching.md's tables and wrong-answers.md anew; whether anything changed."""
    text = TEACHING.read_text(encoding="utf-8")
    filled = fill_tables(text, {"lessons": lessons}, TEACHING)
    return any([write_if_changed(TEACHING, filled), write_if_changed(WRONG, wrong_answers())])


def lessons() -> str:
    """A row a lesson: seconds to run in two modes, minutes to read, minutes of its exercises."""
    measured = json.loads(MINUTES.read_text(encoding="utf-8"))
    rows = []
    for path in sources():
        lesson = read(path)
        key = f"{lesson.number:02}"
        ran = [measured.get(mode, {}).get(key, {}).get("seconds", "") for mode in _MODES]
        minutes = sum(exercise.minutes for _, exercise, _ in exercises_of(lesson))
        link = f"[{key} {lesson.title}](../notebooks/{path.stem}.ipynb)"
        rows.append((link, *ran, reading_minutes(lesson), minutes or ""))
    head = ("lesson", "lecture, s", "smoke, s", "reading, min", "exercises, min")
    total = [sum(row[k] or 0 for row in rows) for k in range(1, 5)]
    return table(head, [*rows, ("**all**", *total)], "lrrrr")


def reading_minutes(lesson: Source) -> int:
    """Of a lesson's prose, without its code."""
    words = sum(len(c.source.split()) for c in lesson.cells if c.cell_type == "markdown")
    return max(1, round(words / WORDS_A_MINUTE))


def exercises_of(lesson: Source) -> list[tuple[str, Exercise, Callable]]:
    """Name, exercise and check of each, in the lesson's order."""
    found = []
    for cell in lesson.cells:
        if name := cell.metadata.get("exercise"):
            module, function = name.split(".")
            home = import_module(f"fercourse.exercises.{module}")
            check = getattr(home, f"check_{function}")
            found.append((name, getattr(home, function).exercise, check))
    return found


def wrong_answers() -> str:
    """The page: for every exercise, the sentences that its check has for wrong answers."""
    parts = [
        "# Wrong answers, and what is said to them",
        "Written from the checks themselves by `fercourse course map`. Each sentence belongs to a "
        "mistake that the check recognises; “…” stands for what it found in the attempt. A teacher "
        "reads here what learners will be told, and what has not been thought of yet.",
    ]
    for path in sources():
        lesson = read(path)
        parts.append(f"## {lesson.number:02} {lesson.title}")
        for _, exercise, check in exercises_of(lesson):
            said = [f"- {sentence}" for sentence in sentences(check)]
            parts += [f"**{exercise.title}** (`{exercise.name}`)", "\n".join(said)]
    return "\n\n".join(parts) + "\n"


def sentences(check: Callable) -> list[str]:
    """What a check may say of a wrong attempt, in the order of its code; "…" for what varies."""
    home = inspect.getmodule(inspect.unwrap(check))
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(check)))).body
    found: list[str] = []
    _gather(function, found)
    for node in ast.walk(function):  # and what it leaves to a function beside it
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if name.startswith("_"):
            (beside,) = ast.parse(inspect.getsource(getattr(home, name))).body
            _gather(beside, found)
    return found


def _gather(node: ast.AST, found: list[str]) -> None:
    """Every string in a check that is long enough to be a sentence is one it may say."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
        node.body = node.body[1:]
    words = " ".join(_words(node).split())
    if words:
        if len(words.split()) >= LEAST and words not in found:
            found.append(words)
        return
    for child in ast.iter_child_nodes(node):
        _gather(child, found)


def _words(node: ast.AST) -> str:
    """A string's text, "…" for each value put into it; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_words(side) for side in (node.left, node.right)]
        return "".join(part or "…" for part in parts) if any(parts) else ""
    return ""


_MODES = ("lecture", "smoke")
