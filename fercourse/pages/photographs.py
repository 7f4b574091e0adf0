"""Reading photographs, in numbers: what calibration, even classes, levelling and margins do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fercourse.evaluation.recognise import SURE, TILT
from fercourse.labels import BASIC
from fercourse.markdown import table
from fercourse.plots import reliability_bins
from fercourse.settings import ledger_path

Record = dict[str, Any]

TITLES = {"fer2013": "FER2013, PrivateTest", "ckplus": "CK+48, never seen in training"}


def photograph_record(path: Path | None = None) -> Record:
    """What a script wrote beside the ledger; empty where it was not run.

    Args:
        path: The file; by default what ``benchmarks/photographs.py`` writes.
    """
    path = path or ledger_path().with_name("photographs.json")
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def photograph_tables(record: Record) -> list[str]:
    """Markdown for docs/results.md."""
    if not record:
        return []
    return [_calibration(record), _doubt(record), _classes(record), *_levelled(record)]


def speed_tables(record: Record) -> list[str]:
    """Markdown: how long people wait, and with how much memory."""
    if not record:
        return []
    cells = []
    for key, title in (("one", "1 photograph"), ("hundred", "100 photographs")):
        found = record[key]
        fer = found.get("fer")
        cells.append(
            (
                title,
                f"{found['fercourse']:.1f}",
                f"{fer:.1f}" if fer else "not installed",
                f"{found['fercourse'] / fer:.2f}" if fer else "",
                f"{found['import torch, torchvision']:.1f}",
            )
        )
    film, large, folder = record["film"], record["48 megapixels"], record["folder"]
    head = ("", "fercourse predict, s", "fer, s", "ratio", "bare import of torch, s")
    return [
        f"How long people wait, from the start of the command to its end, on {record['cores']} "
        f"core{'s' * (record['cores'] > 1)}, median of {record['rounds']} rounds in turns; "
        "photographs of 1600 x 1200 pixels with one face (`benchmarks/photo_speed.py`; fer is the "
        f"package of that name, with OpenCV's face detector):\n\n{table(head, cells, 'lrrrr')}",
        f"A film of a minute, {film['frames']:,} frames of 640 x 480, a search in every fifth: "
        f"{film['seconds']:.0f} s, {film['frames_per_second']:.0f} frames a second. Most memory: "
        f"{large['memory_mb']:,} MB for one photograph of 48 megapixels "
        f"({large['seconds']:.1f} s), {folder['memory_mb']:,} MB for a folder of "
        f"{folder['pictures']:,} pictures ({folder['seconds'] / 60:.1f} minutes), "
        f"{film['memory_mb']:,} MB for the film.",
    ]


def models(record: Record) -> dict[str, Record]:
    """The judged networks, by title: "model 6"."""
    return {f"model {k[5:]}": v for k, v in record.items() if k.startswith("model")}


def _calibration(record: Record) -> str:
    cells = []
    for name, found in models(record).items():
        for way in ("softmax", "calibrated"):
            low, high = found["calibration"][way]["interval"]
            cells.append(
                (
                    name,
                    way,
                    f"{found['temperature']:.2f}" if way == "calibrated" else "1",
                    f"{found['calibration'][way]['error']:.3f}",
                    f"{low:.3f} to {high:.3f}",
                )
            )
    faces = next(iter(models(record).values()))["calibration"]["faces"]
    head = ("network", "probabilities", "temperature", "calibration error", "95 % interval")
    return (
        "**Reading photographs** with the bundled networks (`fercourse predict`). The temperature "
        f"was fitted on PublicTest; PrivateTest's {faces:,} faces judge (expected calibration "
        f"error, 15 bins, bootstrap over faces). {calibration_in_words(record)}\n\n"
        "![Reliability before and after](pictures/calibration.png)\n\n"
        f"{table(head, cells, 'llrrr')}"
    )


def calibration_in_words(record: Record) -> str:
    """Whether the temperature helped."""
    said = []
    for name, found in models(record).items():
        before, after = (found["calibration"][way] for way in ("softmax", "calibrated"))
        low, high = before["interval"]
        within = low <= after["error"] <= high
        change = ", inside its interval" if within else ""
        said.append(f"of {name} from {before['error']:.3f} to {after['error']:.3f}{change}")
    return f"The temperature moves the calibration error {'; '.join(said)}."


def _doubt(record: Record) -> str:
    found = models(record)
    cells = []
    points = zip(*(each["calibration"]["sure"] for each in found.values()), strict=True)
    for row in points:
        numbers = [f"{100 * p[key]:.1f}" for p in row for key in ("share", "accuracy")]
        cells.append((f"{row[0]['from']:g}", *numbers))
    head = ["sure from"]
    for name in found:
        head += [f"{name}: answered, %", "of these right, %"]
    return (
        f"What doubt is worth: answers below a confidence are called unsure, by default below "
        f"{SURE:g}.\n\n{table(head, cells, 'r' * len(head))}"
    )


def _classes(record: Record) -> str:
    cells = []
    for name, found in models(record).items():
        for data, title in TITLES.items():
            for way in ("as trained", "even"):
                judged = found["classes"][data][way]
                recall = ["" if r is None else f"{100 * r:.0f}" for r in judged["recall"]]
                cells.append(
                    (
                        name,
                        title,
                        way,
                        f"{100 * judged['accuracy']:.1f}",
                        f"{100 * judged['macro_recall']:.1f}",
                        *recall,
                    )
                )
    head = ("network", "faces", "classes", "accuracy", "mean recall", *(e.title for e in BASIC))
    lab = next(iter(models(record).values()))["classes"]["ckplus"]["faces"]
    return (
        "Photographs of another collection: CK+48's "
        f"{lab} faces of seven expressions but neutral, posed in a laboratory, which trained "
        "nothing here; and what happens if answers are corrected for FER2013's class shares "
        f"(`--even`). Per cent.\n\n{table(head, cells, 'lll' + 'r' * (2 + len(BASIC)))}"
    )


def _levelled(record: Record) -> list[str]:
    parts = []
    for key, title in (
        ("val", "PublicTest (chose the tilt)"),
        ("test", "PrivateTest"),
        ("drawn", "drawn faces with heads that turn (their own network)"),
    ):
        found = record["turned"][key]
        ways = list(next(iter(found["angles"].values())))
        cells = [
            (way, *(f"{100 * row[way]:.1f}" for row in found["angles"].values())) for way in ways
        ]
        parts.append(
            f"Levelled by the eyes, {title}: accuracy of model 6 in per cent on faces turned by "
            f"some degrees, as they are and turned upright where they lean by at least so much "
            f"(`predict` does from {TILT:g}).\n\n"
            f"{table(('levelled', *(f'{a}°' for a in found['angles'])), cells, 'l' + 'r' * 9)}"
        )
    margins = {where: found["margin"] for where, found in record["framing"].items()}
    head = (
        "faces",
        "found",
        "own framing",
        *(f"{float(m):+.1f}" for m in margins["val"]["accuracy"]),
    )
    cells = [
        (
            {"val": "PublicTest", "drawn": "drawn faces"}[where],
            found["faces"],
            f"{100 * found['own framing']:.1f}",
            *(f"{100 * a:.1f}" for a in found["accuracy"].values()),
        )
        for where, found in margins.items()
    ]
    parts.append(
        "The crop's margin: accuracy of model 6, of photographs and of drawn faces, in per cent on "
        "faces that MTCNN found, as the data set frames them and cut by MTCNN's box with a "
        f"margin.\n\n{table(head, cells, 'l' + 'r' * len(head[1:]))}"
    )
    zoom = record["framing"]["val"]["zoom"]["accuracy"]
    best = max(zoom, key=lambda z: zoom[z])
    parts.append(
        f"Zoomed about the middle, all of PublicTest, accuracy is highest at {best} of FER2013's "
        f"own framing: {', '.join(f'{z}: {100 * a:.1f}' for z, a in zoom.items())}."
    )
    return parts


def calibrated(record: Record) -> Figure:
    """The reliability diagram of docs/results.md and lesson 17."""
    shown = {
        f"{name}, {way}": (found["calibration"][way]["bins"], found["calibration"]["faces"])
        for name, found in models(record).items()
        for way in ("softmax", "calibrated")
    }
    return reliability_bins(shown, calibration_in_words(record).rstrip("."))
