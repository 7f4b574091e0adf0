"""Rows as a run would write them, with accuracies to order."""

import math

import numpy as np

from fercourse.config import RunConfig, preset
from fercourse.runs.performance import Growth, Spread
from fercourse.runs.row import Row
from fercourse.runs.weather_row import WeatherRow, digits

SPLITS = {"train": 28709, "val": 3589, "test": 3589, "test_clean": 3278}
CLASS_SIZES = (491, 55, 528, 879, 594, 416, 626)  # FER2013's PrivateTest


def made_confusion(accuracy: float, sizes: tuple[int, ...] = CLASS_SIZES, seed: int = 0):
    """Counts with exactly round(accuracy * N) right, fear and sad the hardest."""
    rng = np.random.default_rng(seed)
    sizes = np.array(sizes)
    ease = np.array([0.9, 0.8, 0.72, 1.2, 0.78, 1.1, 0.95])
    target = round(accuracy * sizes.sum())
    right = np.minimum((sizes * accuracy * ease).astype(int), sizes)
    while right.sum() != target:
        step = int(np.sign(target - right.sum()))
        k = rng.integers(7)
        right[k] = np.clip(right[k] + step, 0, sizes[k])
    confused = np.full((7, 7), 1.0) + 4 * np.eye(7)[[4, 0, 4, 6, 6, 2, 4]]
    np.fill_diagonal(confused, 0)
    counts = np.diag(right)
    for k in range(7):
        counts[k] += rng.multinomial(sizes[k] - right[k], confused[k] / confused[k].sum())
    return counts


def made_row(model: int = 6, seed: int = 0, accuracy: float = 0.7, **changes) -> Row:
    """A cpu-preset run on FER2013; ``changes`` are config names with dots, or fields of Row."""
    config: RunConfig = preset("cpu", model, seed=seed)
    config = config.change(**{name: v for name, v in changes.items() if "." in name})
    fields = {name: v for name, v in changes.items() if "." not in name}
    counts = fields.pop("confusion", None)
    counts = made_confusion(accuracy, seed=seed) if counts is None else counts
    return Row.measured(
        config,
        **{
            "plan": "table1",
            "variant": f"model{model}",
            "label": "cpu",
            "fingerprint": "f" * 16,
            "splits": SPLITS | {"test": int(np.sum(counts))},
            "selection": "best validation accuracy, PublicTest",
            "best_epoch": 12,
            "val_accuracy": accuracy - 0.01,
            "test_accuracy_clean": accuracy - 0.02,
            "test_accuracy_flip": accuracy + 0.01,
            "seconds": 1200.04,
            "device": "cpu",
            "precision": "float32",
        }
        | fields,
        confusion=counts,
    )


def made_history(epochs: int = 16, joint: bool = True) -> list[dict]:
    """Curves that look like a run's: rising accuracy, late overfitting, a one-cycle rate."""
    rng = np.random.default_rng(1)
    history = []
    for epoch in range(1, epochs + 1):
        t = epoch / epochs
        train = 0.25 + 0.62 * (1 - math.exp(-2.6 * t))
        val = 0.28 + 0.42 * (1 - math.exp(-4 * t)) + rng.normal(0, 0.006)
        ce = 1.75 * math.exp(-2.0 * t) + 0.05
        center, island = (18 * math.exp(-2 * t) + 4, 12 * math.exp(-5 * t)) if joint else (0, 0)
        history.append(
            {
                "epoch": epoch,
                "lr": 0.05
                * (t / 0.2 if t < 0.2 else (1 + math.cos(math.pi * (t - 0.2) / 0.8)) / 2),
                "train_loss": ce + 0.005 * (center + 7 * (island + 35) * joint),
                "train_ce": ce,
                "train_center": center,
                "train_island": island,
                "train_accuracy": train,
                "val_loss": 0.92
                + 0.9 * math.exp(-6 * t)
                + 0.25 * max(0, t - 0.55)
                + rng.normal(0, 0.012),
                "val_accuracy": val,
                "images_per_second": 560 + rng.normal(0, 8),
                "seconds": 51.0 + rng.normal(0, 1),
            }
        )
    return history


def made_weather(
    fog=(8, 6, 4, 2, 0), noise=(5, 5, 5, 5, 5), seed=0, variant="model1", n=10, **changes
):
    """A line of the weather book; ten faces and two corruptions by default."""
    total = sum(fog) + sum(noise)
    hits = np.full(n, total // n)
    hits[: total % n] += 1
    facts = {
        "run": f"{variant}-{seed}",
        "variant": variant,
        "recipe": "short",
        "seed": seed,
        "dataset": "fer2013",
        "fingerprint": "abc",
        "n": n,
        "cure": "none",
        "clear": 9,
        "right": {"fog": list(fog), "noise": list(noise)},
        "hits": digits(hits),
    }
    return WeatherRow(**(facts | changes))


def made_growth() -> list[Growth]:
    """Exactly quadratic in size, to the power 1.5 in width; 5 % of a photograph for each face."""

    def grown(by, use, reference, law, values):
        points = tuple((v, Spread(law(v), 0.9 * law(v), 1.2 * law(v), 5)) for v in values)
        return Growth(by, use, reference, "made", points)

    batches = {"training": (2, 8, 64, 256), "prediction": (1, 8, 64, 256)}
    return [
        *(grown("size", use, 48, lambda x: (x / 48) ** 2, (32, 48, 96)) for use in batches),
        *(grown("width", use, 1.0, lambda x: x**1.5, (0.125, 0.5, 1.0)) for use in batches),
        *(
            grown("batch", use, 64, lambda x: (1 + 8 / x) / (1 + 8 / 64), values)
            for use, values in batches.items()
        ),
        grown("faces", "reading", 1, lambda x: 0.95 + 0.05 * x, (1, 2, 20)),
    ]
