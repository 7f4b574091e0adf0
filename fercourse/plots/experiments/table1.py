"""Table 1: the paper's numbers beside ours, as a table and as a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fercourse.config import PARTS, ModelConfig
from fercourse.datasets.registry import REGISTRY, known
from fercourse.errors import FercourseError
from fercourse.plots.style import (
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
from fercourse.runs.groups import group_by_config
from fercourse.runs.row import Row
from fercourse.runs.summaries import summarise

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler


def table1(rows: Sequence[Entry], metric: str = "test_accuracy") -> Styler:
    """Table 1 in per cent, the paper's Acc and Sta beside ours, n and 95 % interval with ours.

    Args:
        rows: Of a ledger: variants "model1" to "model6", the claims of Table 1 and measured rows
            of one label; fold rows pooled or not, as wanted.
        metric: What "ours" is.

    Returns:
        A pandas Styler: shown as it is in a notebook, ``.data`` is the plain table.

    Raises:
        FercourseError: There is no such row, or the measured rows carry several labels, or on one
            data set several recipes.
    """
    claims, ours = _claims_and_ours(rows, metric)
    columns: dict[tuple[str, str], Sequence[object]] = {}
    for part in (part for part in PARTS if part.row):
        on = [getattr(ModelConfig.table1(k), part.switch) for k in range(1, 7)]
        columns["", part.heading] = ["✓" if value else "×" for value in on]
    for dataset, title in ((name, each.title) for name, each in REGISTRY.items()):
        if dataset in claims.index:
            columns[title, "paper Acc"] = _column(claims, dataset, "mean")
            columns[title, "paper Sta"] = _column(claims, dataset, "sta")
        if dataset in ours.index:
            columns[title, "ours Acc"] = _column(ours, dataset, "mean")
            columns[title, "95 % CI"] = _intervals(ours, dataset)
            columns[title, "ours Sta"] = _column(ours, dataset, "sta")
            columns[title, "n"] = [_at(ours, dataset, k, "n") for k in range(1, 7)]
    frame = pd.DataFrame(columns, index=pd.Index(range(1, 7), name="Model"))
    numbers = [name for name in frame if name[1].split()[-1] in ("Acc", "Sta")]
    best = [name for name in numbers if name[1].endswith("Acc")]
    style: Any = frame.style
    return (
        style.format("{:.2f}", subset=numbers, na_rep="–")
        .format("{:.0f}", subset=[name for name in frame if name[1] == "n"], na_rep="0")
        .highlight_max(subset=best, props="font-weight: bold")
        .set_caption(_gain_in_words(claims, ours, REGISTRY))
    )


@course_style()
def table1_figure(rows: Sequence[Row], metric: str = "test_accuracy") -> Figure:
    """Table 1 as one panel a data set: mean accuracy with its 95 % interval, the paper's from
    its Sta and ten runs.

    Arguments and errors as for :func:`table1`.
    """
    claims, ours = _claims_and_ours(rows, metric)
    shown = [name for name in REGISTRY if name in ours.index] or [
        name for name in REGISTRY if name in claims.index
    ]
    figure = new_figure(height=3.5)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    models = np.arange(1, 7)
    for axes, dataset in zip(panels, shown, strict=True):
        for frame, offset, colour, style, label in (
            (claims, -0.14, PAPER, {"fmt": "D", "mfc": "white", "ms": 5}, "paper, Acc and 95 % CI"),
            (ours, 0.14, OURS, {"fmt": "o", "ms": 6}, "ours, Acc and 95 % CI"),
        ):
            if dataset not in frame.index:
                continue
            mean = np.array(_column(frame, dataset, "mean"))
            low, high = (np.array(_column(frame, dataset, end)) for end in ("low", "high"))
            reach = np.nan_to_num([mean - low, high - mean])
            axes.errorbar(
                mean,
                models + offset,
                xerr=reach,
                color=colour,
                label=label,
                elinewidth=1.4,
                capsize=2,
                **style,
            )
            for k, value in zip(models, mean, strict=True):
                if np.isfinite(value):
                    axes.annotate(
                        f"{value:.2f}",
                        (1.02, k + offset),
                        color=colour,
                        fontsize=8,
                        xycoords=("axes fraction", "data"),
                        va="center",
                    )
        axes.set_title(known(dataset).title)
        axes.set_xlabel("test accuracy (%)")
        axes.margins(x=0.08)
        axes.tick_params(axis="y", length=0)
        light_grid(axes, "both")
    panels[0].set_ylim(6.5, 0.5)
    panels[0].set_yticks(
        models,
        [
            "1  VGG16",
            *(
                f"{k}  + {name}"
                for k, name in enumerate((part.heading for part in PARTS if part.row), start=2)
            ),
        ],
    )
    handles = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    headline(figure, _gain_in_words(claims, ours, shown))
    return figure


def _claims_and_ours(rows: Sequence[Entry], metric: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summaries indexed by data set and model number."""
    models = {f"model{k}": k for k in range(1, 7)}
    rows = [row for row in rows if row.variant in models]
    claimed = [row for row in rows if isinstance(row, Claim) and row.plan == "table1"]
    measured = [row for row in rows if isinstance(row, Row)]
    labels = {row.label for row in measured}
    if len(labels) > 1:
        raise FercourseError(
            f"the rows mix runs labelled {', '.join(sorted(labels))}; choose one, as in "
            "ledger.rows(label='full')."
        )
    for one, *others in _recipes(measured).values():
        if others:
            raise FercourseError(
                f"the rows mix recipes ({one}; {others[0]}); keep one with "
                "group_by_config(rows)[0] of fercourse.runs.groups."
            )
    if not claimed and not measured:
        raise FercourseError("no row is one of Table 1's models, variants model1 to model6.")
    frames = []
    for part, name in ((claimed, "test_accuracy"), (measured, metric)):
        frame = summarise(part, metric=name)
        frame["model"] = [models[name] for name in frame["variant"]]
        frames.append(frame.set_index(["dataset", "model"]).drop(columns=["label", "variant"]))
    return frames[0], frames[1]


def _recipes(rows: Sequence[Row]) -> dict[str, list[str]]:
    """By data set, how its runs were trained: a sentence for each recipe."""
    found: dict[str, list[str]] = {}
    for group in group_by_config(rows):
        found.setdefault(group[0].dataset, []).append(group[0].recipe)
    return found


def _at(frame: pd.DataFrame, dataset: str, model: int, name: str) -> float:
    found = frame[name].to_dict()
    return float(found.get((dataset, model), np.nan))


def _column(frame: pd.DataFrame, dataset: str, name: str) -> list[float]:
    return [100 * _at(frame, dataset, k, name) for k in range(1, 7)]


def _intervals(frame: pd.DataFrame, dataset: str) -> list[str]:
    ends = zip(_column(frame, dataset, "low"), _column(frame, dataset, "high"), strict=True)
    return ["–" if np.isnan(low) else f"{low:.2f} to {high:.2f}" for low, high in ends]


def _gain_in_words(claims: pd.DataFrame, ours: pd.DataFrame, datasets: Iterable[str]) -> str:
    """What model 6 gains on model 1, here and in the paper."""
    found = []
    for dataset in datasets:
        parts = []
        for frame, where in ((ours, "here"), (claims, "in the paper")):
            gain = _at(frame, dataset, 6, "mean") - _at(frame, dataset, 1, "mean")
            if np.isfinite(gain):
                parts.append(f"{points(gain)} {where}")
        if parts:
            found.append(f"{known(dataset).title} {', '.join(parts)}")
    return (
        f"Points model 6 gains on model 1: {'; '.join(found)}" if found else "Table 1, incomplete"
    )
