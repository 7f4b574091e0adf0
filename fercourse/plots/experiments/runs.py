"""What the ledger says: sweeps of a weight, what each component adds, and how far runs spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fercourse.config import PARTS
from fercourse.datasets.registry import known
from fercourse.errors import FercourseError
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PAPER,
    course_style,
    headline,
    light_grid,
    new_figure,
    points,
)
from fercourse.runs.claim import Claim
from fercourse.runs.entry import Entry
from fercourse.runs.groups import grouped, whole_seeds
from fercourse.runs.paper import OPTIMUM
from fercourse.runs.row import Row
from fercourse.runs.statistics import Paired
from fercourse.runs.summaries import compare, summarise
from fercourse.runs.sweeps import at_chance, judge_sweep, verdict

_SYMBOLS = {"loss.weight": r"$\lambda$", "loss.pair_weight": r"$\lambda_1$"}
_WORDS = {"loss.weight": "λ", "loss.pair_weight": "λ₁"}
FEWEST = 3
"""Seeds below which no interval is drawn: from two, chance alone can make one of no width."""

_METRICS = {"test_accuracy": "test accuracy (%)", "val_accuracy": "validation accuracy (%)"}


@course_style()
def sweep(rows: Sequence[Row], parameter: str, metric: str = "val_accuracy") -> Figure:
    """Accuracy against one setting, as in Fig. 6: each seed, the mean and its 95 % interval.

    A sweep chooses, so it looks at the validation split; choosing by test accuracy would spoil it.
    The title says whether the values differ, by :func:`fercourse.runs.sweeps.judge_sweep`. The axis
    follows the seeds that learned: those left at chance are marked at its lower end, and an
    interval, which from two seeds may be ten times as long, is cut.

    Args:
        rows: Measured runs that differ in this setting and the seed alone.
        parameter: A config name: "loss.weight" (Fig. 6a), "loss.pair_weight" (6b), "model.width".
        metric: A field that holds a fraction.

    Raises:
        FercourseError: No measured row, fewer than two values, values that are no numbers, or
            the runs differ in something else as well.
    """
    rows = _measured(rows, metric)
    _same_but_for(rows, parameter)
    found = {row.value(parameter) for row in rows}
    if len(found) < 2 or not all(isinstance(value, int | float) for value in found):
        raise FercourseError(
            f"a sweep needs two numbers at least for {parameter}; these runs have "
            f"{', '.join(sorted(map(str, found)))}."
        )
    rows = _pooled(rows, parameter)
    rows = [replace(row, variant=f"{row.value(parameter):g}") for row in rows]
    frame = summarise(rows, (parameter,), metric).sort_values(parameter, ignore_index=True)
    values = list(frame[parameter])
    mean = 100 * frame["mean"].to_numpy()
    reach = np.nan_to_num([mean - 100 * frame["low"], 100 * frame["high"] - mean])

    figure = new_figure(height=3.2)
    axes = figure.add_subplot()
    at = np.arange(len(values))
    learned = [row for row in rows if not at_chance(row)] or rows
    axes.plot(
        [values.index(row.value(parameter)) + 0.1 for row in learned],
        [100 * row.value(metric) for row in learned],
        "o",
        ms=4,
        color=OURS,
        alpha=0.5,
        mew=0,
    )
    seeds = np.array([100 * row.value(metric) for row in learned])
    room = max(np.ptp(seeds), 0.5)
    low, high = max(0, seeds.min() - room), min(100, seeds.max() + room)
    beyond = (mean - reach[0]).min() < low or (mean + reach[1]).max() > high
    cut = " (cut)" if beyond else ""
    axes.errorbar(
        at,
        mean,
        yerr=reach,
        fmt="-o",
        ms=6,
        color=OURS,
        elinewidth=1.4,
        capsize=3,
        label=f"mean, 95 % CI{cut}; beside: seeds",
    )
    claimed = OPTIMUM.get(parameter)
    if claimed in values:
        axes.axvline(
            values.index(claimed),
            color=PAPER,
            linestyle="--",
            linewidth=3,
            zorder=0,
            label=f"the paper's choice, {claimed:g}",
        )
    axes.set_xticks(at, [f"{value:g}" for value in values])
    axes.set_xlabel(_SYMBOLS.get(parameter, parameter))
    axes.set_ylabel(_METRICS.get(metric, metric))
    axes.margins(x=0.06)
    axes.set_ylim(max(low, axes.get_ylim()[0]), min(high, axes.get_ylim()[1]))
    lost = [row for row in rows if row not in learned]
    if lost:
        axes.plot(
            [values.index(row.value(parameter)) for row in lost],
            [0.03] * len(lost),
            "v",
            color=PAPER,
            ms=7,
            transform=axes.get_xaxis_transform(),
            label="at chance, far below",
        )
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, ncols=3)
    light_grid(axes)
    headline(figure, _sweep_in_words(rows, parameter, metric, values, int(mean.argmax())))
    return figure


@course_style()
def ablation_slopes(rows: Sequence[Entry], metric: str = "test_accuracy") -> Figure:
    """Table 1's models from left to right: one thin line a seed, the mean, and the paper's gains.

    The mean joins the models that were run with several seeds, and under it stands what each of its
    steps adds, with its 95 % interval, paired over the seeds; bold where it is clear. The paper's
    line is moved to start at our first model, so that gains are compared, not levels
    (:func:`fercourse.plots.table1_figure` compares those).

    Args:
        rows: Measured runs of one data set, variants "model1" to "model6", and the paper's rows.
        metric: A field that holds a fraction.

    Raises:
        FercourseError: Fewer than two models were measured.
    """
    claimed = [row for row in rows if isinstance(row, Claim) and row.plan == "table1"]
    rows = [row for row in _measured(rows, metric) if row.run.model.table1_row]
    rows = [replace(row, variant=f"model{row.run.model.table1_row}") for row in rows]
    models = sorted({row.variant for row in rows})
    if len(models) < 2:
        raise FercourseError("slopes need measured runs of two of Table 1's models at least.")
    claims = {row.variant: row for row in claimed if row.dataset == rows[0].dataset}
    at = [int(name.removeprefix("model")) for name in models]

    figure = new_figure(height=3.9)
    axes = figure.add_subplot()
    runs = grouped((row.pair_key[:2], row) for row in rows)
    for k, run in enumerate(sorted(runs)):
        of = {row.variant: 100 * row.value(metric) for row in runs[run]}
        axes.plot(
            at,
            [of.get(name, np.nan) for name in models],
            "-x",
            color=GREY,
            alpha=0.45,
            linewidth=0.9,
            ms=3,
            label=None if k else "one seed",
        )
    repeated = _repeated(rows)
    frame = summarise(rows, ("variant",), metric).set_index("variant")
    axes.plot(
        [int(name[-1]) for name in repeated],
        100 * frame["mean"][repeated],
        "-o",
        color=OURS,
        ms=6,
        linewidth=2.2,
        label="our mean" + ("" if repeated == models else " (several seeds)"),
    )
    if all(name in claims for name in repeated):
        theirs = np.array([claims[name].acc for name in repeated])
        shifted = 100 * (frame["mean"][repeated[0]] + theirs - theirs[0])
        axes.plot(
            [int(name[-1]) for name in repeated],
            shifted,
            "--D",
            color=PAPER,
            mfc="white",
            ms=5,
            linewidth=1.4,
            label="the paper's gains from there",
        )
    steps = [_step(rows, a, b, metric) for a, b in pairwise(repeated)]
    for (left, right), step in zip(pairwise(repeated), steps, strict=True):
        axes.annotate(
            _gain_in_words(step),
            ((int(left[-1]) + int(right[-1])) / 2, 0.02),
            ha="center",
            xycoords=("data", "axes fraction"),
            fontsize=8,
            color=INK,
            fontweight="bold" if step and _clear(step) else "normal",
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.22 * (high - low), high)  # room for the steps
    names = (
        "VGG16",
        *(f"+ {part.title}".replace(" ", "\n").replace("+\n", "+ ") for part in PARTS if part.row),
    )
    added = ["\n".join(names[before:k]) for before, k in pairwise([0, *at])]
    axes.set_xticks(at, [f"{k}\n{parts}" for k, parts in zip(at, added, strict=True)])
    axes.set_ylabel(_METRICS.get(metric, metric))
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, ncols=3)
    light_grid(axes)
    headline(figure, f"{known(rows[0].dataset).title}: {_steps_in_words(repeated, steps)}")
    return figure


@course_style()
def accuracy_spread(rows: Sequence[Entry], metric: str = "test_accuracy") -> Figure:
    """Every seed's accuracy for each variant, over the two errors that surround the mean.

    Narrow band: Sta (eq. 9), what another seed does. Wide band: the binomial standard error, what
    another test set of the same size would do; the paper prints the first alone.

    Args:
        rows: Measured runs of one data set; the paper's rows for the same variants are drawn too.
        metric: "test_accuracy" or another test accuracy.

    Raises:
        FercourseError: No measured row, or rows of several data sets or labels.
    """
    claims = [row for row in rows if isinstance(row, Claim) and row.test_accuracy is not None]
    rows = _measured(rows, metric)
    frame: Any = summarise(rows, ("variant",), metric).set_index("variant").sort_index()
    figure = new_figure(height=3.4)
    axes = figure.add_subplot()
    for k, (variant, line) in enumerate(frame.iterrows()):
        seeds = sorted(
            (row.seed, 100 * row.value(metric)) for row in rows if row.variant == variant
        )
        mean, sta, error = (100 * float(line[name]) for name in ("mean", "sta", "binomial"))
        for reach, half, alpha, hatch, label in (
            (error, 0.36, 0.2, "", "± binomial error of the test set"),
            (sta, 0.16, 0.5, "////", "± Sta over seeds"),
        ):
            if np.isfinite(reach):
                axes.add_patch(
                    Rectangle(
                        (k - half, mean - reach),
                        2 * half,
                        2 * reach,
                        facecolor=OURS,
                        edgecolor="white",
                        hatch=hatch,
                        alpha=alpha,
                        linewidth=0,
                        label=None if k else label,
                    )
                )
        axes.hlines(mean, k - 0.36, k + 0.36, color=OURS, linewidth=1.6)
        across = k + (np.linspace(-0.25, 0.25, len(seeds)) if len(seeds) > 1 else np.zeros(1))
        axes.plot(
            across,
            [value for _, value in seeds],
            "o",
            ms=4.5,
            color=INK,
            label=None if k else "one seed",
        )
        for claim in claims:
            if claim.variant == variant and claim.dataset == rows[0].dataset:
                reach = 100 * (claim.stability or 0)
                axes.errorbar(
                    k + 0.44,
                    100 * claim.acc,
                    yerr=reach,
                    fmt="D",
                    ms=5,
                    mfc="white",
                    color=PAPER,
                    capsize=2,
                    label="the paper, ± Sta",
                )
    axes.set_xticks(range(len(frame)), frame.index)
    axes.set_xlim(-0.6, len(frame) - 0.4)
    axes.set_ylabel(_METRICS.get(metric, metric))
    axes.margins(y=0.1)
    axes.relim()
    axes.autoscale_view(scalex=False)
    legend = {
        label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    axes.legend(
        legend.values(),
        legend.keys(),
        ncols=4,
        loc="lower left",
        columnspacing=1.2,
        bbox_to_anchor=(-0.01, 1.0),
        borderaxespad=0.2,
        handletextpad=0.5,
    )
    light_grid(axes)
    repeated = frame[frame["n"] > 1]  # the Sta of a single run is zero, and says nothing
    sta = 100 * float(np.mean(repeated["sta"].to_numpy())) if len(repeated) else math.nan
    error = 100 * float(np.mean(frame["binomial"].to_numpy()))
    counts = [int(n) for n in repeated["n"]]
    least, most = min(counts, default=0), max(counts, default=0)
    if repeated.empty:
        text = f"One run each says nothing of seeds; the test set leaves an error of {error:.2f}"
    else:
        runs = f"{least} runs" if least == most else f"{least} to {most} runs"
        than = "less" if sta < error else "more"
        alone = "" if len(repeated) == len(frame) else ", single ones aside"
        text = (
            f"Seeds spread by {sta:.2f} points (Sta, {runs} each{alone}), {than} than the error of "
            f"{error:.2f} that the test set leaves"
        )
    headline(figure, text)
    return figure


def _measured(rows: Sequence[Entry], metric: str) -> list[Row]:
    """The measured rows that have the metric: one data set and one label."""
    rows = [row for row in rows if isinstance(row, Row) and row.value(metric) is not None]
    if not rows:
        raise FercourseError(f"no measured row has {metric}: run the plan first.")
    for name in ("dataset", "label"):
        found = sorted({row.value(name) for row in rows})
        if len(found) > 1:
            raise FercourseError(
                f"the rows mix {name} {', '.join(found)}; choose one with ledger.rows({name}=...)."
            )
    return rows


def _same_but_for(rows: list[Row], parameter: str) -> None:
    """Refuse a sweep in which anything but the parameter, the seed and the fold changes."""
    first, *others = dict.fromkeys(row.run.experiment for row in rows)
    for name in (name for other in others for name in other.diff(first) if name != parameter):
        values = sorted({row.value(name) for row in rows})
        raise FercourseError(
            f"the runs differ in {name} ({', '.join(map(str, values))}) as well as in "
            f"{parameter}; choose one with ledger.rows(**{{{name!r}: ...}})."
        )


def _pooled(rows: list[Row], parameter: str) -> list[Row]:
    """One row a value and seed: folds share training faces, and are no runs of their own."""
    values = grouped((row.value(parameter), row) for row in rows)
    pooled = [row for group in values.values() for row in whole_seeds(group)[0]]
    if len({row.value(parameter) for row in pooled}) < 2:
        raise FercourseError(
            "fewer than two values have a seed with all its folds; run the missing ones first."
        )
    return pooled


def _sweep_in_words(
    rows: list[Row], parameter: str, metric: str, values: list[float], best: int
) -> str:
    name, claimed = _WORDS.get(parameter, parameter), OPTIMUM.get(parameter)
    told = verdict(judge_sweep(rows, parameter, metric))
    leads = f"best mean: {values[best]:g}"
    if claimed in values and values[best] != claimed:
        gain = _step(rows, f"{claimed:g}", f"{values[best]:g}", metric)
        leads += f", {points(gain.mean)} points over the paper's {claimed:g}" if gain else ""
    elif values[best] == claimed:
        leads += ", as in the paper"
    return f"{name}: {told}; {leads}"


def _step(rows: Sequence[Row], first: str, second: str, metric: str) -> Paired | None:
    """What the second model adds; None where no seed has both, as after a failed run."""
    runs = [{row.pair_key for row in rows if row.variant == name} for name in (first, second)]
    return compare(rows, first, second, metric) if runs[0] & runs[1] else None


def _repeated(rows: Sequence[Row]) -> list[str]:
    """The models with several seeds, where two have: a single run says nothing of a step."""
    seeds: dict[str, set[int]] = {}
    for row in rows:
        seeds.setdefault(row.variant, set()).add(row.seed)
    several = sorted(name for name, found in seeds.items() if len(found) > 1)
    return several if len(several) > 1 else sorted(seeds)


def _gain_in_words(step: Paired | None) -> str:
    if step is None:
        return "no seed\nhas both"
    interval = f"\n[{points(step.low)}, {points(step.high)}]" if step.n >= FEWEST else ""
    return f"{points(step.mean)}{interval}"


def _clear(step: Paired) -> bool:
    return step.n >= FEWEST and (step.low > 0 or step.high < 0)


def _steps_in_words(models: list[str], steps: list[Paired | None]) -> str:
    sure = {k: step for k, step in enumerate(steps) if step and _clear(step)}
    if not sure:
        n = max((step.n for step in steps if step), default=0)
        if n == 0:
            return "no two neighbouring models share a seed"
        return f"no step's gain stands clear of its error over {n} seed{'s' * (n > 1)}"
    k = max(sure, key=lambda k: abs(sure[k].mean))
    return (
        f"{models[k].replace('model', 'model ')} to {models[k + 1][-1]} changes most: {sure[k]}"
        f"{'' if len(sure) > 1 else '; no other stands clear of its error'}"
    )
