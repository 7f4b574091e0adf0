"""Ten seeds each: maps with their supervision given back, GCCA mended, and GCCA's relatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercourse.errors import FercourseError
from fercourse.explain.gradcam import METHODS
from fercourse.explain.maps import TITLES
from fercourse.plots.style import (
    GREY,
    INK,
    OURS,
    PAPER,
    THIRD,
    course_style,
    headline,
    light_grid,
    new_figure,
)
from fercourse.runs.attention_record import Record, difference

PLAIN, SUPERVISED = "model5", "model5-supervised"
_MAPS = ("global", "refined5", "refined4", "refined3", "before3", "gradcam")
_EDITS = ("flattened", "of another face", "reversed", "all erased")
MENDS = {
    "gcca-none": ("no GCCA", GREY),
    "gcca-as-read": ("as read", INK),
    "gcca-norm": ("norm in squeeze", OURS),
    "gcca-descriptors": ("normed descriptors", PAPER),
    "gcca-start": ("zero-sum start", THIRD),
}
"""What plan ``gcca`` compares: name and colour."""

SLOT = {
    "gcca-none": ("nothing", GREY),
    "slot-se": ("SE", PAPER),
    "slot-cbam": ("CBAM", THIRD),
    "slot-eca": ("ECA", OURS),
    "gcca-as-read": ("GCCA", INK),
}
"""What plan ``slot`` puts behind every block: name and colour."""

Styles = Mapping[str, tuple[str, str]]


@course_style()
def supervision(records: Sequence[Record]) -> Figure:
    """Model 5 without and with supervised maps: where they point, whether that helps, or matters.

    Args:
        records: Of plan ``supervision``, see
            :func:`fercourse.runs.attention_record.attention_records`.

    Raises:
        FercourseError: One of the two was not measured.
    """
    sides = {name: [r for r in records if r["variant"] == name] for name in (PLAIN, SUPERVISED)}
    if not all(sides.values()):
        raise FercourseError("model 5 must be measured with and without supervised maps.")
    figure = new_figure(height=3.3)
    left, middle, right = figure.subplots(1, 3, width_ratios=[2.2, 0.8, 1.5])
    for axes, names, value in (
        (left, _MAPS, lambda r, n: 100 * r["maps"][n]["pr_auc"]),
        (right, _EDITS, lambda r, n: 100 * r["changed"][n] / r["judged"]),
    ):
        for shift, mine, colour, marker, label in (
            (-0.17, sides[PLAIN], INK, "x", "without"),
            (0.17, sides[SUPERVISED], OURS, "o", "supervised"),
        ):
            for k, name in enumerate(names):
                values = [value(r, name) for r in mine]
                _dots(axes, k + shift, values, colour, marker, label if k == 0 else None)
        light_grid(axes)
    left.set_xticks(range(len(_MAPS)), [_title(n) for n in _MAPS], rotation=35, ha="right")
    left.set_ylabel("PR-AUC against what changed (%)")
    left.set_ylim(0, 100)
    left.set_title("where maps point")
    left.legend(loc="upper right")
    right.set_xticks(range(len(_EDITS)), _EDITS, rotation=35, ha="right")
    right.set_ylabel("answers changed (%)")
    right.set_title("if $A_i$ is tampered with")
    pairs = _pairs(sides[PLAIN], sides[SUPERVISED])
    for before, after in pairs:
        middle.plot([0, 1], [100 * before, 100 * after], color=GREY, lw=1)
    for k, colour in ((0, INK), (1, OURS)):
        middle.plot([k] * len(pairs), [100 * p[k] for p in pairs], "o", ms=4, color=colour)
    middle.set_xlim(-0.4, 1.4)
    middle.set_xticks([0, 1], ["without", "supervised"], rotation=35, ha="right")
    middle.set_ylabel("test accuracy (%)")
    middle.set_title("accuracy")
    light_grid(middle)
    means = {
        name: np.mean([100 * r["maps"]["refined3"]["pr_auc"] for r in mine])
        for name, mine in sides.items()
    }
    text = f"Supervised, S_3 finds what changed ({means[SUPERVISED]:.0f} % instead of "
    text += f"{means[PLAIN]:.0f})"
    gain = difference(records, PLAIN, SUPERVISED, lambda r: 100 * r["accuracy"])
    if gain:
        what = "costs" if gain.high < 0 else "gains" if gain.low > 0 else "changes"
        size = abs(gain.mean) if gain.clear else gain.mean
        text += f", which {what} {size:{'.1f' if gain.clear else '+.1f'}} points of accuracy "
        text += f"[{gain.low:.1f}, {gain.high:.1f}]"
    headline(figure, f"{text}; {len(pairs)} seed{'s' * (len(pairs) > 1)}".replace("-", "−"))
    return figure


@course_style()
def gcca_mends(records: Sequence[Record]) -> Figure:
    """GCCA as read and with each mend: does M answer, and what is that worth?

    Args:
        records: Of plan ``gcca``.

    Raises:
        FercourseError: GCCA as read was not measured.
    """
    of = _by_variant(records, MENDS)
    if "gcca-as-read" not in of:
        raise FercourseError("GCCA as it was read must be measured.")
    figure = _compared(records, MENDS, "gcca-as-read")
    headline(figure, _what_mends_do(records, of))
    return figure


@course_style()
def relatives(records: Sequence[Record]) -> Figure:
    """Nothing, SE, CBAM, ECA and GCCA behind every block: do weights answer, is it worth anything?

    Args:
        records: See :func:`fercourse.runs.attention_record.slot_records`.

    Raises:
        FercourseError: The network with nothing there was not measured, or nothing else was.
    """
    of = _by_variant(records, SLOT)
    if "gcca-none" not in of or len(of) < 2:
        raise FercourseError("the network with nothing in the place must be measured, and another.")
    figure = _compared(records, SLOT, "gcca-none")
    headline(figure, _what_the_place_is_worth(records, of))
    return figure


def _by_variant(records: Sequence[Record], styles: Styles) -> dict[str, list[Record]]:
    """Records of each variant that was measured, in the order of the styles."""
    found = {name: [r for r in records if r["variant"] == name] for name in styles}
    return {name: mine for name, mine in found.items() if mine}


def _compared(records: Sequence[Record], styles: Styles, reference: str) -> Figure:
    """M's change over faces, answers that hang on it, accuracy and Grad-CAM against a variant."""
    of = _by_variant(records, styles)
    figure = new_figure(height=3.4)
    panels = figure.subplots(1, 4)
    shown = (
        ("M from face to face", "mean change", lambda r: float(np.mean(r["over_faces"]))),
        ("M frozen", "answers changed (%)", lambda r: 100 * r["frozen"] / r["judged"]),
    )
    for axes, (title, label, value) in zip(panels[:2], shown, strict=True):
        for k, name in enumerate(of):
            values = [value(r) for r in of[name] if "over_faces" in r]
            if values:
                _dots(axes, k, values, styles[name][1])
        axes.set_title(title)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        light_grid(axes)
    gains: Mapping[str, Callable[[Record], float]] = {
        "accuracy": lambda r: 100 * r["accuracy"],
        "Grad-CAM": lambda r: 100 * r["maps"]["gradcam"]["pr_auc"],
    }
    for axes, (title, value) in zip(panels[2:], gains.items(), strict=True):
        axes.axhline(0, color=INK, lw=0.8)
        for k, name in enumerate(of):
            found = difference(records, reference, name, value)
            if found and name != reference:
                reach = [[found.mean - found.low], [found.high - found.mean]]
                axes.errorbar(k, found.mean, reach, fmt="o", ms=5, color=styles[name][1])
        axes.set_title(title)
        axes.set_ylabel(f"points against “{styles[reference][0]}”")
        light_grid(axes)
    for axes in panels:
        axes.set_xticks(range(len(of)), [styles[n][0] for n in of], fontsize=7.5)
        axes.tick_params(axis="x", labelrotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.6, len(of) - 0.4)
    return figure


def _what_the_place_is_worth(records: Sequence[Record], of: Mapping[str, Sequence[Record]]) -> str:
    gains = {
        name: gain
        for name in of
        if name != "gcca-none"
        and (gain := difference(records, "gcca-none", name, lambda r: 100 * r["accuracy"]))
    }
    if not gains:
        return "One seed tells nothing about accuracy"
    names = ", ".join(SLOT[n][0] for n in gains)
    clear = [f"{SLOT[n][0]} ({g.mean:+.1f} points)" for n, g in gains.items() if g.clear]
    if clear and len(clear) < len(gains):
        verb = "changes" if len(clear) == 1 else "change"
        text = f"Of {names} only {' and '.join(clear)} clearly {verb} accuracy"
    elif clear:
        text = f"{' and '.join(clear)}: a clear change of accuracy"
    else:
        text = f"None of {names} clearly changes accuracy"
    text += " against nothing in the place"
    seeds = sorted({g.n for g in gains.values()})
    return f"{text}; {seeds[0]} seeds".replace("-", "−")


def _what_mends_do(records: Sequence[Record], of: Mapping[str, Sequence[Record]]) -> str:
    moved = {
        n: np.mean([np.mean(r["over_faces"]) for r in mine if "over_faces" in r])
        for n, mine in of.items()
        if mine and n != "gcca-none"
    }
    best = max(moved, key=lambda n: moved[n])
    gain = difference(records, "gcca-as-read", best, lambda r: 100 * r["accuracy"])
    name = MENDS[best][0]
    text = f"Mended ({name}), M changes {moved[best] / moved['gcca-as-read']:.1f} times as much "
    text += "from face to face"
    if gain and best != "gcca-as-read":
        text += f"; accuracy changes by {gain.mean:+.1f} points [{gain.low:.1f}, {gain.high:.1f}]"
        text += f" over {gain.n} seeds"
    return text.replace("-", "−")


def _dots(
    axes: Axes,
    x: float,
    values: Sequence[float],
    colour: str,
    marker: str = "o",
    label: str | None = None,
) -> None:
    """Every seed a dot, their mean a bar."""
    spread = np.linspace(-0.08, 0.08, len(values)) if len(values) > 1 else [0]
    axes.plot(x + np.array(spread), values, marker, ms=3, color=colour, alpha=0.7, label=label)
    axes.plot([x - 0.14, x + 0.14], [np.mean(values)] * 2, color=colour, lw=1.6)


def _pairs(first: Sequence[Record], second: Sequence[Record]) -> list[tuple[float, float]]:
    """Accuracies of the seeds that both have."""
    other = {r["seed"]: r["accuracy"] for r in second}
    return [(r["accuracy"], other[r["seed"]]) for r in first if r["seed"] in other]


def _title(name: str) -> str:
    titles = {"global": "$P_d$", "before3": "$C_3$", **METHODS}
    titles |= {f"refined{i}": f"$S_{i}$" for i in (3, 4, 5)}
    return titles.get(name) or TITLES[name]
