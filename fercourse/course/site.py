"""Pages to browse, made by Sphinx: the lessons as they ran, the documents, and the docstrings.

Their source is gathered in a folder of its own, laid out as the repository is, so that links
between notebooks and documents lead from page to page.
"""

from __future__ import annotations

import json
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

import fercourse
from fercourse.course.mode import MODES
from fercourse.errors import FercourseError
from fercourse.markdown import table
from fercourse.settings import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")
HIDDEN = ("exercises", "cli")
"""Rooms without pages: the first holds the solutions."""


def write_site(out: Path, notebooks: Sequence[Path], mode: str, reference: bool = True) -> None:
    """Build ``out/index.html`` and all it leads to.

    Args:
        out: The folder of pages; notebooks that ran lie in it, with ``minutes.json``.
        notebooks: All lessons, in order; where one has not run, these outputs are shown.
        mode: That of the last run.
        reference: Add a page of docstrings for each part of the package, which takes longest.

    Raises:
        FercourseError: Sphinx fails; the sentence says with what.
    """
    with TemporaryDirectory() as folder:
        source = Path(folder)
        _gather(source, out, notebooks)
        rooms = _reference(source) if reference else []
        index = _index(out, notebooks, mode, _documents(source), rooms)
        (source / "index.md").write_text(index, encoding="utf-8")
        words = ["-q", "-j", "auto", "-c", str(ROOT / "docs"), "-d", str(source / "doctrees")]
        run_sphinx(words, source, out, "pages")


def run_sphinx(words: Sequence[str], source: Path, out: Path, what: str) -> None:
    """Run Sphinx in a process of its own: it forks, which one with torch's threads should not.

    Args:
        words: Its options.
        source: Folder of what is written.
        out: Folder of what is made.
        what: For the sentence, where that fails: "pages".

    Raises:
        FercourseError: It fails; the sentence says with what.
    """
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(source), str(out)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
        raise FercourseError(f"Sphinx could not make the {what}: {last}")
    sys.stderr.write(done.stderr)  # its warnings


def _gather(source: Path, out: Path, notebooks: Sequence[Path]) -> None:
    (source / "notebooks").mkdir()
    for path in notebooks:
        ran = out / path.name
        shutil.copy(ran if ran.is_file() else path, source / "notebooks" / path.name)
    shutil.copytree(ROOT / "docs", source / "docs", ignore=shutil.ignore_patterns("conf.py"))
    for path in (*(ROOT / name for name in DOCUMENTS), *(ROOT / "fercourse/weights").glob("*.md")):
        if path.is_file():
            target = source / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def _documents(source: Path) -> list[str]:
    """Names of the pages beside the lessons, as a table of contents takes them."""
    first = [name.removesuffix(".md") for name in DOCUMENTS if (source / name).is_file()]
    written = sorted(path.stem for path in (source / "docs").glob("*.md"))
    cards = sorted(path.stem for path in (source / "fercourse/weights").glob("*.md"))
    return [
        *first,
        *(f"docs/{name}" for name in written),
        *(f"fercourse/weights/{c}" for c in cards),
    ]


def _reference(source: Path) -> list[str]:
    """A page for each part of the package, with its modules' docstrings; their names."""
    rooms: dict[str, list[str]] = {}
    for module in pkgutil.walk_packages(fercourse.__path__, "fercourse."):
        room = module.name.split(".")[1]
        if room not in HIDDEN and not module.name.endswith("__main__"):
            # A package's face hands on what its modules' pages describe.
            only = "\n   :no-members:" if module.ispkg else ""
            text = f"## {module.name}\n\n```{{eval-rst}}\n.. automodule:: {module.name}{only}\n```"
            rooms.setdefault(room, []).append(text)
    (source / "reference").mkdir()
    for room, parts in rooms.items():
        text = "\n\n".join([f"# fercourse.{room}", *parts])
        (source / "reference" / f"{room}.md").write_text(text + "\n", encoding="utf-8")
    return [f"reference/{room}" for room in rooms]


def _index(
    out: Path, notebooks: Sequence[Path], mode: str, documents: list[str], rooms: list[str]
) -> str:
    """The contents page: every lesson with what it took to run, then all other pages."""
    kept = out / "minutes.json"
    taken = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    lines = [_lesson(path, taken.get(path.stem), mode) for path in notebooks]
    lessons = table(("", "lesson: afterwards you can", "exercises", "time", "memory"), lines)
    parts = [
        "# fercourse",
        "One paper on facial expression recognition, from its equations to a trained and examined "
        "model.",
        f"Mode: **{mode}**, {MODES[mode]}",
        lessons,
        _toctree("Lessons", [f"notebooks/{path.stem}" for path in notebooks]),
        _toctree("Documents", documents),
        _toctree("Reference", rooms),
    ]
    return "\n\n".join(parts) + "\n"


def _lesson(path: Path, row: dict | None, mode: str) -> tuple[str, ...]:
    about = nbformat.read(path, as_version=4)
    promise = re.search(r"^- (.+)$", about.cells[0].source, re.MULTILINE)
    exercises = sum(cell.source.startswith("### Exercise ") for cell in about.cells)
    title = f"[{about.metadata.fercourse.title}](notebooks/{path.name})"
    if row and row.get("error"):
        title += " **stopped**"
    time = f"{row['seconds']:.0f} s" if row else ""
    if row and row.get("mode", mode) != mode:
        time += f" ({row['mode']})"
    return (
        f"{about.metadata.fercourse.number:02}",
        f"{title}: {promise[1]}" if promise else title,
        str(exercises or ""),
        time,
        f"{row['memory_gb']:.1f} GB" if row else "",
    )


def _toctree(caption: str, pages: Sequence[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"])
