"""Fig. 1 as a map, drawn from a config: what feeds what, in which shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fercourse.config import ModelConfig
from fercourse.errors import FercourseError
from fercourse.models.fernet import FERNet
from fercourse.plots.alternative import describe
from fercourse.plots.style import GREY, INK, TRAIN, course_style, new_figure

# name: (text, x, y, width, height); the backbone runs along the middle, maps above it.
_BOXES = {
    "faces": ("faces\nMTCNN", 0.0, 0.0, 1.2, 1.0),
    "augment": ("15-fold\naugment", 1.5, 0.0, 1.2, 1.0),
    **{f"C{i}": (f"C{i}", 3.55 + 1.75 * (i - 1), 0.0, 0.75, 1.0) for i in range(1, 6)},
    "edge": ("edge map", 5.0, -2.3, 1.3, 0.75),
    "decoder": ("partial decoder", 6.8, 1.75, 4.55, 0.75),
    "reverse": ("reverse attention", 6.8, 3.3, 4.55, 0.75),
    "fusion": ("multi-\nfeature\nfusion", 12.9, -1.2, 1.3, 4.6),
    "head": ("embed-\nding,\nlogits", 14.95, 0.4, 1.2, 1.3),
    "island": ("island loss", 14.7, 2.5, 1.7, 0.75),
}
_NEEDS = {
    "edge": "fusion",
    "decoder": "decoder",
    "reverse": "reverse",
    "island": "joint_loss",
}
_BLOCKS = ("C1", "C2", "C3", "C4", "C5")
_TOP, _BUS = 1.0, -0.95  # of the blocks; height of the line that C3 and C4 take to the fusion


class Flow(NamedTuple):
    """One arrow: what goes from one part to another, and its shape without the batch."""

    source: str
    target: str
    what: str
    shape: tuple[int, ...]


def flows(config: ModelConfig, size: int = 48) -> list[Flow]:
    """Every arrow of :func:`framework`, with the shapes a face of ``size`` pixels has there.

    Shapes come from the network itself, built without numbers.
    """
    with torch.device("meta"):
        network = FERNet(config).eval()
        laterals, _ = network.backbone(torch.zeros(1, config.in_channels, size, size))
    c = {f"C{i}": tuple(x.shape[1:]) for i, x in enumerate(laterals, start=1)}
    found = [Flow(a, b, a, c[a]) for a, b in pairwise(_BLOCKS)]
    found = [Flow("augment", "C1", "face", (config.in_channels, size, size)), *found]
    pooled = {"C5": c["C5"][:1]}
    if config.fusion:
        edges = network.edge(laterals[1])
        found += [Flow("C2", "edge", "C2", c["C2"])]
        found += [Flow("edge", "fusion", "mean of the edge map", (edges.shape[1],))]
        pooled |= {name: c[name][:1] for name in ("C3", "C4")}
    found += [Flow(name, "fusion", f"mean of {name}", shape) for name, shape in pooled.items()]
    if config.decoder:
        decoded, region = network.decoder(*laterals[2:])
        found += [Flow(name, "decoder", name, c[name]) for name in ("C3", "C4", "C5")]
        found += [Flow("decoder", "fusion", "features, where the map says", (decoded.shape[1],))]
        if config.reverse:
            found += [Flow("decoder", "reverse", "$P_d$", tuple(region.shape[1:]))]
            found += [Flow(name, "reverse", name, c[name]) for name in ("C3", "C4", "C5")]
            found += [Flow("reverse", "decoder", "$S_3$", tuple(region.shape[1:]))]
            left = sum(c[name][0] for name in ("C3", "C4", "C5"))
            found += [Flow("reverse", "fusion", "means of $R_5, R_4, R_3$", (left,))]
    found += [Flow("fusion", "head", "concatenation", (network.embed.in_features,))]
    if config.joint_loss:
        found += [Flow("head", "island", "embedding", (config.embedding,))]
    return found


@course_style()
def framework(
    highlight: Sequence[str] = (), config: ModelConfig | None = None, size: int = 48
) -> Figure:
    """The framework as ``FERNet`` computes it, with some parts highlighted.

    Args:
        highlight: Of faces, augment, C1 to C5, gcca (a mark at every block), edge, fusion,
            decoder, reverse, head, island.
        config: Which parts there are, and how wide; the whole framework by default.
        size: Of the faces, pixels: shapes are those it gives.

    Raises:
        FercourseError: There is no such part.
    """
    config = config or ModelConfig()
    off = {name for name, switch in _NEEDS.items() if not getattr(config, switch)}
    parts = [name for name in (*_BOXES, "gcca") if name not in off]
    unknown = [name for name in highlight if name not in parts]
    if unknown:
        raise FercourseError(f"Fig. 1 has no part {unknown[0]!r}; it has {', '.join(parts)}.")
    figure = new_figure(height=3.15)
    axes = figure.add_subplot()
    _arrow(axes, [(1.2, 0.5), (1.5, 0.5)])
    for flow in flows(config, size):
        _draw(axes, flow)
    for name, (text, x, y, width, height) in _BOXES.items():
        if name in off:
            continue
        _box(axes, text, x, y, width, height, 8 if name in _BLOCKS else 7.5, name in highlight)
        if name in _BLOCKS and config.gcca:
            _box(axes, "GCCA", x - 0.05, -0.55, 0.85, 0.42, 6, "gcca" in highlight)
    axes.set(xlim=(-0.1, 16.5), ylim=(-2.5, 4.6))
    axes.set_axis_off()
    describe(
        figure,
        "The framework as boxes and arrows, from the face through the blocks C1 to C5 to the "
        "expression; beside the blocks the edges, the decoder and reverse attention, all joined "
        "by the fusion. "
        + (f"This lesson is about: {', '.join(highlight)}" if highlight else "No part stands out"),
    )
    return figure


def _draw(axes: Axes, flow: Flow) -> None:
    """One arrow along its own way, and its shape beside it."""
    a, b = flow.source, flow.target
    said = _shape(flow.shape)
    x = {name: _BOXES[name][1] for name in _BOXES}
    middle = x[a] + _BOXES[a][3] / 2
    if b in _BLOCKS:
        start, end = x[a] + _BOXES[a][3], x[b]
        _arrow(axes, [(start, 0.5), (end, 0.5)])
        _label(axes, (start + end) / 2, 0.58, said, size=5.2)
    elif (a, b) == ("C2", "edge"):
        _arrow(axes, [(middle + 0.1, 0), (middle + 0.1, -1.55)])
    elif (a, b) == ("edge", "fusion"):
        _arrow(axes, [(6.3, -1.95), (13.55, -1.95), (13.55, -1.2)])
        _label(axes, 9.6, -1.9, f"mean: {said}")
    elif a in ("C3", "C4") and b == "fusion":
        _arrow(axes, [(middle + 0.1, 0), (middle + 0.1, _BUS), (12.9, _BUS)])
        _label(axes, middle + 0.75, _BUS - 0.33, f"mean: {said}")
    elif (a, b) == ("C5", "fusion"):
        _arrow(axes, [(11.3, 0.5), (12.9, 0.5)])
        _label(axes, 12.1, 0.58, f"mean: {said}")
    elif a in _BLOCKS and b == "decoder":
        _arrow(axes, [(middle - 0.2, _TOP), (middle - 0.2, 1.75)])
    elif a in _BLOCKS and b == "reverse":  # behind the decoder
        _arrow(axes, [(middle + 0.05, _TOP), (middle + 0.05, 3.3)])
    elif (a, b) == ("decoder", "reverse"):
        _arrow(axes, [(7.0, 2.5), (7.0, 3.3)])
        _label(axes, 6.9, 2.78, f"{flow.what}: {said}", ha="right")
    elif (a, b) == ("reverse", "decoder"):
        _arrow(axes, [(11.25, 3.3), (11.25, 2.5)])
        _label(axes, 11.4, 2.78, f"{flow.what}: {said}", ha="left")
    elif (a, b) == ("decoder", "fusion"):
        _arrow(axes, [(11.35, 2.1), (12.9, 2.1)])
        _label(axes, 12.1, 2.15, said)
    elif (a, b) == ("reverse", "fusion"):
        _arrow(axes, [(11.35, 3.7), (13.55, 3.7), (13.55, 3.4)])
        _label(axes, 12.3, 3.75, f"means: {said}")
    elif (a, b) == ("fusion", "head"):
        _arrow(axes, [(14.2, 1.05), (14.95, 1.05)])
        _label(axes, 14.57, 1.12, said)
    elif (a, b) == ("head", "island"):
        _arrow(axes, [(15.55, 1.7), (15.55, 2.5)])
        _label(axes, 15.65, 1.95, said, ha="left")


def _box(
    axes: Axes, text: str, x: float, y: float, width: float, height: float, size: float, on: bool
) -> None:
    shape = FancyBboxPatch(
        (x, y),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.12",
        lw=1.8 if on else 1,
        facecolor=TRAIN if on else "white",
        edgecolor=INK if on else GREY,
        zorder=2,
    )
    axes.add_patch(shape)
    where: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 3}
    axes.text(x + width / 2, y + height / 2, text, fontsize=size, color=INK, **where)


def _arrow(axes: Axes, way: Sequence[tuple[float, float]]) -> None:
    if len(way) > 2:
        across, down = zip(*way[:-1], strict=True)
        axes.plot(across, down, color=GREY, lw=1, zorder=1)
    style = {"arrowstyle": "->", "color": GREY, "lw": 1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", way[-1], way[-2], arrowprops=style, zorder=1)


def _label(
    axes: Axes, x: float, y: float, text: str, ha: str = "center", size: float = 5.8
) -> None:
    place: dict[str, Any] = {"ha": ha, "va": "bottom"}
    axes.text(x, y, text, fontsize=size, color=INK, zorder=3, **place)


def _shape(shape: tuple[int, ...]) -> str:
    """(256, 12, 12) as 256×12², (7,) as 7."""
    if len(shape) == 1:
        return f"{shape[0]:,}"
    channels, height, width = shape
    return f"{channels}×{height}²" if height == width else f"{channels}×{height}×{width}"
