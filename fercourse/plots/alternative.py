"""What a figure says to somebody who does not see it, or not its colours."""

from __future__ import annotations

import re
from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_DESCRIBED = "_fercourse_alternative"
_SIGNS = {
    r"\lambda": "λ",
    r"\sigma": "σ",
    r"\times": "×",
    r"\odot": "⊙",
    r"\cdot": "·",
    r"\mathrm": "",
    r"\uparrow": "↑",
    r"\downarrow": "↓",
    r"\rightarrow": "→",
}
_MOST_PANELS = 8


def describe(figure: Figure, picture: str) -> None:
    """Say what a figure of pictures looks like: a sentence or two after its finding.

    A chart needs none: its panels, axes and legend are told.
    """
    setattr(figure, _DESCRIBED, picture)


def alternative(figure: Figure) -> str:
    """The finding, then what is drawn: what was :func:`described <describe>`, else the chart."""
    parts = [figure.get_suptitle(), getattr(figure, _DESCRIBED, "") or _chart(figure)]
    sentences = (spoken(part).rstrip(".") for part in parts if part)
    return ". ".join(sentences) + "."


def spoken(text: str) -> str:
    """Text without mathtext and line breaks: "$A_5$" is "A5"."""
    for sign, character in _SIGNS.items():
        text = text.replace(sign, character)
    text = re.sub(r"\$([^$]*)\$", lambda found: re.sub(r"[\\{}_^]|\\[ ,;]", "", found[1]), text)
    return " ".join(text.split())


def _chart(figure: Figure) -> str:
    """Panels, what is drawn against what, and the legend, each once."""
    drawn = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    panels = _once(_title(axes) for axes in drawn)
    against = _once(_against(axes) for axes in drawn)
    legends = [legend for axes in drawn if (legend := axes.get_legend())] + figure.legends
    entries = _once(text.get_text() for legend in legends for text in legend.get_texts())
    parts = ["A chart of " + " and of ".join(against)] if against else []
    if panels:
        more = len(panels) - _MOST_PANELS
        parts.append(
            f"Panel{'s' * (len(panels) > 1)}: "
            + "; ".join(panels[:_MOST_PANELS])
            + (f"; and {more} more" if more > 0 else "")
        )
    if entries:
        parts.append("Legend: " + "; ".join(entries))
    return ". ".join(parts)


def _title(axes: Axes) -> str:
    return next(filter(None, (axes.get_title(loc=loc) for loc in ("left", "center", "right"))), "")


def _against(axes: Axes) -> str:
    across, up = axes.get_xlabel(), axes.get_ylabel()
    return f"{up} against {across}" if across and up else across or up


def _once(texts: Iterable[str]) -> list[str]:
    """Those that say something, without repetition."""
    return list(dict.fromkeys(words for text in texts if (words := spoken(text))))
