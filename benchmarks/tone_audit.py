"""Does accuracy depend on skin tone? Lesson 17 again, on enough drawn faces to see two points.

Draws faces of many people, lets the networks of the lesson read them, and compares the people with
the lightest fifth of skins with those of the darkest, person by person (Welch's interval)::

    python benchmarks/tone_audit.py --count 28000

Some minutes on a core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.stats import ttest_ind

import fercourse
from fercourse.augment import warp
from fercourse.datasets.synthetic.identity import traits
from fercourse.evaluation.predict import probabilities
from fercourse.files import write_if_changed

CHUNK = 2000  # faces in memory as floats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=28_000)
    parser.add_argument("--out", type=Path, default=Path("results/tone.json"))
    o = parser.parse_args()

    data = fercourse.load("synthetic", count=o.count, difficulty=0.3, seed=1)
    parts = list(data.splits.values())
    images = torch.cat([part.images for part in parts])
    labels = torch.cat([part.labels for part in parts])
    subjects = np.concatenate([part.subjects for part in parts])
    who, person = np.unique(subjects, return_inverse=True)
    tone = traits(torch.tensor([int(s) for s in who])).skin_tone.flatten().numpy()
    fifth = np.searchsorted(np.quantile(tone, [0.2, 0.4, 0.6, 0.8]), tone)  # (people,)

    photographs = fercourse.pretrained("fer2013", model=6).network
    drawings = fercourse.pretrained("synthetic", model=6).network
    found = {}
    for name, network, angle in (
        ("FER2013", photographs, 0),
        ("FER2013, turned 15°", photographs, 15),
        ("drawn faces", drawings, 0),
    ):
        right = torch.cat(
            [
                (probabilities(network, turned(some, angle)).argmax(1) == truth)
                for some, truth in zip(images.split(CHUNK), labels.split(CHUNK), strict=True)
            ]
        ).numpy()
        by_person = np.bincount(person, right) / np.bincount(person)  # (people,)
        light, dark = by_person[fifth == 4], by_person[fifth == 0]
        reach = ttest_ind(light, dark, equal_var=False).confidence_interval()
        found[name] = {
            "fifths": [round(float(by_person[fifth == k].mean()), 4) for k in range(5)],
            "gap": round(float(light.mean() - dark.mean()), 4),
            "low": round(float(reach.low), 4),
            "high": round(float(reach.high), 4),
        }
        print(name, found[name], flush=True)
    record = {"faces": len(labels), "people": len(who), "networks": found}
    write_if_changed(o.out, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def turned(images: torch.Tensor, angle: float) -> torch.Tensor:
    """Faces uint8 (N, H, W), turned by an angle in degrees."""
    if not angle:
        return images
    one = torch.ones(len(images))
    return warp(images[:, None].float(), angle * one, one, one)[:, 0].round().byte()


if __name__ == "__main__":
    main()
