"""One photograph step by step, and how far its answer can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from fercourse.errors import FercourseError
from fercourse.evaluation import calibration
from fercourse.labels import Expression
from fercourse.plots.alternative import describe
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PALE,
    PAPER,
    THIRD,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.statistics import wilson

if TYPE_CHECKING:
    from PIL import Image

    from fercourse.evaluation.recognise import FacePrediction

_COLOURS, _MARKERS = (OURS, PAPER, THIRD, TRAIN), "osD^"


@course_style()
def from_photo(image: Image.Image, face: Tensor, reading: FacePrediction) -> Figure:
    """A photograph with the face found, the face as the network gets it, and its answer.

    Args:
        image: RGB.
        face: uint8 (S, S), what was cut out.
        reading: Of that face.
    """
    figure = new_figure(height=3.0)
    left, middle, right = figure.subplots(1, 3, width_ratios=[0.85, 0.85, 1.3])
    left.imshow(np.asarray(image))
    x0, y0, x1, y1 = reading.found.box
    left.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=TRAIN, linewidth=1.8))
    left.plot(*zip(*reading.found.landmarks, strict=True), "o", color=TRAIN, ms=3)
    left.set_title(f"found (p = {reading.found.probability:.4f})")
    middle.imshow(face.numpy(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    middle.set_title(f"cut: {len(face)} × {len(face)}, grey")
    for axes in (left, middle):
        axes.axis("off")
    names = [Expression(k).title for k in range(len(reading.probabilities))]
    best, p = reading.ranked()[0]
    colours = [OURS if k == best else GREY for k in range(len(names))]
    right.barh(names, 100 * np.array(reading.probabilities), color=colours)
    right.invert_yaxis()
    right.set_xlim(0, 100)
    right.set_xlabel("softmax (%)")
    right.set_title("answered")
    light_grid(right, "x")
    second, q = reading.ranked()[1]
    headline(
        figure, f"The network answers {best.title} with {p:.0%}, then {second.title} ({q:.0%})"
    )
    describe(
        figure,
        "The photograph, the face cut from it as the network sees it, and bars of the "
        "probabilities of the seven expressions",
    )
    return figure


@course_style()
def reliability(named: Mapping[str, Tensor], labels: Tensor, bins: int = 10) -> Figure:
    """How often answers of each confidence are right, a panel for each set of probabilities.

    Args:
        named: Probabilities (N, K) of the same faces by what made them, such as "softmax".
        labels: int64 (N,).
        bins: Of equal width over [0, 1].

    Raises:
        FercourseError: There are no faces, or no probabilities.
    """
    if not named or not len(labels):
        raise FercourseError("there are no probabilities of any face to judge.")
    figure = new_figure(height=3.4)
    panels = figure.subplots(1, len(named), sharey=True, squeeze=False)[0]
    said = []
    for axes, (name, p) in zip(panels, named.items(), strict=True):
        points = calibration.reliability(p, labels, bins)
        _panel(axes, points, len(labels))
        error = calibration.calibration_error(p, labels, bins)
        axes.set_title(f"{name}: calibration error {error:.3f}")
        axes.set_xlabel("confidence: largest probability")
        over = 100 * sum(share * (sure - right) for share, sure, right in points)
        said.append(f"{name} is {abs(over):.1f} points too {'sure' if over > 0 else 'unsure'}")
    panels[0].set_ylabel("share of right answers")
    text = "; ".join(said)
    headline(figure, f"{text[0].upper()}{text[1:]}")
    return figure


@course_style()
def reliability_bins(
    named: Mapping[str, tuple[Sequence[Sequence[float]], int]], finding: str
) -> Figure:
    """:func:`reliability` of recorded bins, a panel a set of probabilities.

    Args:
        named: By title, a (share of the faces, mean confidence, accuracy) for each bin, as
            :func:`fercourse.evaluation.calibration.reliability` gives them, and how many faces.
        finding: What the figure shows.
    """
    if not named:
        raise FercourseError("there are no bins to show.")
    figure = new_figure(height=2.6)
    panels = figure.subplots(1, len(named), sharey=True, squeeze=False)[0]
    for axes, (name, (bins, faces)) in zip(panels, named.items(), strict=True):
        _panel(axes, bins, faces)
        axes.set_title(name)
        axes.set_xlabel("confidence")
    panels[0].set_ylabel("share of right answers")
    headline(figure, finding)
    return figure


def _panel(axes: Axes, bins: Sequence[Sequence[float]], faces: int) -> None:
    """A point a bin, larger where it holds more faces, with its 95 % interval."""
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", zorder=1)
    for share, sure, right in bins:
        n = round(share * faces)
        low, high = wilson(round(right * n), n)
        axes.errorbar(
            sure,
            right,
            [[max(0, right - low)], [max(0, high - right)]],
            fmt="o",
            color=OURS,
            ms=3 + 7 * np.sqrt(share),
            elinewidth=1.2,
        )
    axes.set_xlim(-0.04, 1.06)
    axes.set_ylim(0, 1.04)
    light_grid(axes)


@course_style()
def sensitivity(
    curves: Mapping[str, tuple[Sequence[float], Tensor]], at: Sequence[float]
) -> Figure:
    """The probabilities of one face while one thing about its picture changes.

    Args:
        curves: By what changes ("rotation (degrees)"): its values and probabilities (V, K).
        at: The value the picture has as it is, for each.
    """
    figure = new_figure(height=3.2)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    peaks = torch.stack([p.amax(0) for _, p in curves.values()]).amax(0)  # (K,)
    shown = peaks.argsort(descending=True)[: len(_COLOURS)].tolist()
    turned = []
    for axes, (name, (values, p)), here in zip(panels, curves.items(), at, strict=True):
        for k in range(p.shape[1]):
            if k not in shown:
                axes.plot(values, 100 * p[:, k], color=PALE, linewidth=1)
        for k, colour, marker in zip(shown, _COLOURS, _MARKERS, strict=True):
            axes.plot(
                values,
                100 * p[:, k],
                color=colour,
                marker=marker,
                ms=3.5,
                label=Expression(k).title,
            )
        axes.axvline(here, color=INK, linewidth=0.8, linestyle=":")
        axes.set_xlabel(name)
        axes.set_ylim(0, 100)
        light_grid(axes)
        answers = p.argmax(1)
        own = answers[min(range(len(values)), key=lambda i: abs(values[i] - here))]
        if (answers != own).any():
            turned.append(name.split(" (")[0])
    panels[0].set_ylabel("softmax (%)")
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(shown))
    if turned:
        text = f"One face, one photograph, and the answer changes with {' and '.join(turned)}"
    else:
        text = "The answer stays the same over all these changes; its probability does not"
    headline(figure, text)
    return figure


@course_style()
def accuracy_by_group(
    named: Mapping[str, Tensor], order: Tensor, images: Tensor, count: int = 5
) -> Figure:
    """Accuracy over equal groups of faces along some property, with 95 % intervals.

    Args:
        named: Which faces were recognised, bool (N,), by the line's name.
        order: The property, (N,), such as how much light the skin returns.
        images: uint8 (N, H, W); three of each group stand below its point.
        count: Groups.

    Raises:
        FercourseError: A group has no face.
    """
    if len(order) < count:
        raise FercourseError(f"{len(order)} faces do not fill {count} groups.")
    parts = order.argsort().tensor_split(count)
    figure = new_figure(height=4.1)
    above, below = figure.subplots(2, 1, height_ratios=[4.8, 1])
    said = []
    for k, ((name, right), colour, marker) in enumerate(
        zip(named.items(), _COLOURS, _MARKERS, strict=False)
    ):
        means = [right[part].double().mean().item() for part in parts]
        ends = [wilson(int(right[part].sum()), len(part)) for part in parts]
        reach = (
            100 * np.array([[m - lo, hi - m] for m, (lo, hi) in zip(means, ends, strict=True)]).T
        )
        at = np.arange(count) + 0.08 * (k - (len(named) - 1) / 2)
        above.errorbar(
            at,
            100 * np.array(means),
            reach,
            fmt=f"-{marker}",
            color=colour,
            ms=5,
            elinewidth=1.2,
            capsize=2,
            label=name,
        )
        na, nb = len(parts[-1]), len(parts[0])
        error = np.sqrt(means[-1] * (1 - means[-1]) / na + means[0] * (1 - means[0]) / nb)
        gap = means[-1] - means[0]
        if abs(gap) > 2 * error:
            said.append(f"{name} {100 * gap:+.1f} ± {100 * error:.1f} points".replace("-", "−"))
    above.set_ylabel("accuracy (%)")
    above.set_ylim(0, 100)
    above.set_xlim(-0.5, count - 0.5)
    above.set_xticks(range(count), [""] * count)
    above.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, ncols=len(named))
    light_grid(above)
    strip = torch.cat(
        [torch.cat(list(images[part[[0, len(part) // 2, -1]]]), 1) for part in parts], 1
    )
    h, w = strip.shape
    below.imshow(
        strip.numpy(),
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(-0.5, count - 0.5, 0, 1),
        aspect=count * h / w,
    )
    for edge in range(1, count):
        below.axvline(edge - 0.5, color="white", linewidth=4)
    below.set_yticks([])
    below.set_xticks(
        range(count),
        [f"{_nth(k, count)} fifth" if count == 5 else str(k + 1) for k in range(count)],
    )
    below.tick_params(length=0)
    below.spines[:].set_visible(False)
    shown = "; ".join(said) or "no difference shown by so few faces"
    headline(figure, f"Lightest against darkest fifth: {shown}")
    return figure


def _nth(k: int, count: int) -> str:
    words = ("darkest", "second", "third", "fourth", "lightest")
    return words[k] if count == 5 else str(k)
