"""What each component of Table 1 costs, measured side by side in one run: docs/what-it-costs.md.

Writes ``results/cost.json`` and the page made from it, and for docs/where-it-looks.md what GCCA's
relatives cost in its place, ``results/attention_cost.json``, which ``fercourse explain report``
writes there. About five minutes on two idle cores::

    python benchmarks/cost.py
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fercourse.config import ModelConfig
from fercourse.experiments.cost import costs
from fercourse.files import atomic_write
from fercourse.pages.what_it_costs import write
from fercourse.runs.measured import provenance

RECORD, PAGE = Path("results/cost.json"), Path("docs/what-it-costs.md")
RELATIVES = Path("results/attention_cost.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each model and use")
    parser.add_argument("--relatives-only", action="store_true", help="GCCA's relatives alone")
    parser.add_argument("--page-only", action="store_true", help="write the page from the record")
    options = parser.parse_args()
    if not options.page_only and not options.relatives_only:
        measured = [
            {"width": width, "size": 48} | measure(range(1, 7), width, options.seconds)
            for width in (1.0, 0.375)
        ]
        keep(RECORD, measured)
    if not options.page_only:
        keep(RELATIVES, {"width": 1.0, "size": 48} | measure(relatives(), 1.0, options.seconds))
    write(PAGE, RECORD.parent)


def relatives() -> dict[str, ModelConfig]:
    """Model 3 with nothing, and with each attention, behind every block."""
    three = ModelConfig.table1(3)
    names = {"se": "SE", "cbam": "CBAM, both halves", "eca": "ECA", "gcca": "GCCA"}
    return {
        "nothing": replace(three, gcca=False),
        **{name: replace(three, attention=kind) for kind, name in names.items()},
    }


def measure(
    models: Sequence[int] | Mapping[str, ModelConfig], width: float, seconds: float
) -> dict[str, Any]:
    """Device, precision, when and by which code, and a row a model; faces of 48 pixels."""
    frame = costs(models, width=width, size=48, seconds=seconds)
    print(frame.round(2).to_string(), flush=True)
    return {**frame.attrs, **provenance(), "rows": frame.to_dict("records")}


def keep(record: Path, measured: object) -> None:
    """Write a record, or leave the old one whole."""
    with atomic_write(record) as part:
        part.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
