"""How much a model that has seen drawn faces only knows about real ones.

    python benchmarks/transfer.py --data fer2013.zip
    python benchmarks/transfer.py --data fer2013.zip --report

Table 1's model 1 is trained on built-in faces and selected on built-in faces. It is then judged on
FER2013's PublicTest, where the painter may be improved, and with ``--report`` on its PrivateTest
too, where nothing may be chosen. Chance is a macro recall of 14.3 %.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch

import fercourse
from fercourse import preset
from fercourse.labels import BASIC


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fer2013", help="FER2013, in any layout")
    parser.add_argument(
        "--count", type=int, default=24000, help="faces to draw, 70 %% for training"
    )
    parser.add_argument("--difficulty", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--augment", default="course")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="judge on PrivateTest too")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)

    config = preset(
        "cpu",
        model=1,
        seed=options.seed,
        **{
            "model.width": options.width,
            "model.dropout": 0.3,
            "train.augment": options.augment,
            "loss.label_smoothing": 0.1,
            "train.epochs": options.epochs,
            "train.ema": 0.99,
            "data.name": "synthetic",
            "data.count": options.count,
            "data.difficulty": options.difficulty,
        },
    )
    drawn = fercourse.load(
        "synthetic", count=options.count, difficulty=options.difficulty, seed=config.data.seed
    )
    drawn = standardise(drawn)
    result = fercourse.train(config, drawn)
    real = standardise(fercourse.load(options.data))
    print(f"drawn faces, subject-disjoint test: {describe(result.model, drawn.test)}")
    print(f"FER2013 PublicTest: {describe(result.model, real.val)}")
    if options.report:
        print(f"FER2013 PrivateTest: {describe(result.model, real.test)}")


def standardise(data: fercourse.FaceDataset) -> fercourse.FaceDataset:
    """Every image to mid-grey on average and a deviation of 50 grey levels.

    Brightness and contrast are where drawings and photographs differ most, and say least.
    """
    splits = {}
    for name, faces in data.splits.items():
        x = faces.images.float()
        centred = x - x.mean((1, 2), keepdim=True)
        scaled = 128 + 50 * centred / centred.std((1, 2), keepdim=True).clamp_min(1)
        splits[name] = replace(faces, images=scaled.clamp(0, 255).round().to(torch.uint8))
    return replace(data, **splits)


def describe(model: fercourse.FERNet, faces: fercourse.Faces) -> str:
    judged = fercourse.evaluate(model, faces, views="flip")
    recall = ", ".join(
        f"{e.title} {100 * r:.1f}" for e, r in zip(BASIC, judged.recall, strict=True)
    )
    return (
        f"macro recall {100 * np.mean(judged.recall):.1f} %, "
        f"accuracy {100 * judged.accuracy:.1f} % ({recall})"
    )


if __name__ == "__main__":
    main()
