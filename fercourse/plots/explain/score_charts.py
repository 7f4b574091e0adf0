"""Score rows as figures: who finds the acting muscles, and which map passes the sanity checks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.explain.baselines import BASELINES, UNTRAINED
from fercourse.explain.gradcam import METHODS
from fercourse.explain.maps import TITLES
from fercourse.explain.score import METRIC_TITLES
from fercourse.plots.style import (
    GREY,
    INK,
    MATRIX,
    OURS,
    PAPER,
    PINK,
    SKY,
    THIRD,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.score_book import ScoreRow

SHOWN = (
    "gradcam",
    "gradcam++",
    "layercam",
    "eigencam",
    "ablationcam",
    "before2",
    "before3",
    "before5",
    "global",
    "refined3",
)
_COLOURS = (OURS, PAPER, THIRD, TRAIN, PINK, SKY, INK, GREY)
_MARKERS = "osD^vP*Xh"


_LINES = ("centre", "mean-face edges", "own edges")


def untrained_of(name: str) -> str:
    """The map of an untrained network that a map of this kind is held against.

    Fine maps have C2's or C3's grid; those of the last blocks are as coarse as a Grad-CAM.
    """
    if name in ("before2", "edge"):
        return "untrained C2"
    fine = ("before3", "after3", "global", "refined3", "reverse3", "remaining3")
    return "untrained C3" if name in fine else "untrained Grad-CAM"


def title_of(name: str) -> str:
    """What a map or method is called in print."""
    return METHODS.get(name) or TITLES.get(name, name)


@course_style()
def score_models(rows: Sequence[ScoreRow], metric: str = "pr_auc") -> Figure:
    """One panel a map, models along it, each training seed a dot with its interval over faces.

    Lines are the baselines that any map must beat; the grey band is what the same map of networks
    that learnt nothing reaches, from the worst to the best of their initialisations.

    Args:
        rows: Of a score book, kinds "map", "cam" and "baseline"; one data set.
        metric: "energy", "pointing" or "pr_auc", against the pixels that changed, or with
            "_regions" behind it against the regions in which units could act.

    Raises:
        FercourseError: There is nothing to show, or the rows mix data sets.
    """
    rows = [row for row in rows if metric in row.scores]
    scored = [row for row in rows if row.kind in ("map", "cam") and row.model.isdigit()]
    if not scored:
        raise FercourseError(f"no row has a score {metric!r} of one of Table 1's models.")
    if len({row.faces for row in rows}) > 1:
        raise FercourseError("the rows mix data sets; choose one with ScoreBook.rows(faces=...).")
    names = [name for name in SHOWN if any(row.name == name for row in scored)]
    if not names:
        raise FercourseError(f"none of the rows is of a map shown here: {', '.join(SHOWN)}.")
    flat = {row.name: row.scores[metric]["all"] for row in rows if row.kind == "baseline"}
    lines = {name: value for name, (value, *_) in flat.items() if name in _LINES}
    figure = new_figure(height=1.0 + 1.75 * -(-len(names) // 4))
    panels = figure.subplots(-(-len(names) // 4), 4, sharex=True, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, names, strict=False):
        for (label, value), style in zip(lines.items(), cycle([":", "-.", "--"]), strict=False):
            axes.axhline(
                value, color=GREY, linewidth=1, linestyle=style, label=f"{label}, {value:.2f}"
            )
        if (newborn := untrained_of(name)) in flat:
            _, low, high, _ = flat[newborn]
            axes.axhspan(low, high, color=GREY, alpha=0.25, linewidth=0)
        mine = [row for row in scored if row.name == name]
        seeds = sorted({row.run.rpartition("-")[2] for row in mine})
        for row in mine:
            shift = 0.18 * (seeds.index(row.run.rpartition("-")[2]) - (len(seeds) - 1) / 2)
            value, low, high, _ = row.scores[metric]["all"]
            reach = [[max(0, value - low)], [max(0, high - value)]]
            axes.errorbar(
                int(row.model) + shift, value, reach, fmt="o", ms=4, color=OURS, elinewidth=1.2
            )
        axes.set_title(title_of(name))
        axes.set_xlim(0.5, 6.5)
        axes.set_xticks(range(1, 7))
        light_grid(axes)
    for axes in panels.flat[len(names) :]:
        axes.axis("off")
    for axes in panels[:, 0]:
        axes.set_ylabel(_metric_title(metric))
    for axes in panels.flat[max(0, len(names) - 4) : len(names)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("model of Table 1")
    if lines:
        free = len(panels.flat) - len(names) > 1  # cells at the lower right
        figure.legend(
            *panels[0, 0].get_legend_handles_labels(),
            title="to beat (grey: untrained networks):",
            loc="lower right" if free else "outside lower center",
            bbox_to_anchor=(0.88, 0.11) if free else None,
            ncols=1 if free else 3,
        )
    headline(figure, _best_in_words([r for r in scored if r.name in names], flat, metric))
    return figure


@course_style()
def score_expressions(rows: Sequence[ScoreRow], model: str = "6", metric: str = "pr_auc") -> Figure:
    """Expressions against maps for one model, as numbers on one colour scale.

    Args:
        rows: Of a score book; of several seeds the mean is shown.
        model: Of Table 1.
        metric: As for :func:`score_models`.

    Raises:
        FercourseError: There is no such row of the model's own.
    """
    import seaborn

    mine = [
        row
        for row in rows
        if metric in row.scores and (row.model == model or row.kind == "baseline")
    ]
    names = [n for n in (*SHOWN, *BASELINES, *UNTRAINED) if any(row.name == n for row in mine)]
    blind = [row.name for row in mine if row.kind == "baseline"]
    if not set(names) - set(blind):
        raise FercourseError(f"no row has a score {metric!r} of model {model}.")
    groups = list(mine[0].scores[metric])
    table = np.array([[_mean(mine, n, metric, g) for g in groups] for n in names])
    figure = new_figure(height=1.1 + 0.32 * len(names))
    axes = figure.add_subplot()
    seaborn.heatmap(
        100 * table,
        ax=axes,
        annot=True,
        fmt=".0f",
        cmap=MATRIX,
        linewidths=0.6,
        xticklabels=[g.capitalize() for g in groups],
        cbar=False,
        yticklabels=[title_of(n) for n in names],
    )
    axes.tick_params(length=0)
    axes.tick_params(axis="y", labelrotation=0)
    middle = 0.45 * table.min() + 0.55 * table.max()  # cividis is brighter than grey from here on
    for number, value in zip(axes.texts, table.flat, strict=True):
        number.set_color(INK if value > middle else "white")
    own = table[: len([n for n in names if n in SHOWN])]
    best = np.unravel_index(own[:, 1:].argmax(), own[:, 1:].shape)
    headline(
        figure,
        f"Model {model}, {_metric_title(metric)} in per cent: highest for {groups[best[1] + 1]} "
        f"by {title_of(names[best[0]])}"
        + (f"; the last {len(blind)} rows are what a map has to beat" if blind else ""),
    )
    return figure


@course_style()
def sanity(rows: Sequence[ScoreRow], model: str = "6") -> Figure:
    """Cascading randomisation and flip agreement, a line a method.

    Bands are intervals over initialisations; at the end, with all weights random, each one of
    them is a point.

    Args:
        rows: Of a score book, kind "sanity".
        model: Of Table 1.

    Raises:
        FercourseError: There is no such row.
    """
    mine = [row for row in rows if row.kind == "sanity" and row.model == model]
    if not mine:
        raise FercourseError(f"no row holds a sanity check of model {model}.")
    mine = list({row.name: row for row in mine}.values())
    figure = new_figure(height=3.5)
    left, right = figure.subplots(1, 2, width_ratios=[2.4, 1])
    steps = list(mine[0].scores["randomised"])
    ends = {}
    looks = zip(cycle(_COLOURS), cycle(_MARKERS), strict=False)
    for k, (row, (colour, marker)) in enumerate(zip(mine, looks, strict=False)):
        values = np.array([row.scores["randomised"][s][:3] for s in steps])
        at = np.arange(len(steps))
        left.fill_between(at, values[:, 1], values[:, 2], color=colour, alpha=0.15, linewidth=0)
        left.plot(at, values[:, 0], color=colour, marker=marker, ms=4, label=title_of(row.name))
        ends[row.name] = values[-1, 0]
        last = [v[0] for s, v in row.scores.get("draws", {}).items() if s.startswith(steps[-1])]
        left.scatter(
            [at[-1] + 0.25 + 0.08 * k] * len(last), last, s=5, color=colour, alpha=0.7, linewidth=0
        )
        value, low, high, _ = row.scores["flip"]["all"]
        right.errorbar(
            value, k, xerr=[[value - low], [high - value]], fmt=marker, ms=6, color=colour
        )
    left.axhline(0, color=INK, linewidth=0.8)
    left.set_xticks(range(len(steps)), steps, rotation=45, ha="right", rotation_mode="anchor")
    left.set_xlabel("forgotten so far, from the logits to this part")
    left.set_ylabel("rank correlation\nwith the trained map")
    left.set_ylim(min(-0.05, left.dataLim.y0 - 0.05), 1.05)
    left.set_title("weights randomised")
    light_grid(left)
    right.set_yticks(range(len(mine)), [title_of(row.name) for row in mine])
    right.invert_yaxis()
    right.set_xlim(-0.1, 1.05)
    right.set_xlabel("rank correlation")
    right.set_title("mirrored and back")
    light_grid(right, "x")
    worst = max(ends, key=lambda name: abs(ends[name]))
    headline(
        figure,
        f"With all weights random, {title_of(worst)} stays most alike to the trained map: "
        f"correlation {ends[worst]:.2f}, where 1 would mean that weights do not matter",
    )
    return figure


@course_style()
def faithfulness(rows: Sequence[ScoreRow]) -> Figure:
    """Deletion, insertion and ROAD, a line a method: does the answer hang on what is marked?

    Args:
        rows: Of a score book, kind "faithful", of one model and one data set.

    Raises:
        FercourseError: There is no such row, or they are of several models or data sets.
    """
    mine = [row for row in rows if row.kind == "faithful"]
    if not mine:
        raise FercourseError("no row holds deletion and insertion curves.")
    if len({(row.weights, row.faces) for row in mine}) > 1:
        raise FercourseError("the rows mix models or data sets; choose one weights and faces.")
    figure = new_figure(height=3.4)
    panels = figure.subplots(1, 3, width_ratios=[1, 1, 0.9])
    road = {}
    looks = zip(cycle(_COLOURS), cycle(_MARKERS), strict=False)
    for k, (row, (colour, marker)) in enumerate(zip(mine, looks, strict=False)):
        for axes, kind in zip(panels[:2], ("deletion", "insertion"), strict=True):
            found = row.scores[kind]
            axes.plot(
                [100 * float(s) for s in found],
                [v[0] for v in found.values()],
                color=colour,
                marker=marker,
                ms=3.5,
                lw=1.4,
                label=title_of(row.name),
                ls="--" if row.name in BASELINES else "-",
            )
        value, low, high, _ = row.scores["road"]["all"]
        road[row.name] = value
        panels[2].errorbar(
            100 * value,
            k,
            xerr=[[100 * (value - low)], [100 * (high - value)]],
            fmt=marker,
            ms=6,
            color=colour,
        )
    for axes, title, label in (
        (panels[0], "deletion: low is good", "pixels blurred (%)"),
        (panels[1], "insertion: high is good", "pixels shown (%)"),
    ):
        axes.set_title(title)
        axes.set_xlabel(label)
        axes.set_ylim(0, 1)
        light_grid(axes)
    panels[0].set_ylabel("probability of the first answer")
    panels[2].set_yticks(range(len(mine)), [title_of(row.name) for row in mine])
    panels[2].invert_yaxis()
    panels[2].axvline(0, color=INK, linewidth=0.8)
    panels[2].set_xlabel("ROAD (points)")
    panels[2].set_title("ROAD: right is good")
    light_grid(panels[2], "x")
    best = max(road, key=lambda name: road[name])
    blind = [name for name in road if name in BASELINES]
    own = [name for name in road if name not in blind]
    name = f"the blind map “{best}”" if best in blind else title_of(best)
    text = f"By ROAD, {name} finds most of what the answer hangs on"
    if own and blind:
        beaten = sum(road[m] > max(road[b] for b in blind) for m in own)
        text += f"; {beaten} of {len(own)} maps beat every blind map (dashed)"
    headline(figure, text)
    return figure


def _metric_title(metric: str) -> str:
    base = metric.removesuffix("_regions")
    return METRIC_TITLES.get(base, base) + (", regions" if base != metric else "")


def _best_in_words(rows: Sequence[ScoreRow], flat: dict[str, list[float]], metric: str) -> str:
    scores: dict[str, list[float]] = {}
    for row in rows:
        scores.setdefault(row.name, []).append(row.value(metric))
    best = max(scores, key=lambda name: np.mean(scores[name]))
    low, high = min(scores[best]), max(scores[best])
    reach = f"{low:.2f}" if len(scores[best]) == 1 else f"{low:.2f} to {high:.2f}"
    text = f"{title_of(best)} finds what changed best ({_metric_title(metric)}: {reach})"
    if flat:
        top = max(flat, key=lambda name: flat[name][2])
        text += f"; the best that has learnt nothing, {top}, reaches {flat[top][2]:.2f}"
    return text


def _mean(rows: Sequence[ScoreRow], name: str, metric: str, group: str) -> float:
    """Over the rows of one map, which differ in their training seed."""
    found = [row.scores[metric] for row in rows if row.name == name]
    return float(np.mean([scores[group][0] for scores in found if group in scores]))
