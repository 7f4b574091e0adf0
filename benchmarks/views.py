"""What averaging several views of a face is worth, for the weights that are shipped.

Judges weights on the validation and the test split by one view, by two (the mirror image) and by
ten (five crops and theirs), and writes ``results/views.json``, from which docs/results.md has its
table. Some minutes on two idle cores::

    python benchmarks/views.py                     # the bundled weights of FER2013
    python benchmarks/views.py build/runs/.../model.safetensors
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import get_args

from fercourse.datasets.load import load_config
from fercourse.evaluation.predict import Views, evaluate
from fercourse.files import atomic_write
from fercourse.weights import bundled, find_weights
from fercourse.weights.trained import load_weights

RECORD = Path("results/views.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="*", help="files of weights; else the bundled ones")
    options = parser.parse_args()
    shipped = [f"{data}-model{k}" for data, k in bundled() if data == "fer2013"]
    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name in options.weights or shipped:
        trained = load_weights(find_weights(name))
        run = trained.run
        data = load_config(run.data)
        _, selecting, judging = run.data.split_names
        for entry in kept.values():
            if entry["weights"] == name:  # what bore the name before; its run keeps its numbers
                entry["weights"] = run.model.name
        key = f"{run.hash}-{run.seed}"
        kept[key] = {"weights": name if name in shipped else run.model.name, "accuracy": {}}
        for split, faces in ((selecting, data.val), (judging, data.test)):
            found = {v: evaluate(trained, faces, data.train, v) for v in get_args(Views)}
            kept[key]["accuracy"] |= {
                split: {v: one.accuracy for v, one in found.items()},
                f"{split}, no duplicates": {v: one.accuracy_clean for v, one in found.items()},
            }
        print(key, json.dumps(kept[key], indent=1), flush=True)
    with atomic_write(RECORD) as part:
        part.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
