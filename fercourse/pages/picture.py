"""Pictures of pages: drawn anew when what they show has changed, and only then."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from fercourse.files import atomic_write
from fercourse.plots.digest import digest


def stored_digest(path: Path) -> str:
    """Of the figure that a picture was saved from; "" where there is no such picture."""
    if not path.is_file():
        return ""
    with Image.open(path) as image:
        words = str(image.info.get("Description", "")).split(":")[0].split()
    return words[-1] if words else ""


def save_if_changed(path: Path, figure: Figure) -> bool:
    """Save a figure with its digest, unless the picture there shows the same; True if it did."""
    if stored_digest(path) == digest(figure):
        return False
    with atomic_write(path) as part:
        figure.savefig(part, format="png", dpi=144, metadata={"Description": repr(figure)})
    return True
