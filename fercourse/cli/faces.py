"""``fercourse faces``: find faces in photographs and cut them out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Find faces in photographs and cut them out.")


@app.callback()
def _group() -> None:
    """Keep ``crop`` a subcommand though it is the only one."""


@app.command()
def crop(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder of pictures, or one.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for crops and faces.csv.")],
    size: Annotated[int, typer.Option(min=1, help="Side of a crop, pixels.")] = 224,
    margin: Annotated[float, typer.Option(help="Added around the face, share of its box.")] = 0.0,
    every: Annotated[bool, typer.Option("--all", help="Every face, not only the largest.")] = False,
    colour: Annotated[bool, typer.Option("--colour", help="RGB instead of grey.")] = False,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Least probability.")] = 0.9,
) -> None:
    """Cut the faces out of every picture in IN; OUT/faces.csv says what was found or missed."""
    from fercourse.detection import crop_folder

    table = crop_folder(
        source, target, size, margin, largest=not every, colour=colour, threshold=threshold
    )
    missed = table[table["crop"].isna()]
    cut, pictures = len(table) - len(missed), table["file"].nunique()
    print(f"Faces cut: {cut}; pictures: {pictures}, of which missed: {len(missed)}.")
    for name, reason in list(zip(missed["file"], missed["reason"], strict=True))[:10]:
        print(f"  {name}: {reason}")
    print(f"Details: {target / 'faces.csv'}")
