"""``fercourse demo``: the whole framework in half a minute, on built-in faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercourse.cli.options import Device, load_data, save_figure
from fercourse.cli.train import draw_into, measure_into


def demo(
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = Path("build/demo"),
    device: Device = "auto",
) -> None:
    """Train the whole framework on built-in faces and draw curves, matrix and attention maps."""
    from fercourse import plots
    from fercourse.config import preset
    from fercourse.models.fernet import framework

    config = preset("smoke")
    dataset, config = load_data(None, config)
    print(
        f"{len(dataset.train):,} drawn faces train the paper's model 6, {config.model.width:g} "
        f"times as wide; {len(dataset.test):,} faces of other people judge it."
    )
    done = measure_into(config, dataset, out, device, "smoke")
    draw_into(done, out)
    save_figure(plots.sample_grid(dataset.train), out / "faces.png")
    one_each = [int((dataset.test.labels == k).nonzero()[0]) for k in range(7)]
    save_figure(
        plots.cascade(framework(done.fit.model), dataset.test[one_each]), out / "attention.png"
    )
    print(f"See {out / 'faces.png'} and {out / 'attention.png'} too.")
