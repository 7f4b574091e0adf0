"""What the data look like: faces of every class, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.labels import Expression
from fercourse.plots.style import OURS, THIRD, TRAIN, course_style, headline, light_grid, new_figure

if TYPE_CHECKING:
    from fercourse.datasets.base import FaceDataset, Faces


@course_style()
def sample_grid(faces: Faces, per_class: int = 5, seed: int = 0) -> Figure:
    """Some faces of every class, one column a class.

    Args:
        faces: Any split.
        per_class: Rows.
        seed: Of the draw; a class with fewer faces leaves its column short.

    Raises:
        FercourseError: There are no faces.
    """
    if not len(faces):
        raise FercourseError("there are no faces to show.")
    counts = faces.counts(len(Expression))
    classes = [expression for expression in Expression if counts[expression]]
    side, gap = faces.size, max(2, faces.size // 16)
    step = side + gap
    sheet = np.full((per_class * step - gap, len(classes) * step - gap), 255, dtype=np.uint8)
    rng = np.random.default_rng(seed)
    for column, expression in enumerate(classes):
        at = np.flatnonzero(faces.labels.numpy() == expression)
        at = rng.permutation(at)[:per_class]
        for row, image in enumerate(faces.images[at].numpy()):
            height, width = (min(length, side) for length in image.shape)
            sheet[row * step : row * step + height, column * step : column * step + width] = image[
                :height, :width
            ]
    figure = new_figure(height=7.0 * sheet.shape[0] / sheet.shape[1] + 0.65)
    axes = figure.add_subplot()
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks(
        [column * step + side / 2 for column in range(len(classes))],
        [f"{expression.title}\n{counts[expression]:,}" for expression in classes],
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    headline(
        figure,
        f"{len(faces):,} faces of {side} × {side} pixels in {len(classes)} classes: "
        f"{per_class} drawn at random from each",
    )
    return figure


@course_style()
def class_histogram(dataset: FaceDataset) -> Figure:
    """Share of every class in the three splits, with the number of training faces.

    Raises:
        FercourseError: A split is empty.
    """
    empty = [name for name, faces in dataset.splits.items() if not len(faces)]
    if empty:
        raise FercourseError(f"{dataset.name} has no faces in {' and '.join(empty)}.")
    num_classes = max(7, *(int(faces.labels.max()) + 1 for faces in dataset.splits.values()))
    counts = {name: faces.counts(num_classes) for name, faces in dataset.splits.items()}
    shares = {name: 100 * n / n.sum() for name, n in counts.items()}
    figure = new_figure(height=3.1)
    axes = figure.add_subplot()
    at, width = np.arange(num_classes), 0.27
    roles = {"train": TRAIN, "val": THIRD, "test": OURS}
    for k, (name, share) in enumerate(shares.items()):
        label = f"{name} ({counts[name].sum():,})"
        axes.bar(at + (k - 1) * width, share, 0.92 * width, color=roles[name], label=label)
    tops = np.max(list(shares.values()), axis=0)
    for k, n in enumerate(counts["train"]):
        axes.annotate(f"{n:,}", (k, tops[k]), (0, 3), textcoords="offset points", ha="center")
    axes.set_xticks(at, [Expression(k).title for k in range(num_classes)])
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("share of the split (%)")
    axes.legend(
        title="split (faces); over the bars: training faces",
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.03),
        alignment="left",
        borderaxespad=0,
    )
    light_grid(axes)
    headline(figure, _balance(dataset.name, counts["train"], list(shares.values())))
    return figure


def _balance(name: str, train: np.ndarray, shares: list[np.ndarray]) -> str:
    most, least = int(train.argmax()), int(np.where(train > 0, train, train.max() + 1).argmin())
    ratio = train[most] / train[least]
    apart = float(np.ptp(shares, axis=0).max())
    first = (
        f"{name}: {Expression(most).title} has {ratio:.3g} times the training faces of "
        f"{Expression(least).title}"
        if ratio >= 1.2
        else f"{name}: the classes are about equally frequent"
    )
    return f"{first}; no class's share differs by more than {apart:.1f} points between splits"
