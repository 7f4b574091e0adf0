"""The state to resume a run from."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from fercourse.errors import FercourseError
from fercourse.files import atomic_write


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write everything a run needs to go on, atomically."""
    content = io.BytesIO()  # torch's own writer hides that a disk is full
    torch.save(state, content)
    with atomic_write(path) as part:
        part.write_bytes(content.getbuffer())


def load_state(path: Path) -> dict[str, Any] | None:
    """The state at ``path``, or None where there is none. Never unpickles code."""
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no one exception for a damaged file
        raise FercourseError(
            f"{path} cannot be resumed from ({_first_line(error)}); delete it to start afresh."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
