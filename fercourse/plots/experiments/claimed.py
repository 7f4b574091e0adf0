"""What the paper says beside what can be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fercourse.datasets.fingerprint import COUNTS
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import binomial_error
from fercourse.labels import BASIC
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PAPER,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry


@course_style()
def claimed_counts(claims: Mapping[str, int]) -> Figure:
    """FER2013's training images per class, with the numbers a text gives for some of them.

    Args:
        claims: Class name, as in ``Expression``, and the number claimed.

    Raises:
        FercourseError: There is no claim, or one of another class.
    """
    counts = dict(zip((e.name.lower() for e in BASIC), COUNTS[0].tolist(), strict=True))
    if not claims or claims.keys() - counts.keys():
        raise FercourseError(f"claims are about some of {', '.join(counts)}; not {list(claims)}.")
    names = sorted(counts, key=lambda name: counts[name])
    figure = new_figure(height=2.9)
    axes = figure.add_subplot()
    axes.barh(
        names,
        [counts[n] for n in names],
        color=[OURS if n in claims else GREY for n in names],
        height=0.62,
    )
    for k, name in enumerate(names):
        axes.annotate(
            f"{counts[name]:,}",
            (counts[name], k),
            (4, 0),
            va="center",
            textcoords="offset points",
            fontsize=8.5,
        )
    for k, (name, claim) in enumerate(claims.items()):
        axes.plot(
            claim,
            names.index(name),
            "D",
            color=PAPER,
            mfc="white",
            ms=8,
            mew=2,
            label="as the text has it" if k == 0 else None,
        )
    axes.set_yticks(range(len(names)), [n.capitalize() for n in names])
    axes.set_xlabel("training images")
    axes.set_xlim(0, 1.12 * max(counts.values()))
    axes.legend(loc="lower right")
    light_grid(axes, "x")
    worst = max(claims, key=lambda n: abs(np.log(claims[n] / counts[n])))
    near = min(counts, key=lambda n: abs(np.log(counts[n] / claims[worst])))
    headline(
        figure,
        f"About {claims[worst]:,} are the images of {near} ({counts[near]:,}), not of {worst} "
        f"({counts[worst]:,})",
    )
    return figure


@course_style()
def sta_beside_error(rows: Sequence[Entry], tested: Mapping[str, int]) -> Figure:
    """Table 2's methods: the spread over runs, and the error a test set of that size leaves.

    Args:
        rows: Claims, each with accuracy and stability.
        tested: Images in the test set, by data set.

    Raises:
        FercourseError: A data set has no claim with a stability.
    """
    rows = [row for row in rows if isinstance(row, Claim) and row.stability]
    bare = tested.keys() - {row.dataset for row in rows}
    if bare or not tested:
        raise FercourseError(f"no claim of accuracy and Sta on {', '.join(bare) or 'any data'}.")
    figure = new_figure(height=3.0)
    panels = figure.subplots(1, len(tested), sharey=True, squeeze=False)[0]
    ratios = []
    for axes, (dataset, n) in zip(panels, tested.items(), strict=True):
        mine = [row for row in rows if row.dataset == dataset]
        for k, row in enumerate(mine):
            error = 100 * binomial_error(row.acc, n)
            axes.plot([100 * row.sta, error], [k, k], color=GREY, linewidth=1.2, zorder=1)
            axes.plot(
                100 * row.sta,
                k,
                "D",
                color=PAPER,
                mfc="white",
                ms=6,
                mew=1.6,
                label="Sta, as claimed" if k == 0 else None,
            )
            axes.plot(
                error,
                k,
                "o",
                color=OURS,
                ms=7,
                label="binomial error of the test set" if k == 0 else None,
            )
            ratios.append(error / (100 * row.sta))
        axes.set_yticks(range(len(mine)), [row.variant for row in mine])
        axes.set_xlabel("points of accuracy")
        axes.set_xlim(left=0)
        axes.set_title(f"{known(dataset).title}, {n:,} test images")
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        light_grid(axes, "x")
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    smallest, largest = min(ratios), max(ratios)
    headline(
        figure,
        f"The luck of the test set is {smallest:.1f} to {largest:.1f} times what Sta shows: Sta "
        "says how steady training is, not how sure the accuracy is",
    )
    return figure
