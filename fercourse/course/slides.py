"""``make slides``: of each lesson a deck, from the cells that are tagged "slide".

A markdown cell is shown whole, a code cell by its output, below the title of its section. The deck
opens with what the lesson promises and ends with its summary; the prose around a cell is what the
speaker sees. Sphinx writes the decks, with the reveal.js that its extension brings: nothing is
fetched.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode

from fercourse.course.site import run_sphinx
from fercourse.errors import FercourseError
from fercourse.settings import ROOT

SETTINGS = ROOT / "docs" / "slides"
PICTURES = "pictures"
CODE_LINES = 8
"""More code than this nobody reads from the back of a room."""

LINES = 12
"""Of a lead and what was printed below it, together."""

WIDTH, LETTER = 1256, 0.605
"""Pixels of a printed line, and how wide a letter of its type is, of its size."""

SMALLEST, LARGEST = 28, 38
"""Pixels of printed text, on a slide of 720."""

HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)

ITEM_LINES, ITEM_COLUMNS = 11, 70
"""What a slide holds of a list, in the type of ``slides.css``."""


@dataclass(frozen=True)
class Slide:
    """What is shown at once.

    Attributes:
        title: Of the section it stands in.
        body: MyST markdown.
        notes: MyST markdown for the speaker.
        picture: A PNG below the body; empty where there is none.
    """

    title: str
    body: str = ""
    notes: str = ""
    picture: bytes = b""


def write_slides(out: Path, notebooks: Sequence[Path]) -> None:
    """Write ``out/index.html`` and a deck a lesson, to be opened from a disk.

    Args:
        out: The folder of decks.
        notebooks: Lessons that have run, in order.

    Raises:
        FercourseError: A tagged cell has nothing to show, or Sphinx fails.
    """
    (out / PICTURES).mkdir(parents=True, exist_ok=True)
    titles = {}
    with TemporaryDirectory() as folder:
        for path in notebooks:
            notebook = nbformat.read(path, as_version=4)
            about = notebook.metadata.fercourse
            titles[path.stem] = f"{about.number:02} · {about.title}"
            text = _page(titles[path.stem], slides(notebook), path.stem, out)
            (Path(folder) / f"{path.stem}.md").write_text(text, encoding="utf-8")
        words = ["-q", "-b", "revealjs", "-c", str(SETTINGS), "-D", f"root_doc={notebooks[0].stem}"]
        run_sphinx([*words, "-d", f"{folder}/doctrees"], Path(folder), out, "slides")
    (out / "index.html").write_text(_index(titles), encoding="utf-8")


def slides(notebook: NotebookNode) -> list[Slide]:
    """A lesson's slides, in order.

    Raises:
        FercourseError: A tagged cell has no output, or more code than a slide holds.
    """
    cells, where = notebook.cells, f"Lesson {notebook.metadata.fercourse.number:02}"
    promise = cells[0].source.partition("**You will learn**")[2].partition("**Before")[0]
    made = [Slide("", promise.strip())]
    made += [Slide("Where we are", picture=png) for png in _pictures(cells[1])]
    title = ""
    for position, cell in enumerate(cells):
        headings = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        if headings and cell.source.startswith("#"):
            title = headings[0]
        if "slide" in cell.metadata.get("tags", []):
            made += _shown(cells, position, title, where)
        elif "Summary" in headings:
            text = cell.source.partition("## Summary")[2]
            made += _summary(_prose(re.split(HEADING, text)[0]))
        title = headings[-1] if headings else title  # for the cells behind it
    return made


def _shown(cells: Sequence[NotebookNode], position: int, title: str, where: str) -> Iterator[Slide]:
    """A tagged cell's slides: one, or one a picture where it drew several."""
    cell, before, after = cells[position], _near(cells, position, -1), _near(cells, position, 1)
    if cell.cell_type == "markdown":
        yield Slide(title, _prose(cell.source), _joined(before, after))
        return
    parts, pictures = _outputs(cell), _pictures(cell)
    if "slide-code" in cell.metadata.tags:
        if len(cell.source.splitlines()) > CODE_LINES:
            raise FercourseError(
                f"{where}: the cell {cell.source.splitlines()[0]!r} is tagged slide-code and has "
                f"more than {CODE_LINES} lines; tag it slide alone, or cut it."
            )
        parts.insert(0, _literal(cell.source))
    if not pictures and not any(parts):
        raise FercourseError(
            f"{where}: the cell {cell.source.splitlines()[0]!r} is tagged slide and has no output; "
            "run the lesson by fercourse course build, or take the tag away."
        )
    lines = len(before) // ITEM_COLUMNS + sum(part.count("\n") + 1 for part in parts)
    if not pictures and lines <= LINES:  # a picture has a title; numbers need a sentence
        parts.insert(0, before)
        before = ""
    first = pictures[0] if pictures else b""
    yield Slide(title, _joined(*parts), _joined(before, after), first)
    yield from (Slide(title, picture=png) for png in pictures[1:])


def _outputs(cell: NotebookNode) -> list[str]:
    """As MyST, without pictures, which are files; what was printed bit by bit is one piece."""
    parts, printed = [], ""
    for output in cell.outputs:
        if output.output_type == "stream":
            printed += output.text if output.name == "stdout" else ""  # no progress bars
            continue
        data = output.get("data", {})
        if "text/html" in data:
            table = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL)
            parts.append("\n".join(x for x in table.splitlines() if x.strip()))  # one block
        elif "text/markdown" in data:
            parts.append(data["text/markdown"])
        elif "image/png" not in data:
            parts.append(_literal(data.get("text/plain", "")))
    return [_literal(printed), *parts]


def _literal(text: str) -> str:
    """Code or what was printed, as large as its longest line lets it be."""
    text = text.rstrip()
    if not text:
        return ""
    longest = max(len(line) for line in text.splitlines())
    size = max(SMALLEST, min(LARGEST, int(WIDTH / (LETTER * longest))))
    return f'<pre style="font-size: {size}px"><code>{html.escape(text)}</code></pre>'


def _pictures(cell: NotebookNode) -> list[bytes]:
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [base64.b64decode(each["image/png"]) for each in data if "image/png" in each]


def _near(cells: Sequence[NotebookNode], position: int, step: int) -> str:
    """The prose before a cell (-1) or after it (1), of its section, as far as it is on no slide."""
    if position + step >= len(cells):
        return ""
    cell = cells[position + step]
    if cell.cell_type != "markdown" or "slide" in cell.metadata.get("tags", []):
        return ""
    return _prose(re.split(HEADING, cell.source)[-1 if step < 0 else 0])


def _joined(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))


def _prose(markdown: str) -> str:
    """Without headings, and with links only to what a deck can reach."""
    text = HEADING.sub("", markdown)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text).strip()


def _summary(text: str) -> list[Slide]:
    """Its points, on as many slides as they need."""
    pages: list[list[str]] = [[]]
    room = ITEM_LINES
    for item in re.split(r"\n(?=- )", text):
        lines = -(-len(" ".join(item.split())) // ITEM_COLUMNS)
        if lines > room and pages[-1]:
            pages.append([])
            room = ITEM_LINES
        pages[-1].append(item)
        room -= lines
    return [Slide("Summary", "\n".join(page)) for page in pages]


def _page(title: str, made: Sequence[Slide], stem: str, out: Path) -> str:
    """A deck as MyST; its pictures are written."""
    parts = ["---\norphan: true\n---"]
    for number, slide in enumerate(made):
        parts += [f"## {slide.title}" if number else f"# {title}", slide.body]
        if slide.picture:
            name = f"{PICTURES}/{stem}-{number:02}.png"
            (out / name).write_bytes(slide.picture)
            # reveal.js gives it what is left of the slide
            parts.append(f'<img class="r-stretch" src="{name}" alt="{html.escape(slide.title)}">')
        if slide.notes:
            parts.append(f'<aside class="notes">\n\n{slide.notes}\n\n</aside>')
    return _joined(*parts) + "\n"


def _index(titles: dict[str, str]) -> str:
    rows = [f'<li><a href="{stem}.html">{html.escape(t)}</a></li>' for stem, t in titles.items()]
    return f"""\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>fercourse: slides</title>
<style>body {{ font: 24px/1.6 sans-serif; margin: 2em auto; max-width: 30em }}
ul {{ list-style: none; padding: 0 }}</style>
<h1>Slides</h1>
<p>Space and the arrow keys turn pages, S opens the speaker's notes, F fills the screen,
Esc shows all slides; <code>?print-pdf</code> behind a deck's address lays it out for printing.</p>
<ul>
{chr(10).join(rows)}
</ul>
</html>
"""
