"""Sheets to look at: ``python -m fercourse.datasets.synthetic FOLDER``.

Three PNGs are written: seven expressions (columns, in label order) of twelve people (rows) at 48
pixels as a data set has them and at 224 as ``draw`` shows them, and every action unit alone (in
the order of ``UNITS``, after the face at rest).
"""

import sys
from pathlib import Path

import torch
from PIL import Image

from fercourse.datasets.synthetic import UNITS, montage, render
from fercourse.datasets.synthetic.expression import intensities
from fercourse.labels import BASIC

PEOPLE = 12


def main(folder: Path) -> None:
    """Write the sheets into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    index = torch.arange(PEOPLE * len(BASIC))
    for size, difficulty, margin in ((48, 0.5, 0.0), (224, 0.15, 0.25)):
        units = intensities(index % len(BASIC), index, 0, difficulty)
        faces = render(units, index // len(BASIC), index, 0, size, difficulty, margin)
        sheet = Image.fromarray(montage(faces.images, len(BASIC)))
        sheet.save(folder / f"expressions_{size}.png", optimize=True)
    alone = torch.cat([torch.zeros(1, len(UNITS)), torch.eye(len(UNITS))])[..., None]
    still = torch.zeros(1 + len(UNITS), dtype=torch.int64)
    faces = render(alone.expand(-1, -1, 2), still + 6, still, 0, 160, 0.0, 0.1)
    Image.fromarray(montage(faces.images, 7)).save(folder / "units.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/synthetic"))
