"""Seven probabilities as bars, before and after something was changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from fercourse.labels import Expression
from fercourse.plots.style import FADED, INK, OURS, light_grid


def answer_bars(
    axes: Axes, before: Sequence[float], after: Sequence[float], names: tuple[str, str], label: int
) -> None:
    """Draw the bars of ``after``, and a tick on each for ``before``.

    Args:
        axes: Where.
        before: Probabilities (K,).
        after: The same.
        names: What the two are called.
        label: What the face expresses, in bold.
    """
    at = np.arange(len(after))
    best = int(np.argmax(after))
    colours = [OURS if k == best else FADED for k in at]
    axes.barh(at, 100 * np.asarray(after), 0.62, color=colours, label=names[1])
    axes.plot(
        100 * np.asarray(before), at, "|", color=INK, markersize=13, mew=2, label=names[0], zorder=3
    )
    axes.set_yticks(at, [Expression(k).title for k in at])
    axes.get_yticklabels()[label].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set(xlim=(0, 104), xlabel="probability (%)")
    axes.tick_params(axis="y", length=0)
    light_grid(axes, "x")
    # Above the bars, where nothing can lie below it.
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=2, borderpad=0, handlelength=1.0,
        columnspacing=1.0, handletextpad=0.5, markerscale=0.7,
    )  # fmt: skip


def changed(*answers: Sequence[float]) -> str:
    """What became of the answer: "Happy 93 % → Neutral 41 %"."""
    return " → ".join(
        f"{Expression(int(np.argmax(p))).title} {100 * max(p):.0f} %" for p in answers
    )
