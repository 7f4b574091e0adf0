"""``fercourse cost``: what the paper's components cost."""

from __future__ import annotations

from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from fercourse.cli.options import Device, numbers


def cost(
    width: Annotated[float, typer.Option(help="Of the channels, 1 is VGG16's.")] = 1.0,
    size: Annotated[int, typer.Option(help="Side of the images, pixels.")] = 48,
    batch: Annotated[int, typer.Option(help="Images a step.")] = 64,
    models: Annotated[str, typer.Option(help="Rows of Table 1.")] = "1,2,3,4,5,6",
    seconds: Annotated[float, typer.Option(help="Of timing, for each model and use.")] = 5.0,
    device: Device = "auto",
) -> None:
    """Parameters, operations and speed of Table 1's models, side by side in one run."""
    from fercourse.device import find_device
    from fercourse.experiments.cost import costs, verdict

    place = find_device(device)
    frame = costs(numbers(models), width, size, place, batch, seconds)
    table = Table(
        title=f"{size} x {size} pixels, width {width:g}, {frame.attrs['device']}, "
        f"{frame.attrs['precision']}, batches of {batch}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    names = ("model", "parameters", "MFLOPs an image", "training images/s", "prediction images/s")
    for column in names:
        table.add_column(column, justify="right")
    for line in frame.to_dict("records"):
        table.add_row(
            str(line["model"]),
            f"{line['parameters']:,}",
            f"{line['flops'] / 1e6:,.1f}",
            f"{line['train']:,.0f} ± {line['train_spread']:.0%}",
            f"{line['predict']:,.0f} ± {line['predict_spread']:.0%}",
        )
    Console(width=max(100, Console().width)).print(table)
    for sentence in verdict(frame):
        print(sentence)
