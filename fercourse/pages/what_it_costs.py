"""docs/what-it-costs.md: what each component costs, and what a GPU makes of whole steps."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from fercourse.experiments.cost import verdict
from fercourse.files import write_if_changed
from fercourse.markdown import table

WAYS = ("eager", "recorded", "compiled", "compiled, recorded")
"""Of ``benchmarks/throughput.py``."""


def write(page: Path, results: Path) -> bool:
    """Write the page from ``cost.json`` and ``throughput.json`` in a folder; True if it changed."""
    measured, throughput = (
        json.loads((results / name).read_text(encoding="utf-8"))
        for name in ("cost.json", "throughput.json")
    )
    return write_if_changed(page, report(measured, throughput))


def report(measured: list[dict], throughput: dict) -> str:
    """The page: a table and a verdict for each width, then a GPU's images a second."""
    lines = [
        "# What the components cost",
        "",
        'Section 3.4 of the paper says that the partial decoder "effectively reduced the '
        'computational complexity of the overall framework" and that reverse attention ensures '
        'accuracy "while increasing the processing speed", without a number. Here are numbers, '
        "measured by `python benchmarks/cost.py`: the six models take turns step by step, so that "
        "whatever else the machine does slows all alike. Training is a whole step (joint loss, "
        "backward pass, optimizer), prediction a single view. Speeds are given relative to model 1 "
        "of the same table, for they depend on the machine; the middle half of the steps lies "
        "within ± of the median.",
    ]
    for part in measured:
        frame = pd.DataFrame(part["rows"])
        rows, first = part["rows"], part["rows"][0]
        lines += [
            "",
            f"## Width {part['width']:g}, {part['size']} pixels",
            "",
            f"On {part['device']}, {part['precision']}; {age(part)}.",
            "",
            table(
                ("model", "parameters", "MFLOPs an image", "training speed", "prediction speed"),
                [
                    (
                        row["model"],
                        f"{row['parameters']:,}",
                        f"{row['flops'] / 1e6:,.1f}",
                        f"{row['train'] / first['train']:.2f} ± {row['train_spread']:.2f}",
                        f"{row['predict'] / first['predict']:.2f} ± {row['predict_spread']:.2f}",
                    )
                    for row in rows
                ],
                "lrrrr",
            ),
            "",
            *(f"- {sentence}" for sentence in verdict(frame)),
        ]
    lines += ["", *_gpu(throughput)]
    lines += [
        "",
        "The charitable reading of the first claim is that a decoder of *three* blocks is cheaper "
        "than one of five; lesson 08 counts that too.",
        "",
    ]
    return "\n".join(lines)


def age(part: dict) -> str:
    """When a record was made; the first ones did not say, and GCCA was made faster since."""
    if "created" in part:
        return f"measured on {part['created'][:10]}"
    return (
        "measured before GCCA's poolings, in models 3 to 6, were made faster; "
        "[performance.md](performance.md) is newer"
    )


def _gpu(throughput: dict) -> list[str]:
    """Images a second on a GPU, with and without recorded steps."""
    rates = {
        (row["model"], row["batch"], row["way"]): row["images_per_second"]
        for row in throughput["rows"]
    }
    lines = [
        "## Whole training steps on a GPU",
        "",
        f"On {throughput['device']}, {throughput['precision']}, width {throughput['width']:g}, "
        f"{throughput['size']} pixels, images a second of the course recipe's steps "
        "(augmentation, mixup, forward, backward, optimizer, weight average; "
        "`benchmarks/throughput.py`). *Recorded*: augmentation to backward are one CUDA graph, "
        "which training does by itself (`fercourse/training/graph.py`); *eager*: Python launches "
        "every kernel. The ratio is that of these two.",
        "",
    ]
    ways = [way for way in WAYS if way in {row["way"] for row in throughput["rows"]}]
    rows = []
    for model, batch in sorted({key[:2] for key in rates}):
        found = [rates.get((model, batch, way)) for way in ways]
        eager, recorded = (rates.get((model, batch, way)) for way in ("eager", "recorded"))
        ratio = f"{recorded / eager:.1f}" if eager and recorded else ""
        rows.append((model, batch, *(f"{rate:,}" if rate else "" for rate in found), ratio))
    return [*lines, table(("model", "batch", *ways, "ratio"), rows, f"l{'r' * (len(ways) + 2)}")]
