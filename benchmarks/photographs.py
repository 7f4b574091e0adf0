"""What helps when photographs are read: a temperature, even classes, levelled eyes, a margin.

The bundled networks that were trained on FER2013 are judged. The temperature was fitted on
PublicTest (``fercourse calibrate``), the tilt from which faces are levelled was chosen there too;
PrivateTest and CK+48, whose people and cameras no FER2013 network has met, report::

    FERCOURSE_DATA=… python benchmarks/photographs.py

Ten minutes on two cores. Writes results/photographs.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import fercourse
from fercourse.augment import warp
from fercourse.datasets.cropped import cut_faces, find_boxes
from fercourse.datasets.faces import Faces
from fercourse.detection.last_stage import five_landmarks
from fercourse.evaluation import metrics
from fercourse.evaluation.calibration import calibration_error, cooled, even, reliability
from fercourse.evaluation.predict import probabilities
from fercourse.evaluation.recognise import TILT
from fercourse.files import write_if_changed
from fercourse.runs.statistics import wilson
from fercourse.weights.trained import Trained

MODELS = (1, 6)
ANGLES = (-40, -30, -20, -10, 0, 10, 20, 30, 40)
TILTS = (0.0, 5.0, 10.0, 15.0, 20.0)  # from which faces are levelled
ZOOMS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
MARGINS = (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
SURE = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BOXED = 1000  # faces in which MTCNN searches
DRAWS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results/photographs.json"))
    o = parser.parse_args()
    fer, ck = fercourse.load("fer2013"), fercourse.load("ckplus")
    lab = _all(ck.splits.values())
    found: dict[str, Any] = {"draws": DRAWS}
    for model in MODELS:
        trained = fercourse.pretrained("fer2013", model)
        found[f"model{model}"] = {
            "key": trained.key,
            "temperature": trained.temperature,
            "calibration": calibration(trained, fer.test),
            "classes": classes(trained, {"fer2013": fer.test, "ckplus": lab}),
        }
        print(f"model {model}:", json.dumps(found[f"model{model}"])[:600], flush=True)
    six, artist = fercourse.pretrained("fer2013", 6), fercourse.pretrained("synthetic", 6)
    drawn = fercourse.load("synthetic", count=4000).test  # with the painter's turns of the head
    found["turned"] = {
        "val": turned(six, fer.val, TILTS),
        "test": turned(six, fer.test, (TILT,)),
        "drawn": turned(artist, drawn, (TILT,)),
    }
    found["framing"] = {"val": framing(six, fer.val), "drawn": framing(artist, drawn)}
    print(json.dumps({k: found[k] for k in ("turned", "framing")}))
    write_if_changed(o.out, json.dumps(found, indent=1) + "\n")


def calibration(trained: Trained, test: Faces) -> dict[str, Any]:
    """Errors before and after, the bins of a reliability diagram, and what doubt is worth."""
    raw = probabilities(trained.network, test.images)
    named = {"softmax": raw, "calibrated": cooled(raw, trained.temperature)}
    record: dict[str, Any] = {"faces": len(test)}
    for name, p in named.items():
        errors = [
            calibration_error(p[rows], test.labels[rows])
            for rows in torch.randint(len(test), (DRAWS, len(test)), generator=_seed())
        ]
        record[name] = {
            "error": _round(calibration_error(p, test.labels)),
            "interval": [_round(q) for q in np.quantile(errors, (0.025, 0.975))],
            "bins": [[_round(v) for v in point] for point in reliability(p, test.labels)],
        }
    p = named["calibrated"]
    confidence, right = p.amax(1), (p.argmax(1) == test.labels).double()
    record["sure"] = [
        {
            "from": sure,
            "share": _round((confidence >= sure).double().mean()),
            "accuracy": _round(right[confidence >= sure].mean()),
        }
        for sure in SURE
    ]
    return record


def classes(trained: Trained, named: dict[str, Faces]) -> dict[str, Any]:
    """Accuracy, mean recall and recall by class, as trained and with even classes."""
    record = {}
    for name, faces in named.items():
        p = cooled(probabilities(trained.network, faces.images), trained.temperature)
        ways = {"as trained": p, "even": even(p, torch.tensor(trained.about["shares"]))}
        record[name] = {"faces": len(faces)} | {
            way: _judged(q.argmax(1), faces.labels) for way, q in ways.items()
        }
    return record


def _judged(answers: Tensor, labels: Tensor) -> dict[str, Any]:
    counts = metrics.confusion_matrix(labels, answers)
    recall = metrics.recall_per_class(counts)
    right = int(np.trace(counts))
    return {
        "accuracy": _round(right / len(labels)),
        "interval": [_round(v) for v in wilson(right, len(labels))],
        "macro_recall": _round(np.nanmean(recall)),
        "recall": [None if np.isnan(r) else _round(r) for r in recall],
        "answered": counts.sum(0).tolist(),
    }


def turned(trained: Trained, faces: Faces, tilts: tuple[float, ...]) -> dict[str, Any]:
    """Accuracy of faces turned by each angle: as they are, and levelled from a tilt on."""

    def right(images: Tensor) -> Tensor:
        return probabilities(trained.network, images).argmax(1) == faces.labels  # bool (N,)

    rows = {}
    for angle in ANGLES:
        images = _turn(faces.images, torch.full((len(faces),), float(angle)))
        tilt = eye_tilt(images)
        left, levelled = right(images), right(_turn(images, tilt))
        rows[angle] = {"as it is": _round(left.double().mean())} | {
            f"from {least:g}": _round(
                torch.where(tilt.abs() < least, left, levelled).double().mean()
            )
            for least in tilts
        }
    return {"faces": len(faces), "angles": rows}


def eye_tilt(images: Tensor) -> Tensor:
    """Degrees by which the line through MTCNN's eyes falls to the right, (N,)."""
    points = five_landmarks(images)
    across = points[:, 1] - points[:, 0]
    return torch.rad2deg(torch.atan2(across[:, 1], across[:, 0]))


def framing(trained: Trained, faces: Faces) -> dict[str, Any]:
    """Accuracy on faces zoomed about the middle, and cut by MTCNN's box with a margin."""

    def accuracy(images: Tensor, labels: Tensor) -> float:
        p = probabilities(trained.network, images)
        return _round((p.argmax(1) == labels).double().mean())

    nothing, one = torch.zeros(len(faces)), torch.ones(len(faces))
    zoomed = {
        zoom: accuracy(
            _byte(warp(faces.images[:, None].float(), nothing, zoom * one, zoom * one)),
            faces.labels,
        )
        for zoom in ZOOMS
    }
    some = faces[:BOXED]
    boxes, there = find_boxes(some)
    some, boxes = some[there], boxes[there]
    size = trained.run.data.size
    cut = {
        margin: accuracy(cut_faces(some, boxes, size, margin).images, some.labels)
        for margin in MARGINS
    }
    return {
        "zoom": {"faces": len(faces), "accuracy": zoomed},
        "margin": {
            "faces": len(some),
            "own framing": accuracy(some.images, some.labels),
            "accuracy": cut,
        },
    }


def _turn(images: Tensor, angles: Tensor) -> Tensor:
    one = torch.ones(len(images))
    return _byte(warp(images[:, None].float(), angles, one, one))


def _byte(x: Tensor) -> Tensor:
    return x[:, 0].round().byte()


def _all(splits: Any) -> Faces:
    parts = list(splits)
    return Faces(
        torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts])
    )


def _seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _round(value: Any) -> float:
    return round(float(value), 4)


if __name__ == "__main__":
    main()
