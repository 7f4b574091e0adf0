"""A short name for what a figure shows, by which a stored picture is told from today's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch
from matplotlib.spines import Spine
from matplotlib.text import Text


def digest(figure: Figure) -> str:
    """Eight letters that change with any number, word, colour, marker or hatch of the figure.

    Numbers count to four digits, so that processors which round the last ones otherwise agree.

    Args:
        figure: What it holds counts, not its pixels.
    """
    figure.draw_without_rendering()  # which makes the tick labels
    parts = "\n".join(part for artist in figure.findobj() for part in _parts(artist))
    return hashlib.sha256(parts.encode()).hexdigest()[:8]


def _parts(artist: object) -> Iterator[str]:
    if isinstance(artist, Text):
        yield artist.get_text()
    elif isinstance(artist, Line2D):
        fill = "" if artist.get_marker() in ("None", "") else str(artist.get_markerfacecolor())
        look = (artist.get_linestyle(), artist.get_marker(), fill)
        yield f"line {to_hex(artist.get_color())} {look} {_numbers(artist.get_xydata())}"
    elif isinstance(artist, Patch) and not isinstance(artist, Spine | FancyBboxPatch):  # frames
        look = to_hex(artist.get_facecolor()) + (artist.get_hatch() or "")
        yield f"patch {look} {_numbers(artist.get_path().vertices)}"
        yield _numbers(artist.get_patch_transform().get_matrix())
    elif isinstance(artist, Collection):
        yield f"collection {_numbers(artist.get_offsets())} {_numbers(artist.get_array())}"
        yield "".join(_numbers(path.vertices) for path in artist.get_paths())
    elif isinstance(artist, AxesImage):
        yield f"image {_numbers(artist.get_array())}"


def _numbers(values: object) -> str:
    if values is None:
        return ""
    # Off the round numbers, where a last digit would decide between two neighbours.
    plain = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel() * 1.0000012345
    return " ".join(f"{value:.4g}" for value in plain + 0.0)
