"""Batched augmentation against per-image torchvision transforms on PIL images, side by side.

    python benchmarks/augment.py --size 48 --batch 128 --seconds 5

Both make the network's input, float32 (N, 1, H, W), from decoded faces by the same recipe. They
take turns batch by batch, so that whatever else the machine does slows both alike; the table gives
the median batch.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torchvision import transforms as classic
from torchvision.transforms import v2

from fercourse.augment import COURSE, ROTATIONS, augment
from fercourse.device import best_device
from fercourse.preprocess import MEAN, STD

BILINEAR = classic.InterpolationMode.BILINEAR


def main() -> None:
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device or best_device())
    print(machine(device))
    print(f"{options.batch} faces of {options.size} x {options.size} pixels a batch\n")
    print(f"{'recipe':8} {'path':32} {'ms/batch':>9} {'images/s':>10} {'ratio':>7}")

    images = torch.randint(0, 256, (options.batch, options.size, options.size), dtype=torch.uint8)
    pictures = [Image.fromarray(image.numpy()) for image in images]
    resident = images.to(device)
    generator = torch.Generator().manual_seed(0)
    for recipe in ("paper", "course"):
        old, new = per_image(classic, recipe), per_image(v2, recipe)
        paths = {
            f"batched, {device.type}": partial(augment, resident, recipe, generator),
            "torchvision.transforms, PIL": partial(stacked, old, pictures),
            "torchvision.transforms.v2, PIL": partial(stacked, new, pictures),
        }
        medians = alternate(paths, options.seconds, device)
        ours = next(iter(medians.values()))
        for path, seconds in medians.items():
            rate = options.batch / seconds
            print(f"{recipe:8} {path:32} {1e3 * seconds:9.2f} {rate:10.0f} {seconds / ours:6.1f}x")


def per_image(t, recipe: str) -> Callable[[Image.Image], torch.Tensor]:
    """The recipe as torchvision users write it; ``t`` is torchvision.transforms or its v2."""
    if t is v2:
        to_tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
    else:
        to_tensor = [classic.ToTensor()]
    to_input = [*to_tensor, t.Normalize([MEAN], [STD])]
    if recipe == "paper":
        turns = [t.RandomRotation((angle, angle), BILINEAR) for angle in ROTATIONS]
        flips = [t.RandomHorizontalFlip(0), t.RandomHorizontalFlip(1), t.RandomVerticalFlip(1)]
        return t.Compose([t.RandomChoice(turns), t.RandomChoice(flips), *to_input])
    shift, aspect = (COURSE.shift, COURSE.shift), (1 / COURSE.aspect, COURSE.aspect)
    return t.Compose(
        [
            t.RandomHorizontalFlip(COURSE.flip),
            t.RandomAffine(COURSE.rotation, shift, COURSE.scale, interpolation=BILINEAR),
            t.ColorJitter(COURSE.brightness, COURSE.contrast),
            *to_input,
            t.RandomErasing(COURSE.erase, COURSE.area, aspect),
        ]
    )


def stacked(transform: Callable, pictures: list[Image.Image]) -> torch.Tensor:
    return torch.stack([transform(picture) for picture in pictures])


def alternate(
    paths: dict[str, Callable[[], torch.Tensor]], seconds: float, device: torch.device
) -> dict[str, float]:
    """Median seconds a batch; the paths take turns until each has had its time."""
    times: dict[str, list[float]] = {path: [] for path in paths}
    for make in paths.values():
        make()
    while any(sum(taken) < seconds for taken in times.values()):
        for path, make in paths.items():
            # A fast path runs several batches a turn, so that all get about the same time.
            turn = time.perf_counter()
            while time.perf_counter() - turn < seconds / 20:
                start = time.perf_counter()
                make()
                if device.type != "cpu":
                    getattr(torch, device.type).synchronize()
                times[path].append(time.perf_counter() - start)
    return {path: statistics.median(taken) for path, taken in times.items()}


def machine(device: torch.device) -> str:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    card = f", {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
    return (
        f"{cpu}{card}; {torch.get_num_threads()} threads; Python {platform.python_version()}, "
        f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=48, help="side of the faces, pixels")
    parser.add_argument("--batch", type=int, default=128, help="faces a batch")
    parser.add_argument("--seconds", type=float, default=5, help="time for each path and recipe")
    parser.add_argument("--device", help="of the batched path; default: the best there is")
    parser.add_argument("--threads", type=int, default=0, help="of torch; default: its own choice")
    return parser.parse_args()


if __name__ == "__main__":
    main()
