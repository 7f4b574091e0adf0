"""A Sphinx extension: formulas as MathML, which browsers draw by themselves, without a script."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def formula(latex: str, display: str) -> str:
    """MathML of a formula; ``display`` is "inline" or "block"."""
    latex = re.sub(r"\\tag\{(.*?)\}", r"\\qquad (\1)", latex)  # which MathML has no place for
    return convert(latex.strip(), display=display)


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(formula(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{formula(node.astext(), "block")}</div>')
    raise nodes.SkipNode
