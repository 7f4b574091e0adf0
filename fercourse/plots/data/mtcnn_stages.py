"""What MTCNN's three networks propose, drop and keep in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from fercourse.detection import match
from fercourse.detection.stages import Stage
from fercourse.plots.alternative import describe
from fercourse.plots.overlay import bare
from fercourse.plots.style import OURS, PAPER, TRAIN, course_style, headline, new_figure

DROPPED, FALSE = TRAIN, PAPER


@course_style()
def mtcnn(image: np.ndarray, stages: Sequence[Stage], truth: np.ndarray) -> Figure:
    """P-Net's and R-Net's boxes at the left, O-Net's with probabilities at the right.

    Args:
        image: uint8 (H, W) or (H, W, 3).
        stages: From :meth:`fercourse.detection.StagedSearch.stages`.
        truth: (N, 4), where the faces are: left, top, right, bottom in pixels.
    """
    first, second, last = stages
    figure = new_figure(height=5.2)
    figure.set_layout_engine("none")  # places are fixed, so that it redraws fast
    small = [figure.add_axes((0.005, bottom, 0.33, 0.37)) for bottom in (0.475, 0.02)]
    large = figure.add_axes((0.345, 0.02, 0.65, 0.825))
    height, width = image.shape[:2]
    step = max(1, height // 300)  # the small ones show no more pixels
    pale = (0.45 * 255 + 0.55 * image[::step, ::step]).astype(np.uint8)
    for axes in (*small, large):
        shown = image if axes is large else pale
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
        bare(axes)
    _boxes(small[0], first.boxes, OURS, 0.6, alpha=0.6)
    small[0].set_title(f"P-Net proposes {len(first.boxes)}\nof {first.looked_at:,} windows")
    _boxes(small[1], second.dropped, DROPPED, 0.5, alpha=0.7)
    _boxes(small[1], second.boxes, OURS, 1.1)
    small[1].set_title(
        f"R-Net drops {len(second.dropped)},\nmerges {second.merged}, keeps {len(second.boxes)}"
    )
    shows = match(last.boxes, truth)
    _boxes(large, last.dropped, DROPPED, 1.0, linestyle="dashed")
    _boxes(large, last.boxes[shows >= 0], OURS, 2.0)
    _boxes(large, last.boxes[shows < 0], FALSE, 2.0)
    missed = truth[~np.isin(np.arange(len(truth)), shows)]
    _boxes(large, missed, "white", 1.2, linestyle="dotted")
    large.scatter(
        *last.landmarks.reshape(-1, 2).T,
        s=7,
        color="white",
        edgecolors=OURS,
        linewidths=0.6,
        zorder=3,
    )
    for box, p in zip(last.dropped, last.doubtful, strict=True):
        if p >= 0.05:
            _label(large, box, f"{p:.2f}", DROPPED, "black")
    for box, p, face in zip(last.boxes, last.probabilities, shows, strict=True):
        _label(large, box, f"{p:.3f}", OURS if face >= 0 else FALSE, "white")
    large.set_title(
        f"O-Net drops {len(last.dropped)} (dashed), merges {last.merged}, keeps {len(last.boxes)}"
    )
    headline(figure, _in_words(len(truth), shows, last))
    describe(
        figure,
        "One picture three times, with the boxes that each network leaves: P-Net "
        f"{len(first.boxes)}, R-Net {len(second.boxes)}, O-Net {len(last.boxes)}, the last with "
        "probabilities",
    )
    return figure


def _boxes(axes: Axes, boxes: np.ndarray, colour: str, width: float, **style: Any) -> None:
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    axes.add_collection(
        PolyCollection(list(corners), facecolor="none", edgecolor=colour, linewidth=width, **style),
        autolim=False,
    )


def _label(axes: Axes, box: np.ndarray, text: str, colour: str, ink: str) -> None:
    axes.annotate(
        text,
        (box[0], box[1]),
        (0, 2),
        textcoords="offset points",
        color=ink,
        fontsize=7.5,
        annotation_clip=True,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.2},
    )


def _in_words(faces: int, shows: np.ndarray, last: Stage) -> str:
    found, wrong = int((shows >= 0).sum()), int((shows < 0).sum())
    said = f"{found} of {faces} face{'s' * (faces > 1)} found"
    if wrong:
        said += f" (blue), and {wrong} box{'es' * (wrong > 1)} without a face of its own (red)"
    if found < faces:
        said += f"; {faces - found} missed (dotted)"
    if found and found == faces and not wrong:
        p = last.probabilities.min()
        said += f", and nothing else; the least sure has probability {p:.3f}"
    return said
