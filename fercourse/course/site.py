"""Pages to browse, made from notebooks that ran: no server, no network, formulas included."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from fercourse.course.gear import GEARS
from fercourse.files import whole_file

STYLE = Path(__file__).parent / "site.css"


def write_page(notebook: NotebookNode, target: Path) -> None:
    """One lesson as a page; links to notebooks become links to pages."""
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(template_name="basic")
    exporter.register_filter("markdown2html", _markdown)
    body, _ = exporter.from_notebook_node(notebook)
    body = re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="\1.html"', body)
    title = f"{notebook.metadata.fercourse.number:02} · {notebook.metadata.fercourse.title}"
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    _write(target, title, f"<nav><a href='index.html'>Contents</a></nav>{body}", colours)


def write_index(folder: Path, gear: str) -> None:
    """The contents page: every lesson that has a page, with what it took to run."""
    taken = json.loads((folder / "minutes.json").read_text(encoding="utf-8"))
    rows = []
    for page in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        about = nbformat.read(page, as_version=4)
        row = taken.get(page.stem, {})
        time = f"{row['seconds']:.0f} s" if row else "earlier"
        memory = f"{row['memory_gb']:.1f} GB" if row else ""
        stopped = "<strong>stopped</strong>" if row.get("error") else "ran through"
        rows.append(
            f"<tr><td>{about.metadata.fercourse.number:02}</td>"
            f"<td><a href='{page.stem}.html'>{html.escape(about.metadata.fercourse.title)}</a></td>"
            f"<td>{time}</td><td>{memory}</td><td>{stopped}</td></tr>"
        )
    body = (
        "<h1>fercourse</h1><p>One paper on facial expression recognition, from its equations to a "
        f"trained and examined model.</p><p>Gear: <strong>{gear}</strong>, {GEARS[gear]}</p>"
        "<table><thead><tr><th></th><th>lesson</th><th>time</th><th>memory</th><th></th></tr>"
        f"</thead><tbody>{''.join(rows)}</tbody></table>"
    )
    _write(folder / "index.html", "fercourse", body)


def _write(target: Path, title: str, body: str, colours: str = "") -> None:
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{colours}\n{STYLE.read_text()}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
    with whole_file(target) as part:
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

    return convert(body.strip(), display=display)
