"""``fercourse doctor`` as a table in a notebook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fercourse.doctor import examine

if TYPE_CHECKING:
    import pandas as pd

MARKS = {True: "OK", False: "FAIL", None: "optional"}
_FOLDERS = re.compile(r"(?:[A-Za-z]:)?[\\/][^\s,;]*[\\/](?=[^\\/\s,;]+[\\/][^\\/\s,;]+)")


def checkup() -> pd.DataFrame:
    """Every item of :func:`fercourse.doctor.examine`, what was found and what to do.

    Paths are shortened to their last two parts, so that the table can be shown to others.

    Returns:
        Indexed by item; columns "state" (OK, FAIL, or optional where only an extra is missing),
        "found" and "what to do".
    """
    import pandas as pd

    rows = [
        {
            "item": check.name,
            "state": MARKS[check.ok],
            "found": _short(check.found),
            "what to do": _short(check.advice),
        }
        for check in examine()
    ]
    return pd.DataFrame(rows).set_index("item")


def _short(text: str) -> str:
    return _FOLDERS.sub("…/", text)
