"""Everything behind docs/where-it-looks.md: train the six models, score their maps, write the page.

Trains Table 1's six models and model 6 with ``map_scale`` 2 on built-in faces, one after the other,
records runs and scores, draws the figures and writes the page. What is there already is kept, so a
killed run goes on. About two CPU minutes a model and seed on an idle core::

    python benchmarks/explain.py --out build/explain --seeds 2
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fercourse import plots, preset
from fercourse.config import RunConfig
from fercourse.datasets.load import load_config
from fercourse.experiments.train_and_judge import measure as train_and_judge
from fercourse.explain import ScoreBook, changed_pixels, measure
from fercourse.files import atomic_write
from fercourse.pages.where_it_looks import write
from fercourse.runs.ledger import Ledger
from fercourse.weights.trained import load_weights

ALL = ("gradcam", "gradcam++", "layercam", "eigencam", "ablationcam")


def config(model: int, seed: int, scale: float, epochs: int, difficulty: float) -> RunConfig:
    return preset(
        "smoke",
        model,
        seed=seed,
        **{"model.map_scale": scale, "train.epochs": epochs, "data.difficulty": difficulty},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/explain"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--page", type=Path, default=Path("docs/where-it-looks.md"))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--difficulty", type=float, default=0.1)
    parser.add_argument("--faces", type=int, default=210)
    parser.add_argument("--slow-faces", type=int, default=35)
    o = parser.parse_args()

    ledger, book = Ledger(), ScoreBook()
    data = load_config(config(6, 0, 0.0, o.epochs, o.difficulty).data)
    print(f"{data.name} {data.fingerprint}: {len(data.train)} faces train, {len(data.test)} judge")
    for seed in range(o.seeds):
        for model, scale in [(k, 0.0) for k in range(1, 7)] + [(6, 2.0)]:
            name = f"model{model}" + (f"-map_scale{scale:g}" if scale else "")
            folder = o.out / f"{name}-seed{seed}"
            run = config(model, seed, scale, o.epochs, o.difficulty)
            if (
                ledger.missing([run], data.fingerprint)
                or not (folder / "model.safetensors").exists()
            ):
                done = train_and_judge(
                    run,
                    data,
                    plan="explain",
                    label="smoke",
                    variant=name,
                    out=folder,
                    progress=False,
                )
                ledger.append(done.row, done.fit.history)
                print(f"{name} seed {seed}: {done.row.test_accuracy:.1%}", flush=True)
            trained = load_weights(folder / "model.safetensors")
            whole = seed == 0 and model in (1, 6)  # the slow checks once
            rows = measure(
                trained,
                data,
                methods=ALL if seed == 0 else ALL[:4],
                count=o.faces,
                slow_count=o.slow_faces,
                sanity=whole,
                faithful=whole,
                variant=name,
            )
            print(f"{name} seed {seed}: {book.append(rows)} score rows", flush=True)

    six = {k: load_weights(o.out / f"model{k}-seed0" / "model.safetensors") for k in range(1, 7)}
    drawn = six[6].run.data
    six = {k: trained.network for k, trained in six.items()}
    faces = data.test[[int((data.test.labels == k).nonzero()[0]) for k in range(7)]]
    marked = changed_pixels(faces, drawn)
    figures = {
        "attention-truth": plots.truths(faces, drawn),
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
    write(o.page, book.rows(), ledger.rows())


if __name__ == "__main__":
    main()
