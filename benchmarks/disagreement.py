"""How often two seeds of one network disagree on FER2013's PrivateTest, for lesson 12.

Trains a narrow network twice, with nothing changed but the seed, and writes the share of faces that
one of the two recognises and the other does not::

    python benchmarks/disagreement.py --model 1 --width 0.125 --epochs 6

Some minutes a seed on one core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import fercourse
from fercourse.evaluation.predict import probabilities
from fercourse.files import write_if_changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=int, default=1)
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("results/disagreement.json"))
    o = parser.parse_args()

    data = fercourse.load("fer2013")
    right = []
    for seed in (0, 1):
        run = fercourse.preset("cpu", o.model, seed=seed)
        run = run.change(**{"model.width": o.width, "train.epochs": o.epochs})
        fit = fercourse.train(run, data)
        answers = probabilities(fit.model, data.test.images).argmax(1)
        right.append(answers == data.test.labels)
        print(f"seed {seed}: {right[-1].double().mean():.4f}", flush=True)
    first, second = right
    found = {
        "model": o.model,
        "width": o.width,
        "epochs": o.epochs,
        "faces": len(first),
        "first": first.double().mean().item(),
        "second": second.double().mean().item(),
        "disagree": (first != second).double().mean().item(),
    }
    write_if_changed(o.out, json.dumps(found, indent=1) + "\n")
    print(found)


if __name__ == "__main__":
    main()
