"""Reading a photograph, beside the packages people use; and the command, beside a bare import."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from photo_speed import photo

import fercourse
from fercourse.evaluation.recognise import Reader
from fercourse.images import read_photo
from fercourse.runs.performance import Ratio
from parts.setting import Setting

PART = "reading"
AIM = 1 / 1.6
"""Of the bare import's speed: the command may take 1.6 times as long."""

PEERS = {
    "fer": """
import cv2
from fer.fer import FER
detector = FER(mtcnn=False)
def faces(path):
    return detector.detect_emotions(cv2.imread(path))
""",
    "deepface": """
from deepface import DeepFace
def faces(path):
    return DeepFace.analyze(path, actions=["emotion"], detector_backend="opencv", silent=True)
""",
}
"""Each as its documentation calls it, with OpenCV's face detector; what it loads is kept."""

SERVE = """
import os, sys
said = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a package prints is no answer
{setup}
for path in sys.stdin:
    print(len(faces(path.strip())), file=said, flush=True)
"""


class Peer:
    """A package in a process of its own, where all it needs stays loaded.

    Args:
        name: One of :data:`PEERS`.
        python: An interpreter that has it, maybe.
    """

    def __init__(self, name: str, python: str) -> None:
        self.name, self.errors = name, TemporaryFile("w+")  # noqa: SIM115  (end closes it)
        self.process = subprocess.Popen(
            [python, "-c", SERVE.format(setup=PEERS[name])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def read(self, path: str) -> None:
        """A photograph with a face.

        Raises:
            LookupError: The package is not there, fails, or finds no face.
        """
        with suppress(BrokenPipeError):
            print(path, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            last = (self.errors.read().strip() or "it gave no reason").splitlines()[-1]
            absent = f"No module named '{self.name}'" in last
            raise LookupError("not installed" if absent else last)
        if answer == "0\n":
            raise LookupError("finds no face")

    def end(self) -> None:
        """It ends when nothing more can come."""
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.errors.close()


def measure(s: Setting, python: str) -> list[Ratio]:
    """A photograph with one face, read again and again; and commands from start to end.

    Args:
        s: The setting.
        python: The interpreter in which to look for the packages.
    """
    with TemporaryDirectory() as folder, ExitStack() as others:
        path = photo(Path(folder, "photo.jpg"), (1600, 1200), 0)
        reader = Reader(fercourse.pretrained("fer2013", 6), s.device)
        ((face,),) = reader.read([read_photo(path)])
        cut = read_photo(path).crop(face.found.box)
        ours = "a photograph of 1600 x 1200 pixels with one face"
        paths = {
            ours: lambda: reader.read([read_photo(path)]),
            "its face, cut out already": partial(reader.read_faces, [cut]),
        }
        lacking = {}
        for name in PEERS:
            peer = Peer(name, python)
            others.callback(peer.end)
            try:
                peer.read(path)
                paths[f"package {name}"] = partial(peer.read, path)
            except LookupError as reason:
                lacking[f"package {name}"] = str(reason)
        found = s.ratios(PART, paths, "photographs", 1)
        found += [
            Ratio(PART, ours, other, "photographs", found[0].rate, None, lacking=reason)
            for other, reason in lacking.items()
        ]
        return found + _commands(s, path)


def _commands(s: Setting, path: str) -> list[Ratio]:
    predict = f"import sys; sys.argv[1:] = {['predict', path]}; "
    paths = {
        "fercourse predict photo.jpg, the whole command": predict
        + "from fercourse.cli import main; main()",
        "import torch, torchvision": "import torch, torchvision",
    }
    slow = replace(s, seconds=5 * s.seconds)
    steps = {name: partial(_run, code) for name, code in paths.items()}
    return slow.ratios(PART, steps, "commands", 1, AIM)


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
