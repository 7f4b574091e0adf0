"""What several views of a face add to the accuracy of trained weights: for docs/results.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fercourse.markdown import table


def view_tables(record: Mapping[str, Any]) -> list[str]:
    """A table of the weights in ``views.json``, by the split and the number of views.

    Args:
        record: By the key of the run; see ``benchmarks/views.py``.
    """
    if not record:
        return []
    rows = [
        (
            f"{entry['weights']} (`{key}`)",
            split,
            *(f"{100 * accuracy[views]:.2f}" for views in ("single", "flip", "ten")),
        )
        for key, entry in record.items()
        for split, accuracy in entry["accuracy"].items()
    ]
    head = ("weights", "split", "one view", "with the mirror image", "ten crops")
    return [
        "**Several views of a face**, the mean of their probabilities, for weights that ship "
        "and for the speedrun's; per cent (`benchmarks/views.py`). The first split selected the "
        "epoch. Papers that report one number seldom say which column it is from.\n\n"
        + table(head, rows, "llrrr")
    ]
