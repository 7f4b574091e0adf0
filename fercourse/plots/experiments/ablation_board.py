"""The ablation board: which components, what was measured, and what the paper claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercourse.errors import FercourseError
from fercourse.evaluation.metrics import mean_accuracy, stability
from fercourse.experiments.board import ComponentResult, Switches
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PALE,
    PAPER,
    TRAIN,
    course_style,
    headline,
    light_grid,
    new_figure,
)

HEADINGS = ("fusion", "GCCA", "PD", "RA", "joint\nloss")
BAND = "#FFF1CC"


@course_style()
def ablation_board(
    component_results: Sequence[ComponentResult], on: Switches, where: str
) -> Figure:
    """Combinations of components, a row each, with every seed's accuracy and the paper's claim.

    Args:
        standings: Of :func:`fercourse.experiments.board.component_results`.
        on: The chosen combination, banded and put into words.
        where: Data set and recipe, "FER2013, preset cpu".

    Raises:
        FercourseError: The chosen combination is not among them.
    """
    chosen = next((each for each in component_results if each.on == on), None)
    if chosen is None:
        raise FercourseError("the chosen combination is not among the standings.")
    figure = new_figure(height=1.75 + 0.3 * len(component_results))
    marks, scale = figure.subplots(1, 2, width_ratios=[1, 1.5], sharey=True)
    for y, each in enumerate(component_results):
        if each is chosen:
            for axes in (marks, scale):
                axes.axhspan(y - 0.5, y + 0.5, color=BAND, linewidth=0, zorder=0)
        for x, there in enumerate(each.on):
            marks.plot(x, y, "o", ms=9, mfc=INK if there else "white", mec=INK if there else PALE)
        _measured(scale, y, each)
    marks.set(xlim=(-0.7, 4.7), ylim=(len(component_results) - 0.5, -0.5))
    marks.set_xticks(range(5), HEADINGS)
    marks.xaxis.tick_top()
    names = [f"model {s.model}" if s.model else "not in Table 1" for s in component_results]
    marks.set_yticks(range(len(component_results)), names)
    for label, each in zip(marks.get_yticklabels(), component_results, strict=True):
        label.set_fontweight("bold" if each is chosen else "normal")
    marks.tick_params(length=0)
    marks.spines[:].set_visible(False)
    scale.tick_params(axis="y", length=0, labelleft=False)
    scale.spines["left"].set_visible(False)
    scale.set_xlabel("test accuracy (%)")
    scale.margins(x=0.12)
    light_grid(scale, "x")
    handles = {
        "a seed": scale.plot([], [], "o", color=OURS, alpha=0.45, ms=5, mew=0)[0],
        "mean": scale.plot([], [], "|", color=OURS, ms=13, mew=2.5)[0],
    }
    if any(each.claim for each in component_results):
        handles["paper, Acc ± Sta"] = scale.plot([], [], "D", color=PAPER, mfc="white", ms=5)[0]
    figure.legend(handles.values(), handles.keys(), loc="outside lower right", ncols=3)
    headline(figure, f"{where}: {_in_words(chosen)}")
    return figure


@course_style()
def training_now(
    history: Sequence[dict[str, Any]], epochs: int, name: str, state: str = "training"
) -> Figure:
    """The curve of a run that is not over, on an axis as long as the run will be.

    Args:
        history: So far, possibly empty.
        epochs: Of the whole run.
        name: What is being trained.
        state: "training", "recorded", "stopped" or "failed".
    """
    figure = new_figure(height=2.9)
    axes = figure.add_subplot()
    at = [entry["epoch"] + 1 for entry in history]
    for key, line, colour, label in (
        ("train_accuracy", "s--", TRAIN, "training"),
        ("val_accuracy", "o-", OURS, "validation"),
    ):
        values = [100 * entry.get(key, np.nan) for entry in history]
        now = f" {values[-1]:.1f} %" if values else ""
        axes.plot(at, values, line, ms=3.5, color=colour, label=label + now)
    axes.set(xlim=(0.5, epochs + 0.5), ylim=(0, 102), xlabel="epochs done", ylabel="accuracy (%)")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.axhline(100 / 7, color=GREY, linewidth=0.8, linestyle=":")
    axes.annotate(
        "guessing",
        (epochs, 100 / 7),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=GREY,
    )
    light_grid(axes)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.98), borderaxespad=0, ncols=2)
    headline(figure, f"{name}: {_progress(history, epochs, state)}")
    return figure


def _measured(axes: Axes, y: int, result: ComponentResult) -> None:
    claim = result.claim
    if claim is not None:
        reach = 100 * (claim.stability or 0)
        axes.errorbar(
            100 * claim.acc,
            y - 0.16,
            xerr=reach,
            fmt="D",
            color=PAPER,
            mfc="white",
            ms=5,
            elinewidth=1.3,
            capsize=2,
        )
    values = [100 * row.test_accuracy for row in result.rows]
    if values:
        axes.plot(values, [y + 0.16] * len(values), "o", color=OURS, alpha=0.45, ms=5, mew=0)
        axes.plot(np.mean(values), y + 0.16, "|", color=OURS, ms=13, mew=2.5)


def _in_words(result: ComponentResult) -> str:
    values = [row.test_accuracy for row in result.rows]
    if values:
        seeds = (
            "1 seed, so no Sta"
            if len(values) == 1
            else (f"Sta {100 * stability(values):.2f}, n = {len(values)} seeds")
        )
        text = f"{100 * mean_accuracy(values):.2f} % ({seeds})"
    else:
        text = "not recorded yet"
    if result.folds:
        text += f", {result.folds} folds of an unfinished seed"
    claim = result.claim
    if claim is not None:
        sta = "" if claim.stability is None else f" ± {100 * claim.stability:.2f}"
        return f"{text}; the paper claims {100 * claim.acc:.2f}{sta}"
    return f"{text}; the paper " + (
        "does not use these faces" if result.model else "has no such model"
    )


def _progress(history: Sequence[dict[str, Any]], epochs: int, state: str) -> str:
    if not history:
        return "starting, reading the faces" if state == "training" else state
    done, values = int(history[-1]["epoch"]) + 1, [entry["val_accuracy"] for entry in history]
    if state == "recorded":
        return f"recorded; validation accuracy {100 * max(values):.1f} % at its best"
    if state != "training":
        return f"{state} after epoch {done} of {epochs}"
    seconds = [entry["seconds"] for entry in history if "seconds" in entry]
    left = f", {_span(float(np.mean(seconds)) * (epochs - done))} to go" if seconds else ""
    return f"training, epoch {done} of {epochs}{left}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
