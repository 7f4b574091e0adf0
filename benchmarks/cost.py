"""What each component of Table 1 costs, measured side by side in one run: docs/what-it-costs.md.

Writes ``results/cost.json`` and the page made from it. About three minutes on two idle cores::

    python benchmarks/cost.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from fercourse.experiments.cost import costs, verdict
from fercourse.files import whole_file

RECORD, PAGE = Path("results/cost.json"), Path("docs/what-it-costs.md")
THROUGHPUT = Path("results/throughput.json")
"""Measured by ``benchmarks/throughput.py`` on a GPU."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each model and use")
    parser.add_argument("--page-only", action="store_true", help="write the page from the record")
    options = parser.parse_args()
    if not options.page_only:
        measured = []
        for width, size in ((1.0, 48), (0.375, 48)):
            frame = costs(width=width, size=size, seconds=options.seconds)
            measured.append(
                {"width": width, "size": size, **frame.attrs, "rows": frame.to_dict("records")}
            )
            print(frame.round(2).to_string(), flush=True)
        with whole_file(RECORD) as part:
            part.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    with whole_file(PAGE) as part:
        part.write_text(
            page(json.loads(RECORD.read_text()), json.loads(THROUGHPUT.read_text())),
            encoding="utf-8",
            newline="\n",
        )


def page(measured: list[dict], throughput: dict) -> str:
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
        "of the same table, for they depend on the machine; ± is half the interquartile range of "
        "the steps.",
    ]
    for part in measured:
        frame = pd.DataFrame(part["rows"])
        first = frame.iloc[0]
        lines += [
            "",
            f"## Width {part['width']:g}, {part['size']} pixels",
            "",
            f"On {part['device']}, {part['precision']}.",
            "",
            "| model | parameters | MFLOPs an image | training speed | prediction speed |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for row in frame.itertuples():
            lines.append(
                f"| {row.model} | {row.parameters:,} | {row.flops / 1e6:,.1f} | "
                f"{row.train / first.train:.2f} ± {row.train_spread:.2f} | "
                f"{row.predict / first.predict:.2f} ± {row.predict_spread:.2f} |"
            )
        lines += ["", *(f"- {sentence}" for sentence in verdict(frame))]
    lines += ["", *gpu(throughput)]
    lines += [
        "",
        "The charitable reading of the first claim is that a decoder of *three* blocks is cheaper "
        "than one of five; lesson 07 counts that too.",
        "",
    ]
    return "\n".join(lines)


def gpu(throughput: dict) -> list[str]:
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
        "every kernel.",
        "",
        "| model | batch | eager | recorded | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for model, batch in sorted({key[:2] for key in rates}):
        eager, recorded = (rates.get((model, batch, way)) for way in ("eager", "recorded"))
        ratio = f"{recorded / eager:.1f}" if eager else ""
        lines.append(
            f"| {model} | {batch} | {f'{eager:,}' if eager else ''} | {recorded:,} | {ratio} |"
        )
    return lines


if __name__ == "__main__":
    main()
