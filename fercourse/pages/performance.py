"""docs/performance.md: everything that was measured side by side in one run, and how cost grows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from fercourse.files import write_if_changed
from fercourse.markdown import table
from fercourse.pages.picture import save_if_changed
from fercourse.plots import cost_growth
from fercourse.runs.performance import Growth, Memory, Performance, Ratio

PICTURE = "pictures/performance-growth.png"

PARTS = {
    "framework": (
        "The full model beside the bare trunk",
        "The full model is Table 1's model 6, width {width:g}, faces of {size} pixels, {batch} a "
        "step; the trunk is torchvision's VGG16-BN as far as the paper keeps it, with an average "
        "and one linear layer behind. Training is a whole step, to the optimizer. "
        "What lies between the two is the price of the paper's components, of which "
        "[what-it-costs.md](what-it-costs.md) tells each. Beside the matrix product the ratio is "
        "the share of the device's best speed that a step reaches.",
    ),
    "augmentation": (
        "Augmentation of a batch beside PIL",
        "Both make the network's input from decoded faces by the same recipe, torchvision's "
        "transforms from one PIL image after the other, on one core. {shared}",
    ),
    "attention": (
        "GCCA beside SE and CBAM",
        "Alone, the modules meet what block 3 leaves of {batch} faces; in the model, each stands "
        "behind all five blocks. SE reads a map once, CBAM its average and maximum and then all "
        "places, GCCA its average, its maximum and a draw.",
    ),
    "poolings": (
        "GCCA's three poolings beside torch's own",
        "Forward and backward over the five maps of {batch} faces. Torch's own: mean, maximum, a "
        "draw over all locations, and the gradients that autograd makes of them.",
    ),
    "maps": (
        "Maps beside the package grad-cam",
        "Of the bundled model, {batch} faces a call, float32. The network's own maps all come from "
        "one forward pass; Grad-CAM makes one map from a forward and a backward pass. A ratio "
        "sets all maps of a face against the one.",
    ),
    "reading": (
        "Reading a photograph beside other packages",
        "Imports done and models loaded, one photograph after the other from its file. fercourse "
        "finds faces with MTCNN, the packages with OpenCV's detector, as is their habit; who "
        "answers better is another question. The last line is a whole command, from its start to "
        "its end, beside the import that it cannot do without. "
        "[results.md](results.md) has folders, films and large photographs.",
    ),
}
"""Heading of each part, and what its ratios are about."""


def write(docs: Path, record: Path) -> bool:
    """Write the page and its figure from the record; True if one of them changed."""
    found = Performance.read(record)
    drawn = save_if_changed(docs / PICTURE, cost_growth(found.growth))
    return write_if_changed(docs / "performance.md", report(found)) or drawn


def report(found: Performance) -> str:
    """The page: aims, a table of ratios a part, memory, growth."""
    told = found.about | {"shared": _shared(found)}
    parts = [
        "# How fast it is, and how cost grows",
        *_introduction(found),
        "## Aims",
        "\n".join(_aim(ratio) for ratio in found.ratios if ratio.aim is not None),
    ]
    for part, (heading, about) in PARTS.items():
        mine = [ratio for ratio in found.ratios if ratio.part == part]
        parts += [f"## {heading}", _filled(about.format(**told)), _ratios(mine)]
    parts += ["## Memory", *_memory(found), "## How cost grows", *_growth(found)]
    return "\n\n".join(parts) + "\n"


def _introduction(found: Performance) -> list[str]:
    about, versions = found.about, found.about["versions"]
    where = (
        f"Written from `results/bench.json`, one run of `make bench` on {about['created'][:10]}: "
        f"{about['device']}, {about['precision']}; {about['processor']} "
        f"({about['instructions']}, {about['cores']} cores); torch {versions['torch']}, "
        f"torchvision {versions['torchvision']}, Python {versions['python']}; "
        f"{about['minutes']:.0f} minutes."
    )
    how = (
        "Things that are compared take turns, call by call, so that whatever else the machine does "
        "slows all alike. *Times as fast* is the other's time over ours, the median of all turns, "
        "with the two numbers between which the middle half of them lies: above 1, what stands "
        "left is the faster. Ratios are a promise for machines like this one; rates belong to this "
        "one alone."
    )
    return [_filled(where), _filled(how)]


def _aim(ratio: Ratio) -> str:
    if ratio.faster is None:
        return f"- {ratio.ours}: {ratio.lacking}."
    return textwrap.fill(
        f"- {ratio.ours}, against {ratio.other}: {ratio.faster.median:.2f} times as fast; aim "
        f"{ratio.aim:.2f}: **{ratio.verdict}**.",
        100,
        subsequent_indent="  ",
    )


def _shared(found: Performance) -> str:
    """PIL's work divided among workers without loss, which is the best they could do."""
    cores = found.about["cores"]
    ratios = [
        r.faster.median / cores for r in found.ratios if r.part == "augmentation" and r.faster
    ]
    return (
        f"If {cores} workers shared PIL's work without loss, batches would be {min(ratios):.1f} to "
        f"{max(ratios):.1f} times as fast."
    )


def _ratios(ratios: Sequence[Ratio]) -> str:
    lines = [
        (
            ratio.ours,
            ratio.other,
            f"{ratio.faster.median:.2f}" if ratio.faster else ratio.lacking,
            f"{ratio.faster.low:.2f} to {ratio.faster.high:.2f}" if ratio.faster else "",
            f"{ratio.rate:,.3g} {ratio.unit}"
            if ratio.rate < 100
            else f"{ratio.rate:,.0f} {ratio.unit}",
        )
        for ratio in ratios
    ]
    head = ("this", "beside", "times as fast", "middle half", "this, a second")
    return table(head, lines, "llrrr")


def _memory(found: Performance) -> list[str]:
    nothing = found.about["nothing_mb"]
    of_cuda = found.about["device"].startswith("cuda")
    what = "CUDA's tensors" if of_cuda else "the whole process"
    lines = [
        (
            memory.use,
            memory.batch,
            f"{memory.full_model:,.0f}",
            f"{memory.bare_trunk:,.0f}",
            f"{(memory.full_model - nothing) / (memory.bare_trunk - nothing):.2f}",
        )
        for memory in found.memory
    ]
    head = ("use", "faces a step", "full model, MB", "bare trunk, MB", "ratio above nothing")
    told = (
        f"The most that {what} ever held, each measured in a process of its own; width "
        f"{found.about['width']:g}, {found.about['size']} pixels. Before there is a model it is "
        f"{nothing:,.0f} MB. {_each_face(found.memory)}"
    )
    return [_filled(told), table(head, lines, "lrrrr")]


def _each_face(rows: Sequence[Memory]) -> str:
    """What one more face takes, by the smallest and the largest step of each use."""
    found = []
    for use in dict.fromkeys(row.use for row in rows):
        small, *_, large = (row for row in rows if row.use == use)
        more = (large.full_model - small.full_model) / (large.batch - small.batch)
        found.append(f"{more:.1f} MB in {use}")
    return f"One more face in a step of the full model takes {' and '.join(found)}."


def _growth(found: Performance) -> list[str]:
    figure = cost_growth(found.growth)
    alt = " ".join(figure.get_suptitle().split())
    return [
        _filled(
            "Model 6, all values of a number in turns. An exponent is the slope of a straight line "
            "through the logarithms: operations grow with the second power of a face's side, and "
            "nearly so with that of the width."
        ),
        f"![{alt}]({PICTURE})",
        *(f"{_said(lines)}\n\n{_points(lines)}" for by in KINDS if (lines := found.grown(by))),
    ]


KINDS = {
    "size": "side of a face, pixels",
    "width": "width of the network",
    "batch": "faces in a step",
    "faces": "faces in a photograph",
}
"""What cost grows with, in words."""


def _said(lines: Sequence[Growth]) -> str:
    """What a table of points comes to."""
    first = lines[0]
    if first.by in ("size", "width"):
        powers = " and ".join(f"{g.exponent:.2f} in {g.use}" for g in lines)
        told = f"The time of a face grows as this number to the power {powers}"
    elif first.by == "batch":
        told = "Of a face: " + "; ".join(map(_enough, lines))
    else:
        value, last = first.points[-1]
        told = (
            f"Each further face adds {100 * first.each:.0f} % to the time of a photograph with "
            f"one; {value:g} faces take {last.median:.1f} times as long as one"
        )
    return _filled(f"**{KINDS[first.by].capitalize()}** ({first.setting}). {told}.")


def _enough(growth: Growth) -> str:
    """The smallest batch in which a face takes hardly longer than at best."""
    least = min(s.median for _, s in growth.points)
    enough = next(value for value, s in growth.points if s.median <= 1.1 * least)
    value, smallest = growth.points[0]
    return (
        f"in {growth.use} it takes {smallest.median / least:.1f} times the least in steps of "
        f"{value:g}, and at most a tenth more than the least in steps of {enough:g}"
    )


def _points(lines: Sequence[Growth]) -> str:
    """A line a value, a column a use; relative to the reference."""
    values = sorted({value for growth in lines for value, _ in growth.points})
    columns = [dict(growth.points) for growth in lines]
    cells = [
        (
            f"{value:g}",
            *(
                f"{c[value].median:.2f} ({c[value].low:.2f} to {c[value].high:.2f})"
                if value in c
                else ""
                for c in columns
            ),
        )
        for value in values
    ]
    return table((KINDS[lines[0].by], *(g.use for g in lines)), cells, "r" * (1 + len(lines)))


def _filled(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
