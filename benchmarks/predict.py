"""How long one face takes, and how long the import.

    python benchmarks/predict.py --width 0.375 --size 48

The six models of Table 1 take turns at batch 1, so that all meet the same machine; printed are the
median and the 95th percentile. Import times are of fresh processes, and so is the last line, which
sets ``fercourse predict`` on a drawn photograph beside the bare import that it cannot do without.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

import fercourse.weights
from fercourse.config import ModelConfig
from fercourse.datasets.synthetic import draw
from fercourse.device import best_device
from fercourse.evaluation.predict import probabilities
from fercourse.models import FERNet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=50, help="timed faces a model")
    a = parser.parse_args()
    device = best_device()
    print(f"{platform.machine()}, {device}, {torch.get_num_threads()} threads")
    print(f"torch {torch.__version__}, width {a.width:g}, {a.size} px, one face at a time\n")

    face = torch.randint(0, 256, (1, a.size, a.size), dtype=torch.uint8)
    # On the device, where probabilities() would otherwise move them for every face.
    models = {row: FERNet(ModelConfig.table1(row, width=a.width)).to(device) for row in range(1, 7)}
    times: dict[tuple[int, bool], list[float]] = {}
    for i in range(a.rounds + 3):
        for row, model in models.items():
            for bf16 in (False, True):
                started = time.perf_counter()
                probabilities(model, face, device=device, bf16=bf16)
                if i >= 3:
                    seconds = time.perf_counter() - started
                    times.setdefault((row, bf16), []).append(seconds)
    print(f"{'model':8}{'float32: ms a face':>20}{'95th':>8}{'bf16: ms a face':>20}{'95th':>8}")
    for row in models:
        cells = "".join(
            f"{1e3 * statistics.median(t):20.2f}{1e3 * sorted(t)[int(0.95 * len(t))]:8.2f}"
            for t in (times[row, False], times[row, True])
        )
        print(f"{row:<8}{cells}")

    print()
    for what in ("torch", "fercourse", "fercourse.training.train, fercourse.evaluation.predict"):
        print(f"import {what}: {_import_seconds(what):.2f} s")
    _whole_command()


def _whole_command(rounds: int = 5) -> None:
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, "photo.png")
        Image.fromarray(draw("happy").image).save(photo)
        weights = Path(fercourse.weights.__file__).with_name("fer2013-model6.safetensors")
        command = f"import sys; sys.argv[1:] = {['predict', str(photo), '-w', str(weights)]}; "
        command += "from fercourse.cli import main; main()"
        bare, whole = [], []
        for _ in range(rounds):
            bare.append(_process("import torch, torchvision"))
            whole.append(_process(command))
    ratio = statistics.median(w / b for w, b in zip(whole, bare, strict=True))
    print(
        f"\nfercourse predict: {statistics.median(whole):.2f} s, {ratio:.2f} times "
        f"'import torch, torchvision' ({statistics.median(bare):.2f} s; aim: 1.6)"
    )


def _import_seconds(what: str) -> float:
    """Median of three fresh processes, their start without the import taken off."""
    return statistics.median(_process(f"import {what}") - _process("pass") for _ in range(3))


def _process(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
