"""Decode once: what a reader made of a file is kept, named by the content it was made from."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fercourse.datasets.faces import ReadReport
from fercourse.datasets.table import Table
from fercourse.files import atomic_write
from fercourse.settings import cache_folder

VERSION = 4
"""Raise it when a reader makes something else of the same bytes."""


def get(key: str) -> Table | None:
    """The table kept under ``key``; None where there is none, or a damaged one."""
    try:
        with np.load(_path(key), allow_pickle=False) as stored:
            values = {name: stored[name] for name in stored.files}
        about = json.loads(str(values.pop("about")))
        report: Any = {
            k: tuple(v) if isinstance(v, list) else v for k, v in about["report"].items()
        }
        return Table(
            name=about["name"],
            report=ReadReport(**report),
            lacks=about["lacks"],
            splits=values.pop("splits", None),
            subjects=values.pop("subjects", None),
            **values,
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def put(key: str, table: Table) -> None:
    """Keep a table under ``key``, whole or not at all; a folder that refuses is no error."""
    names = ("images", "labels", "splits", "subjects", "ids", "votes")
    values = {name: getattr(table, name) for name in names}
    arrays = {name: value for name, value in values.items() if value is not None}
    about = {"name": table.name, "lacks": table.lacks, "report": asdict(table.report)}
    arrays["about"] = np.array(json.dumps(about))
    with suppress(OSError), atomic_write(_path(key)) as part, open(part, "wb") as file:
        np.savez(file, **arrays)


def _path(key: str) -> Path:
    return cache_folder() / f"{key[:32]}-v{VERSION}.npz"
