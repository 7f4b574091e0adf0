"""What a figure must be for somebody who does not see it, or not its colours."""

import itertools
import re

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fercourse.plots.alternative import alternative


def unsaid(figure: Figure) -> list[str]:
    """What is wrong with a figure's alternative text."""
    text = alternative(figure)
    finding = " ".join(figure.get_suptitle().split())
    faults = []
    if not 40 <= len(text) <= 1200:
        faults.append(f"{len(text)} characters: {text!r}")
    if re.search(r"\$|\\[a-z]|[{}]|\n|  |\.\.|\b1 faces\b", text):
        faults.append(f"not plain words: {text!r}")
    if len(text.split()) < 7 or not text.endswith("."):
        faults.append(f"no sentence: {text!r}")
    if "$" not in finding and finding.rstrip(".") not in text:
        faults.append(f"it does not say the finding {finding!r}: {text!r}")
    return faults


def alike_but_for_colour(figure: Figure) -> list[str]:
    """Pairs of a legend's entries of which colour alone tells which is which."""
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    # A legend's own handle lacks a bar's error and a patch's dashes: look at what it stands for.
    whole = {a.get_label(): a for axes in figure.axes for a in (*axes.patches, *axes.containers)}
    found = []
    for legend in [*legends, *figure.legends]:
        names = [text.get_text() for text in legend.get_texts()]
        handles = zip(names, legend.legend_handles, strict=True)
        looks = [(name, _look(whole.get(name, handle))) for name, handle in handles]
        for (one, first), (other, second) in itertools.combinations(looks, 2):
            if first == second:
                found.append(f"{one!r} and {other!r}")
    return found


def _look(handle: object) -> tuple:
    """All that tells a legend's entry from others, save its hue."""
    if isinstance(handle, ErrorbarContainer):
        return ("errorbar", _look(handle.lines[0]))
    if isinstance(handle, BarContainer):
        return _look(handle.patches[0])
    if isinstance(handle, Line2D):
        hollow = str(handle.get_markerfacecolor()) in ("none", "white")
        return ("line", handle.get_linestyle(), str(handle.get_marker()), hollow)
    if isinstance(handle, Patch):
        return ("patch", handle.get_hatch(), handle.get_linestyle(), handle.get_fill())
    if isinstance(handle, PathCollection):
        shape = np.round(handle.get_paths()[0].vertices, 3).tolist()
        return ("points", str(shape), bool(len(handle.get_facecolor())), handle.get_hatch())
    return (type(handle).__name__, getattr(handle, "get_linestyle", lambda: "")())
