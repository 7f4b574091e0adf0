"""Everything behind docs/where-it-looks.md: score the maps of every model, and write the page.

Seed 0 of Table 1's six models, and of model 5 with supervised maps, comes with the package; seed 1
and model 6 with ``map_scale`` 2 are trained on built-in faces, one after the other, and recorded.
The bundled FER2013 models are put before the same drawn faces. What is there already is kept, so a
killed run goes on. About three quarters of an hour on a core::

    python benchmarks/explain.py --out build/explain
"""

from __future__ import annotations

import argparse
from pathlib import Path

import fercourse
from fercourse import plots, preset
from fercourse.config import RunConfig
from fercourse.datasets.load import load_config
from fercourse.experiments.train_and_judge import measure as train_and_judge
from fercourse.explain import METHODS, ScoreBook, measure, truth
from fercourse.files import atomic_write
from fercourse.pages.where_it_looks import write
from fercourse.runs.ledger import Ledger
from fercourse.weights import bundled
from fercourse.weights.trained import Trained, load_weights

VARIANTS = {
    **{f"model{k}": (k, {}) for k in range(1, 7)},
    "model5-supervised": (5, {"loss.map_weight": 1.0}),
    "model6-map_scale2": (6, {"model.map_scale": 2.0}),
}
SHIPPED = {f"model{k}": ("synthetic", k) for k in range(1, 7)} | {
    "model5-supervised": ("synthetic-supervised", 5)
}
SEEDS = 2


def config(variant: str, seed: int) -> RunConfig:
    model, changes = VARIANTS[variant]
    easy = {"train.epochs": 12, "data.difficulty": 0.1}
    return preset("smoke", model, seed=seed, **easy, **changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/explain"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--page", type=Path, default=Path("docs/where-it-looks.md"))
    parser.add_argument("--faces", type=int, default=210)
    parser.add_argument("--slow-faces", type=int, default=35)
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--photographs-only", action="store_true", help="the FER2013 models alone")
    o = parser.parse_args()

    data = load_config(config("model6", 0).data)
    print(f"{data.name} {data.fingerprint}: {len(data.train)} faces train, {len(data.test)} judge")
    book = ScoreBook()
    for seed in range(0 if o.photographs_only else SEEDS):
        for variant in VARIANTS:
            network = trained(variant, seed, data, o.out)
            if o.train_only:
                continue
            whole = seed == 0 and variant in ("model1", "model6", "model5-supervised")
            rows = measure(
                network,
                data,
                methods=list(METHODS) if seed == 0 else list(METHODS)[:4],
                count=o.faces,
                slow_count=o.slow_faces,
                sanity=whole,  # the slow checks once
                faithful=whole,
                variant=variant,
            )
            print(f"{variant} seed {seed}: {book.append(rows)} score rows", flush=True)
    if o.train_only:
        return
    for model in (1, 6):
        rows = measure(
            fercourse.pretrained("fer2013", model),
            data,
            methods=list(METHODS)[:4],
            count=o.faces,
            variant=f"model{model}-fer2013",
        )
        print(f"model {model} of FER2013: {book.append(rows)} score rows", flush=True)

    six = {k: fercourse.pretrained("synthetic", k).network for k in range(1, 7)}
    faces = data.test[[int((data.test.labels == k).nonzero()[0]) for k in range(7)]]
    marked = truth(faces)
    figures = {
        "attention-truth": plots.truths(faces),
        "attention-cascade": plots.cascade(six[6], faces),
        "attention-strip": plots.cascade(six[6], faces[[0, 3, 5]]),  # README's
        "attention-gcca": plots.gcca(six[6], faces[3:4]),
        "attention-models": plots.through_models(six, faces[3:4], marked[3]),
        "attention-methods": plots.cam_grid(six[6], faces, targets=marked),
    }
    for name, figure in figures.items():
        with atomic_write(o.pictures / f"{name}.png") as part:
            figure.savefig(part, format="png", dpi=130)
    plots.cascade_gif(six[6], faces[3:4], o.pictures / "attention-cascade.gif")
    write(o.page, book.rows(), Ledger().rows())


def trained(variant: str, seed: int, data: fercourse.FaceDataset, out: Path) -> Trained:
    """From the package, from an earlier call, or trained now."""
    if seed == 0 and SHIPPED.get(variant) in bundled():
        return fercourse.pretrained(*SHIPPED[variant])
    run, folder = config(variant, seed), out / f"{variant}-seed{seed}"
    ledger, weights = Ledger(), folder / "model.safetensors"
    if ledger.missing([run], data.fingerprint) or not weights.exists():
        done = train_and_judge(
            run, data, plan="explain", label="smoke", variant=variant, out=folder, progress=False
        )
        ledger.append(done.row, done.fit.history)
        print(f"{variant} seed {seed}: {done.row.test_accuracy:.1%}", flush=True)
    return load_weights(weights)


if __name__ == "__main__":
    main()
