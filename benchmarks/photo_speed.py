"""How long ``fercourse predict`` takes, and how much memory: photographs, a folder, a film.

    python benchmarks/photo_speed.py --peer /path/to/python-with-fer

Made pictures: the public-domain portrait that matplotlib ships, on grey, at several sizes. Each
command is a process of its own, from its start to its end, as people wait for it; ``fer`` (the
package of that name on PyPI, with OpenCV's face detector) reads the same files beside, where an
interpreter that has it is named. Writes results/photo_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image

from fercourse.files import write_if_changed

PEER = """
import sys
import cv2
from fer.fer import FER
detector = FER(mtcnn=False)
for path in sys.argv[1:]:
    print(path, detector.detect_emotions(cv2.imread(path)))
"""
FILM_SECONDS, RATE = 60, 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="a Python that has the package fer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=int, default=2000, help="pictures in the large folder")
    parser.add_argument("--out", type=Path, default=Path("results/photo_speed.json"))
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        record = measure(Path(place), o)
    write_if_changed(o.out, json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


def measure(place: Path, o: argparse.Namespace) -> dict:
    hundred = [photo(place / f"p{k:03}.jpg", (1600, 1200), k) for k in range(100)]
    fercourse = [sys.executable, "-c", "from fercourse.cli import main; main()", "predict"]
    record: dict = {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        "machine": platform.machine(),
        "rounds": o.rounds,
    }
    for name, files in (("one", hundred[:1]), ("hundred", hundred)):
        commands = {"fercourse": [*fercourse, *files, "--csv"]}
        if o.peer:
            commands["fer"] = [o.peer, "-c", PEER, *files]
        commands["import torch, torchvision"] = [sys.executable, "-c", "import torch, torchvision"]
        times: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(o.rounds):  # they take turns, so that all meet the same machine
            for what, command in commands.items():
                times[what].append(run(command)[0])
        record[name] = {what: round(statistics.median(t), 2) for what, t in times.items()}
        print(name, record[name], flush=True)

    film(place / "film.mp4")
    seconds, memory = run([*fercourse, "--video", str(place / "film.mp4")])
    frames = FILM_SECONDS * RATE
    record["film"] = {
        "frames": frames,
        "seconds": round(seconds, 1),
        "frames_per_second": round(frames / seconds, 1),
        "memory_mb": memory,
    }
    large = photo(place / "large.jpg", (8000, 6000), 0)
    seconds, memory = run([*fercourse, large, "--csv"])
    record["48 megapixels"] = {"seconds": round(seconds, 1), "memory_mb": memory}
    many = place / "many"
    many.mkdir()
    for k in range(o.folder):
        photo(many / f"{k:04}.jpg", (800, 600), k)
    seconds, memory = run([*fercourse, str(many), "--csv"])
    record["folder"] = {
        "pictures": o.folder,
        "seconds": round(seconds, 1),
        "memory_mb": memory,
    }
    return record


def photo(path: Path, size: tuple[int, int], k: int) -> str:
    """The portrait on grey, a third to a half as high as the picture, moved by ``k``."""
    canvas = Image.new("RGB", size, (120, 130 + k % 20, 125))
    height = size[1] * (33 + k % 17) // 100
    face = portrait().resize((height * 512 // 600, height))
    room = (size[0] - face.width, size[1] - face.height)
    canvas.paste(face, (k * 37 % room[0], k * 23 % room[1]))
    canvas.save(path, quality=90)
    return str(path)


def film(path: Path) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (640, 480))
    face = cv2.cvtColor(np.asarray(portrait().resize((256, 300))), cv2.COLOR_RGB2BGR)
    for k in range(FILM_SECONDS * RATE):
        frame = np.full((480, 640, 3), 128, np.uint8)
        left = 30 + abs(k % 600 - 300)
        frame[90:390, left : left + 256] = face
        writer.write(frame)
    writer.release()


def portrait() -> Image.Image:
    place = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    with Image.open(place) as file:
        return file.convert("RGB")


def run(command: list[str]) -> tuple[float, int]:
    """Seconds, and the most memory a process held, megabytes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:4]} failed with {status}.")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return time.perf_counter() - started, round(usage.ru_maxrss / unit)


if __name__ == "__main__":
    main()
