"""GCCA beside its relatives, and beside its mends: tables for docs/where-it-looks.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from fercourse.markdown import table
from fercourse.pages.what_it_costs import age
from fercourse.runs.attention_record import Record, comparison
from fercourse.settings import ledger_path

RELATIVES = {
    "gcca-none": "nothing",
    "slot-se": "SE",
    "slot-cbam": "CBAM, both halves",
    "slot-eca": "ECA",
    "gcca-as-read": "GCCA",
}
"""What stands behind every block, by variant."""

MENDED = {
    "gcca-none": "nothing",
    "gcca-as-read": "as read",
    "gcca-norm": "norm in the squeeze",
    "gcca-descriptors": "normed descriptors",
    "gcca-start": "zero-sum start",
}
"""GCCA and its mends, by variant."""


def compared(records: Sequence[Record], titles: Mapping[str, str], reference: str) -> str:
    """Accuracy and what the weights do, a line a variant."""
    found = comparison(records, reference, list(titles))
    if not found:
        return "Not measured."
    head = (
        "behind every block",
        "seeds",
        "accuracy %",
        f"against “{titles[reference]}”, points",
        "a weight changes from face to face by",
        "answers changed if frozen %",
        "Grad-CAM, PR-AUC %",
    )
    lines = [
        (
            titles[variant],
            of["seeds"],
            f"{of['accuracy']:.1f}",
            str(of["gain"] or ""),
            "" if of["moved"] is None else f"{of['moved']:.4f}",
            "" if of["frozen"] is None else f"{of['frozen']:.1f}",
            f"{of['gradcam']:.0f}",
        )
        for variant, of in found.items()
    ]
    return table(head, lines, "lrrrrrr")


def cost() -> str:
    """Numbers to learn, operations and speed of each, from ``results/attention_cost.json``."""
    path = ledger_path().with_name("attention_cost.json")
    if not path.is_file():
        return "Not measured."
    part = json.loads(path.read_text(encoding="utf-8"))
    plain = part["rows"][0]
    lines = [
        (
            row["model"],
            f"{row['parameters'] - plain['parameters']:,}",
            f"{row['train'] / plain['train']:.2f} ± {row['train_spread']:.2f}",
            f"{row['predict'] / plain['predict']:.2f} ± {row['predict_spread']:.2f}",
        )
        for row in part["rows"]
    ]
    head = ("behind every block", "numbers to learn", "training speed", "prediction speed")
    where = f"Width {part['width']:g}, {part['size']} pixels, {part['device']}, {part['precision']}"
    note = f"{where}; {age(part)}. Speeds are relative to nothing in the place."
    return f"{table(head, lines, 'lrrr')}\n\n{note}"


def carried_over(records: Sequence[Record]) -> str:
    """Plan ``transfer``: what drawn faces, and supervision on them, do for photographs."""
    arms = {
        "photographs": "photographs alone",
        "both": "drawn faces beside them",
        "both-supervised": "the same, maps supervised on the drawn ones",
        "drawn-first-supervised": "drawn faces first, maps supervised",
    }
    found = comparison(records, "photographs", list(arms))
    if not found:
        return "Not measured."
    lines = []
    for variant, of in found.items():
        mine = [r for r in records if r["variant"] == variant]

        def mean(value, mine=mine) -> str:
            return f"{100 * sum(map(value, mine)) / len(mine):.1f}"

        lines.append(
            (
                arms[variant],
                of["seeds"],
                f"{of['accuracy']:.1f}",
                str(of["gain"] or ""),
                mean(lambda r: r["maps"]["refined3"]["pr_auc"]),
                *(
                    mean(lambda r, name=name: r["photographs"][name]["deletion"])
                    for name in ("refined3", "mean of refined3", "centre", "own edges", "before3")
                ),
            )
        )
    head = (
        "trained on",
        "seeds",
        "accuracy on photographs %",
        "against photographs alone, points",
        "S_3 on drawn faces, PR-AUC %",
        "deletion by S_3 %",
        "its mean over faces",
        "centre",
        "own edges",
        "C3",
    )
    return table(head, lines, "lrrrrrrrrr")
