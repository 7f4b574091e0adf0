"""What each component of Table 1 costs, measured side by side in one run: docs/what-it-costs.md.

Writes ``results/cost.json`` and the page made from it. About three minutes on two idle cores::

    python benchmarks/cost.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fercourse.experiments.cost import costs
from fercourse.files import atomic_write
from fercourse.pages.what_it_costs import write

RECORD, PAGE = Path("results/cost.json"), Path("docs/what-it-costs.md")


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
        with atomic_write(RECORD) as part:
            part.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    write(PAGE, RECORD.parent)


if __name__ == "__main__":
    main()
