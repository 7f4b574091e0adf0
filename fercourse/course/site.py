"""Pages to browse, made from notebooks that ran: no server, no network, formulas included."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from fercourse.course.mode import MODES
from fercourse.files import atomic_write

STYLE = Path(__file__).parent / "site.css"


def write_page(notebook: NotebookNode, target: Path) -> None:
    """One lesson as a page; links to notebooks become links to pages."""
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(template_name="basic")
    exporter.register_filter("markdown2html", _markdown)
    exporter.register_preprocessor(CoalesceStreamsPreprocessor, enabled=True)
    *cells, links = notebook.cells  # the last one's links stand at the top, too
    body, _ = exporter.from_notebook_node(NotebookNode(notebook, cells=cells))
    body = re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="\1.html"', body)
    title = f"{notebook.metadata.fercourse.number:02} · {notebook.metadata.fercourse.title}"
    colours = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    bar = _navigation(links.source)
    _write(target, title, f"{bar}{body}{bar}", colours)


def write_index(folder: Path, mode: str) -> None:
    """The contents page: every lesson that has a page, with what it took to run."""
    taken = json.loads((folder / "minutes.json").read_text(encoding="utf-8"))
    rows = []
    for page in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        about = nbformat.read(page, as_version=4)
        row = taken.get(page.stem, {})
        promise = re.search(r"^- (.+)$", about.cells[0].source, re.MULTILINE)
        exercises = sum(cell.source.startswith("### Exercise ") for cell in about.cells)
        stopped = " <strong>stopped</strong>" if row.get("error") else ""
        time = f"{row['seconds']:.0f} s" if row else ""
        memory = f"{row['memory_gb']:.1f} GB" if row else ""
        if row.get("mode", mode) != mode:
            time += f" ({row['mode']})"
        rows.append(
            f"<tr><td>{about.metadata.fercourse.number:02}</td>"
            f"<td><a href='{page.stem}.html'>{html.escape(about.metadata.fercourse.title)}</a>"
            f"{stopped}<br><small>{html.escape(promise[1]) if promise else ''}</small></td>"
            f"<td>{exercises or ''}</td><td>{time}</td><td>{memory}</td></tr>"
        )
    body = (
        "<h1>fercourse</h1><p>One paper on facial expression recognition, from its equations to a "
        f"trained and examined model.</p><p>Mode: <strong>{mode}</strong>, {MODES[mode]}</p>"
        "<table class='contents'><thead><tr><th></th><th>lesson: afterwards you can</th>"
        f"<th>exercises</th><th>time</th><th>memory</th></tr></thead><tbody>{''.join(rows)}"
        "</tbody></table>"
    )
    _write(folder / "index.html", "fercourse", body)


def _navigation(links: str) -> str:
    """Previous, contents and next, from the links in a notebook's last cell."""
    before = re.search(r"← \[([^]]+)\]\((\w+)\.ipynb\)", links)
    after = re.search(r"\[([^]]+)\]\((\w+)\.ipynb\) →", links)
    left = f'<a href="{before[2]}.html">← {html.escape(before[1])}</a>' if before else ""
    right = f'<a href="{after[2]}.html">{html.escape(after[1])} →</a>' if after else ""
    return f"<nav><span>{left}</span><a href='index.html'>Contents</a><span>{right}</span></nav>"


def _write(target: Path, title: str, body: str, colours: str = "") -> None:
    style = STYLE.read_text(encoding="utf-8")
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{colours}\n{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")


def _markdown(text: str) -> str:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        """Formulas as MathML, which browsers draw by themselves."""

        def block_math(self, body: str) -> str:
            return _formula(body, "block")

        def inline_math(self, body: str) -> str:
            return _formula(body, "inline")

    return MarkdownWithMath(renderer=Renderer(escape=False)).render(text)


def _formula(body: str, display: Any) -> str:
    from latex2mathml.converter import convert

    body = re.sub(r"\\tag\{(.*?)\}", r"\\qquad (\1)", body)  # which MathML has no place for
    return convert(body.strip(), display=display)
