"""One look for every figure: legible in print at course width, and to colour-blind eyes."""

from __future__ import annotations

import io
import re
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from fercourse.plots.alternative import alternative
from fercourse.plots.digest import digest

WIDTH = 7.0
"""Inches: the text width of a printed page, and of a notebook cell."""

# Okabe and Ito's palette, by the role a colour plays in every figure.
OURS, PAPER, TRAIN, THIRD = "#0072B2", "#D55E00", "#E69F00", "#009E73"
PINK, SKY, YELLOW = "#CC79A7", "#56B4E9", "#F0E442"
INK, GREY = "#222222", "#8A8A8A"
FADED, PALE, LINE = "#B9CBD8", "#C8C8C8", "#E3E3E3"  # what is there, but not the point
CLASS_COLOURS = (PAPER, THIRD, PINK, TRAIN, OURS, SKY, GREY)
"""One an expression, in label order."""
CLASS_MARKERS = ("o", "s", "^", "v", "D", "P", "X")
"""Likewise, for those who see no hue."""
MATRIX = "cividis"
"""Maps and tables of one quantity: bright is high, in grey print too."""


class CourseFigure(Figure):
    """A Figure that shows itself in a notebook without pyplot.

    Attributes:
        png_dpi: Of that picture; photographs, which compress badly, set it lower.
    """

    png_dpi = 144

    def __repr__(self) -> str:
        """What a notebook keeps beside the picture: the finding, and the digest of what is drawn.

        Where a cell is tagged nbval-check-output, a picture older than its code or data shows.
        """
        words = " ".join(self.get_suptitle().split())
        return f"Figure {digest(self)}" + (f": {words}" if words else "")

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        """The picture, its size on the page, and what it says in words."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.png_dpi)
        width, height = self.get_size_inches() * 96
        return buffer.getvalue(), {
            "width": int(width),
            "height": int(height),
            "alt": alternative(self),
        }


_ALONE = threading.RLock()  # matplotlib's settings are the whole process's


@contextmanager
def course_style() -> Iterator[None]:
    """Settings for the artists made inside; usable as a decorator. Nothing global changes.

    Threads take turns, or one would put back another's settings.
    """
    settings: dict[Any, Any] = seaborn.axes_style("ticks") | {
        "figure.constrained_layout.use": True,
        "font.size": 9,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.labelsize": 9,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "savefig.dpi": 200,
    }
    with _ALONE, matplotlib.rc_context(settings):
        yield


def new_figure(height: float, width: float = WIDTH) -> CourseFigure:
    """An empty figure, inches."""
    return CourseFigure(figsize=(width, height), dpi=110)


def headline(figure: Figure, finding: str) -> None:
    """Put what the figure shows above it."""
    columns = int(figure.get_size_inches()[0] * 11)
    finding = re.sub(r"-(?=\d)", "−", finding)
    figure.suptitle(
        textwrap.fill(finding, columns), x=0.01, ha="left", fontsize=10.5, fontweight="bold"
    )


def light_grid(axes: Axes, axis: Any = "y") -> None:
    """Thin lines behind the data, for reading values."""
    axes.grid(axis=axis, color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)


def points(difference: float) -> str:
    """A difference of fractions in points, signed: "+0.42"."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def tight(figure: Figure, pad: float) -> None:
    """Pictures side by side with ``pad`` inches between them, and no more."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(w_pad=pad, h_pad=pad, wspace=0, hspace=0)
