"""Fig. 1 as a map: which part of the framework a lesson is about."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fercourse.errors import FercourseError
from fercourse.plots.style import GREY, INK, TRAIN, course_style, new_figure

# name: (text, x, y, width, height); the backbone runs along the bottom, maps above it.
_BOXES = {
    "faces": ("faces\nMTCNN", 0.0, 0.0, 1.3, 1.0),
    "augment": ("15-fold\naugment", 1.6, 0.0, 1.3, 1.0),
    "C1": ("C1", 3.2, 0.0, 0.9, 1.0),
    "C2": ("C2", 4.4, 0.0, 0.9, 1.0),
    "C3": ("C3", 5.6, 0.0, 0.9, 1.0),
    "C4": ("C4", 6.8, 0.0, 0.9, 1.0),
    "C5": ("C5", 8.0, 0.0, 0.9, 1.0),
    "edge": ("edge map", 3.95, 1.7, 1.35, 0.8),
    "reverse": (r"reverse attention  $A_5, A_4, A_3$", 5.6, 1.7, 3.3, 0.8),
    "decoder": (r"partial decoder   $P_d$", 5.6, 3.1, 3.3, 0.8),
    "fusion": ("multi-feature\nfusion", 9.7, 1.6, 1.7, 1.0),
    "head": ("embedding,\n7 logits", 11.8, 1.6, 1.5, 1.0),
    "island": ("island loss", 11.8, 3.1, 1.5, 0.8),
}
_ARROWS = (
    ((1.3, 0.5), (1.6, 0.5)),
    ((2.9, 0.5), (3.2, 0.5)),
    ((4.1, 0.5), (4.4, 0.5)),
    ((5.3, 0.5), (5.6, 0.5)),
    ((6.5, 0.5), (6.8, 0.5)),
    ((7.7, 0.5), (8.0, 0.5)),
    ((4.85, 1.0), (4.85, 1.7)),
    ((6.05, 1.0), (6.05, 1.7)),
    ((7.25, 1.0), (7.25, 1.7)),
    ((8.45, 1.0), (8.45, 1.7)),
    ((7.25, 3.1), (7.25, 2.5)),
    ((8.9, 2.1), (9.7, 2.1)),
    ((11.4, 2.1), (11.8, 2.1)),
    ((12.55, 2.6), (12.55, 3.1)),
)
_BLOCKS = ("C1", "C2", "C3", "C4", "C5")


@course_style()
def framework(highlight: Sequence[str] = ()) -> Figure:
    """The paper's framework with some parts highlighted.

    Args:
        highlight: Of faces, augment, C1 to C5, gcca (a mark at every block), edge, fusion,
            decoder, reverse, head, island.

    Raises:
        FercourseError: There is no such part.
    """
    parts = (*_BOXES, "gcca")
    unknown = [name for name in highlight if name not in parts]
    if unknown:
        raise FercourseError(f"Fig. 1 has no part {unknown[0]!r}; it has {', '.join(parts)}.")
    figure = new_figure(height=2.25)
    axes = figure.add_subplot()
    for start, end in _ARROWS:
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": GREY, "lw": 1})
    # C2 and C5 reach the fusion too; one line says it without crossing the picture.
    axes.plot([5.3, 5.42, 5.42, 10.55, 10.55], [2.1, 2.1, 1.35, 1.35, 1.6], color=GREY, lw=1)
    axes.plot([8.9, 10.55, 10.55], [0.5, 0.5, 1.35], color=GREY, lw=1)
    axes.plot([6.05, 6.05], [2.5, 3.1], color=GREY, lw=1, linestyle=":")
    axes.plot([8.45, 8.45], [2.5, 3.1], color=GREY, lw=1, linestyle=":")
    for name, (text, x, y, width, height) in _BOXES.items():
        on = name in highlight
        axes.add_patch(
            FancyBboxPatch(
                (x, y),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.12",
                lw=1.8 if on else 1,
                facecolor=TRAIN if on else "white",
                edgecolor=INK if on else GREY,
                zorder=2,
            )
        )
        axes.text(
            x + width / 2,
            y + height / 2,
            text,
            ha="center",
            va="center",
            zorder=3,
            fontsize=8,
            color=INK,
        )
        if name in _BLOCKS:
            on = "gcca" in highlight
            axes.add_patch(
                FancyBboxPatch(
                    (x + 0.08, -0.62),
                    width - 0.16,
                    0.46,
                    boxstyle="round,pad=0,rounding_size=0.1",
                    facecolor=TRAIN if on else "white",
                    edgecolor=INK if on else GREY,
                    zorder=2,
                )
            )
            axes.text(
                x + width / 2,
                -0.4,
                "GCCA",
                ha="center",
                va="center",
                fontsize=6.5,
                color=INK,
                zorder=3,
            )
    axes.set(xlim=(-0.1, 13.4), ylim=(-0.75, 4.0))
    axes.set_axis_off()
    return figure
