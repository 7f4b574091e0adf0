"""A Sphinx extension: a notebook's pictures keep, as pages, the words that say what is on them.

A notebook has them beside each picture; MyST-NB takes the picture and leaves the words.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes


def alternatives(notebook: Path) -> dict[str, str]:
    """By the SHA-256 of a picture's bytes, what the notebook says of it."""
    said = {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            for kind, about in output.get("metadata", {}).items():
                if "alt" in about and isinstance(data := output.data.get(kind), str):
                    said[hashlib.sha256(base64.b64decode(data)).hexdigest()] = about["alt"]
    return said


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("doctree-read", _say)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _say(app: Any, page: nodes.document) -> None:
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix != ".ipynb":
        return
    said = alternatives(source)
    for image in page.findall(nodes.image):
        words = said.get(Path(image["uri"]).stem)  # MyST-NB names a picture by its bytes
        if words and "alt" not in image:
            image["alt"] = words
