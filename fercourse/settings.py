"""Where fercourse lies, and every environment variable of its own that it reads.

====================  =========================================================================
``FERCOURSE_DATA``    The folder of the data sets, instead of those that are looked in.
``FERCOURSE_CACHE``   The folder of decoded images; its files may be deleted at any time.
``FERCOURSE_LEDGER``  The ledger's file, instead of ``results/ledger.jsonl``.
``FERCOURSE_MODE``    The course's mode: smoke, lecture or full.
``FERCOURSE_PAGES``   Set: pages are made of what runs; explorers keep states to move among.
``FERCOURSE_RECORD``  Set: lessons keep what they train, for the lecture mode.
``FERCOURSE_STATIC``  Set: nobody watches; no progress bars, no live widgets.
====================  =========================================================================

An empty one counts as not set.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout, or the folder of packages that fercourse is installed in."""


def checkout() -> Path | None:
    """The checkout this code runs from; None where it was installed without one."""
    return ROOT if (ROOT / "pyproject.toml").is_file() else None


def chosen_data() -> Path | None:
    """The one folder to look for data sets in, if it was named."""
    return _path("FERCOURSE_DATA")


def cache_folder() -> Path:
    """Where decoded images are kept.

    ``$FERCOURSE_CACHE``; else ``data/cache`` of the checkout this code runs from; else the
    platform's folder for caches.
    """
    if chosen := _path("FERCOURSE_CACHE"):
        return chosen
    if root := checkout():
        return root / "data" / "cache"
    if sys.platform == "win32":
        base = _path("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = _path("XDG_CACHE_HOME") or Path.home() / ".cache"
    return base / "fercourse"


def ledger_path() -> Path:
    """``results/ledger.jsonl``: $FERCOURSE_LEDGER if set, of a folder above, or of the checkout."""
    if chosen := _path("FERCOURSE_LEDGER"):
        return chosen
    here = Path.cwd()
    for folder in (here, *here.parents, ROOT):
        if (folder / "results" / "ledger.jsonl").is_file():
            return folder / "results" / "ledger.jsonl"
    return here / "results" / "ledger.jsonl"


def predictions_path() -> Path:
    """A learner's own predictions, which no commit holds."""
    return ledger_path().parent / "mine" / "predictions.json"


def chosen_mode() -> str | None:
    """The course's mode as it was typed, if it was; see :func:`fercourse.course.mode`."""
    return os.environ.get("FERCOURSE_MODE", "").strip().lower() or None


def recording() -> bool:
    """Whether lessons keep what they train."""
    return bool(os.environ.get("FERCOURSE_RECORD"))


def interactive() -> bool:
    """Whether somebody watches: progress bars and live widgets are for them."""
    return not os.environ.get("FERCOURSE_STATIC")


def for_pages() -> bool:
    """Whether pages are made of what runs, on which explorers move without Python."""
    return bool(os.environ.get("FERCOURSE_PAGES"))


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


BUNDLED = "fer2013-model6"
"""The weights that read photographs if nothing else is asked for."""
