"""Supervised maps, GCCA's mends and relatives, held to the pixels that expressions change.

First the runs, recorded as any (a minute or so each on a core)::

    fercourse run supervision --data synthetic --preset smoke RECIPE --out build/attention
    fercourse run gcca --data synthetic --preset smoke RECIPE --out build/attention
    fercourse run slot --data synthetic --preset smoke RECIPE --out build/attention

with RECIPE ``--set train.optimizer=adamw --set train.lr=0.002 --set train.batch_size=32 --set
train.epochs=8``: at the preset's own rate some of the runs collapse; and on photographs::

    fercourse run gcca --data fer2013 --preset cpu SHORT --seeds 3 --out build/attention
    fercourse run slot --data fer2013 --preset cpu SHORT --seeds 3 --out build/attention
    fercourse run transfer --data fer2013 --preset cpu SHORT --seeds 3 --out build/attention

with SHORT ``--set model.width=0.125 --set train.epochs=4 --set train.ema=0.99``, some minutes each.
Then what their weights say::

    python benchmarks/attention.py --runs build/attention

writes ``results/attention.json``, which the lessons and docs/where-it-looks.md read.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from fercourse.config import RunConfig
from fercourse.datasets.faces import Faces
from fercourse.datasets.load import load, load_config
from fercourse.evaluation.predict import probabilities
from fercourse.explain import curves, gradcam, maps, score
from fercourse.explain.baselines import baselines
from fercourse.explain.score import METRICS
from fercourse.explain.tamper import EDITS, frozen, tampered
from fercourse.files import write_if_changed
from fercourse.models.fernet import FERNet
from fercourse.runs.attention_record import NAMES
from fercourse.runs.ledger import Ledger
from fercourse.runs.row import Row
from fercourse.weights.trained import load_weights

PLANS = ("supervision", "gcca", "slot", "transfer")
FACES = 210
JUDGED = 1000
PHOTOGRAPHS = 350


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, nargs="+", default=[Path("build/attention")])
    parser.add_argument("--ledger", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path("results/attention.json"))
    o = parser.parse_args()

    known = json.loads(o.out.read_text(encoding="utf-8")) if o.out.exists() else {}
    everyone = load("synthetic").test
    drawn = everyone[:FACES]
    drawn.masks  # noqa: B018 (drawn once, for all networks)
    for row in Ledger(o.ledger).rows(plan=list(PLANS)):
        weights = next(
            (p for folder in o.runs for p in folder.glob(f"{row.key}-*/model.safetensors")), None
        )
        if weights is None or row.key in known:
            continue
        network, seen = load_weights(weights).network, everyone
        if row.dataset != "synthetic":
            seen = load_config(RunConfig.from_dict(row.config).data).test[:JUDGED]
        about = measured(network, row, drawn, seen)
        if row.plan == "transfer":
            about |= answers_hang_on(network, seen[:PHOTOGRAPHS])
        known[row.key] = about
        print(row.key, row.variant, row.seed, flush=True)
        write_if_changed(o.out, json.dumps(known, indent=0, sort_keys=True) + "\n")


def measured(network: FERNet, row: Row, drawn: Faces, seen: Faces) -> dict[str, Any]:
    """Scores of its maps against what changes in drawn faces, and what its answers hang on.

    Args:
        network: Of the run.
        row: The run.
        drawn: Test faces whose truth is known, on which maps are scored.
        seen: Test faces of the data set it was trained on, whose answers are counted.
    """
    found = maps(network, drawn)
    heats = {name: found[name] for name in NAMES if name in found.on_face}
    heats["gradcam"] = gradcam(network, drawn)
    about: dict[str, Any] = {
        "plan": row.plan,
        "dataset": row.dataset,
        "variant": row.variant,
        "seed": row.seed,
        "accuracy": row.test_accuracy,
        "maps": {
            name: {m: round(score(heat, drawn)[m]["all"].value, 4) for m in METRICS}
            for name, heat in heats.items()
        },
    }
    plain = probabilities(network, seen.images).argmax(1)
    if row.plan == "supervision":
        about["judged"] = len(seen)
        about["changed"] = {
            name: int((tampered(network, seen, edit) != plain).sum())
            for name, edit in EDITS.items()
        }
        about["within"] = round(found["refined3"].flatten(1).std(1, correction=0).mean().item(), 4)
    if row.plan in ("gcca", "slot") and network.config.gcca:
        weights = maps(network, seen[:FACES]).weights.values()
        about["judged"] = len(seen)
        about["over_faces"] = [round((w - w.mean(0)).abs().mean().item(), 5) for w in weights]
        about["over_channels"] = [round(w.std(1, correction=0).mean().item(), 5) for w in weights]
        about["frozen"] = int((frozen(network, seen) != plain).sum())
    return about


def answers_hang_on(network: FERNet, photographs: Faces) -> dict[str, Any]:
    """On photographs, whose truth nobody knows: deletion and insertion by its maps and blind ones.

    S_3 averaged over all photographs knows where faces have their mouths, and no face: what S_3
    itself has to beat.
    """
    found = maps(network, photographs)
    last, blind = found["refined3"], baselines(photographs, photographs)
    heats = {
        "refined3": last,
        "mean of refined3": last.mean(0, keepdim=True).expand_as(last),
        "before3": found["before3"],
        "centre": blind["centre"],
        "own edges": blind["own edges"],
    }
    result = {}
    for name, heat in heats.items():
        deletion, insertion = (a.mean().item() for a in curves(network, photographs, heat).areas)
        result[name] = {"deletion": round(deletion, 4), "insertion": round(insertion, 4)}
    within = last.flatten(1).std(1, correction=0).mean().item()
    return {"photographs": result, "within": round(within, 4)}


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
