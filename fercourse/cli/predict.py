"""``fercourse predict``: what the faces of photographs, films or a camera express."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercourse.cli.options import Device, Weights
from fercourse.errors import FercourseError
from fercourse.settings import BUNDLED

if TYPE_CHECKING:
    from fercourse.evaluation.recognise import Reader


def predict(
    pictures: Annotated[
        list[str] | None,
        typer.Argument(help="Pictures, folders, patterns; - for standard input."),
    ] = None,
    weights: Weights = BUNDLED,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Annotated: a file for one picture, PICTURE-faces.png by default; a folder for "
            "several; an .mp4 for a film."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table, a line a face.")] = False,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Each picture is one face, cut out already.")
    ] = False,
    sure: Annotated[
        float, typer.Option(min=0, max=1, help="Less probable answers are called unsure.")
    ] = 0.5,
    even: Annotated[
        bool, typer.Option("--even", help="As if every expression were as frequent.")
    ] = False,
    turn: Annotated[
        bool, typer.Option("--turn", help="Try quarter turns, for pictures on their side.")
    ] = False,
    video: Annotated[Path | None, typer.Option(help="A film instead of pictures.")] = None,
    camera: Annotated[
        int | None, typer.Option(min=0, help="A camera by its number; Ctrl-C ends it.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Frames between searches for faces.")] = 5,
    smoothing: Annotated[float, typer.Option(min=0, help="Of a film, seconds.")] = 0.3,
    device: Device = "auto",
) -> None:
    """Find the faces in pictures and say what they express."""
    given = [bool(pictures), video is not None, camera is not None]
    if sum(given) != 1:
        raise FercourseError("Name pictures, or --video FILE, or --camera 0: one of the three.")
    if as_json and as_csv:
        raise FercourseError("--json and --csv exclude one another.")
    if cropped and out is not None:
        raise FercourseError("--out draws where faces were found; with --cropped none is searched.")

    from fercourse.device import find_device
    from fercourse.evaluation.recognise import Reader
    from fercourse.weights import find_weights
    from fercourse.weights.trained import load_weights

    source = camera if video is None else video
    if source is not None and (as_json or cropped):
        raise FercourseError(
            "Of a film a table is printed, a line a face and frame: leave --json and --cropped."
        )
    reader = Reader(load_weights(find_weights(weights)), find_device(device), sure, even, turn)
    if source is None:
        _pictures(pictures or [], reader, out, as_json, as_csv, cropped)
    else:
        _film(source, reader, out, every, smoothing)


def _pictures(
    typed: list[str], reader: Reader, out: Path | None, as_json: bool, as_csv: bool, cropped: bool
) -> None:
    from tqdm.auto import tqdm

    from fercourse.evaluation import report
    from fercourse.evaluation.recognise import annotate, check_drawable
    from fercourse.evaluation.sources import PIPED, answer, sources

    meant = sources(typed, sys.stdin.buffer.read, out)
    one = len(meant) == 1 and not Path(typed[0]).is_dir()
    if one and out is None and not cropped and meant[0].name != PIPED and not (as_json or as_csv):
        photo = Path(meant[0].name)
        out = photo.with_name(f"{photo.stem}-faces.png")
    if one and out is not None:
        check_drawable(out)
    count = reader.trained.run.model.num_classes
    table = csv.writer(sys.stdout, lineterminator="\n")
    if as_csv:
        table.writerow([*report.PICTURE_COLUMNS, *report.classes(count), "error"])
    documents, bad, names = [], 0, report.Names()
    hidden = None if len(meant) > 1 else True  # None: where nobody watches
    for found in tqdm(answer(reader, meant, cropped), "pictures", len(meant), disable=hidden):
        if found.error:
            bad += 1
            tqdm.write(f"fercourse: {found.error}", file=sys.stderr)
        if as_json:
            documents.append(report.document(found))
        elif as_csv:
            table.writerows(report.picture_rows(found, count))
        elif not found.error:
            tqdm.write("\n".join(report.lines(found)))
        if out and found.picture is not None and found.faces:
            target = out if one else out / names.take(found.source.name)
            annotate(found.picture, found.faces, target)
            if one and not (as_json or as_csv):
                print(f"Drawn in {target}")
    if as_json:
        print(json.dumps({"weights": reader.trained.key, "pictures": documents}, indent=1))
    if bad:
        raise typer.Exit(1)


def _film(
    source: Path | int, reader: Reader, out: Path | None, every: int, smoothing: float
) -> None:
    from contextlib import suppress

    from tqdm.auto import tqdm

    from fercourse.evaluation import film, report

    follower = film.Follower(reader, every, smoothing)
    table = csv.writer(sys.stdout, lineterminator="\n")
    count, started = 0, time.monotonic()
    with film.opened(source) as (frames, rate):
        writer = film.FilmWriter(out, rate) if out else None
        try:
            columns = report.classes(reader.trained.run.model.num_classes)
            table.writerow([*report.FILM_COLUMNS, *columns])
            with suppress(KeyboardInterrupt):  # how a camera is ended
                for frame in tqdm(frames, "frames", unit="frame", disable=None):
                    faces = follower.read(frame)
                    table.writerows(report.film_rows(frame, faces))
                    if writer:
                        writer.add(frame, faces)
                    count += 1
            if writer:
                writer.finish()
        finally:
            if writer:
                writer.discard()
    seconds = time.monotonic() - started
    said = f"{count} frames in {seconds:.1f} s: {count / max(seconds, 1e-9):.1f} a second."
    print(f"fercourse: {said}{f' Drawn in {out}.' if out and count else ''}", file=sys.stderr)
