"""``fercourse weather``: accuracy in fog, in the dark, out of focus, and after a cure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fercourse.cli.options import DataOption, Device


def weather(
    weights: Annotated[
        list[str] | None,
        typer.Argument(help="Files of weights, or bundled models' names; none with --classics."),
    ] = None,
    data: DataOption = None,
    cures: Annotated[
        str, typer.Option(help="Of none, standardise, gamma, clahe, dehaze.")
    ] = "none",
    classics: Annotated[
        bool, typer.Option("--classics", help="Train and judge the four classics too.")
    ] = False,
    device: Device = "auto",
    book: Annotated[
        Path | None, typer.Option(help="The file; weather.jsonl beside the ledger by default.")
    ] = None,
) -> None:
    """Judge trained models on the test split in bad weather, and record what they keep."""
    from fercourse.datasets.load import load_config
    from fercourse.device import find_device
    from fercourse.errors import FercourseError
    from fercourse.experiments.weather_runs import weather_of, weather_of_classics
    from fercourse.runs.weather_row import WeatherBook
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    if not weights and not classics:
        raise FercourseError("Name files of weights or bundled models, or give --classics.")
    kept, progress = WeatherBook(book), sys.stderr.isatty()
    place, chosen = find_device(device), cures.split(",")
    for name in weights or []:
        trained = load_weights(find_weights(name))
        faces = load_config(trained.run.data, data)
        rows = weather_of(trained, faces, chosen, place, progress)
        kept.append(rows)
        for row in rows:
            print(f"{name}, {row.cure}: clear {row.accuracy:.1%}, bad weather {row.bad:.1%}")
    if classics:
        from fercourse.config import DataConfig, preset
        from fercourse.datasets.registry import known

        name = data or "fer2013"
        drawn = known(name).drawn
        faces = load_config(preset("smoke").data if drawn else DataConfig("fer2013"), data)
        for row in weather_of_classics(faces, chosen, progress):
            kept.append([row])
            print(f"{row.variant}, {row.cure}: clear {row.accuracy:.1%}, bad weather {row.bad:.1%}")
    print(f"Recorded in {kept.path}.")
