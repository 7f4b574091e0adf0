"""Damage files at random, run the command that reads them, and see what it says.

``python tests/campaign.py --minutes 60`` is the campaign by hand; a minute of it is a test. A trial
is told by its number alone, so that one that found a fault can be repeated: ``--only NUMBER``.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import io
import json
import os
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import made_sets as made
import numpy as np

SECONDS, MEGABYTES = 30, 2048
EACH = 6  # images a split and class: one of 126 that is bad is less than one in a hundred

Files = dict[str, bytes]


def sets() -> dict[str, Files]:
    """What is damaged, whole."""
    some = made.rows(EACH)
    official = made.folders(made.OFFICIAL, some)
    columns = {
        "image": [made.png(p) for _, _, p in some],
        "label": [made.CLASSES[k] for _, k, _ in some],
        "usage": [made.USAGES[s] for s, _, _ in some],
    }
    return {
        "csv": {"fer2013.csv": made.csv(some)},
        "zip": {"fer2013.zip": made.zipped(official)},
        "folder": official,
        "parquet": {"data.parquet": made.parquet(columns)},
    }


# --- damages: files in, files out ---------------------------------------------------------------


def cut(files: Files, draw: random.Random) -> Files:
    name = draw.choice(list(files))
    return files | {name: files[name][: draw.randrange(len(files[name]) + 1)]}


def flip(files: Files, draw: random.Random) -> Files:
    name = draw.choice(list(files))
    data = bytearray(files[name])
    for _ in range(draw.choice((1, 3, 30))):
        if data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return files | {name: bytes(data)}


def overwrite(files: Files, draw: random.Random) -> Files:
    name = draw.choice(list(files))
    data = files[name]
    at = draw.randrange(len(data) + 1)
    junk = draw.randbytes(draw.choice((1, 16, 400)))
    return files | {name: data[:at] + junk + data[at + len(junk) * draw.randrange(2) :]}


def empty(files: Files, draw: random.Random) -> Files:
    return files | {draw.choice(list(files)): b""}


def stand_in(files: Files, draw: random.Random) -> Files:
    other = draw.choice(
        (
            b"<!DOCTYPE html><html></html>",
            b"version https://git-lfs.github.com/spec/v1\n",
            b"\0" * 999,
        )
    )
    return files | {draw.choice(list(files)): other}


SPOILING = (cut, flip, overwrite, empty, stand_in)
"""After these, some may be lost: then it must be said."""


def litter(files: Files, draw: random.Random) -> Files:
    names = ("Thumbs.db", "readme.txt", ".DS_Store", "__MACOSX/._x", "a/desktop.ini", "LICENSE")
    return files | dict.fromkeys(draw.sample(names, 2), b"litter\x00")


def nest(files: Files, draw: random.Random) -> Files:
    above = draw.choice(("data/", "a b/c/", "archive (1)/", "päth/"))
    return {above + name: data for name, data in files.items()}


def twice(files: Files, draw: random.Random) -> Files:
    again = {f"copy/{name}": data for name, data in files.items()}
    return files | again


def pack(files: Files, draw: random.Random) -> Files:
    kind = draw.choice(("zip", "tar", "tar.gz"))
    data = {"zip": made.zipped, "tar": made.tarred, "tar.gz": made.gz_of}[kind](files)
    return {f"fer2013.{kind}": data}


def capitals(files: Files, draw: random.Random) -> Files:
    return {re.sub(r"\.png$", ".PNG", name): data for name, data in files.items()}


def recode(files: Files, draw: random.Random) -> Files:
    def again(data: bytes) -> bytes:
        text = data.decode()
        return draw.choice(
            (
                lambda: text.encode("utf-16"),
                lambda: text.encode("utf-8-sig"),
                lambda: text.replace("\n", "\r\n").encode(),
                lambda: text.replace(",", ";").encode(),
                lambda: text.replace(",", "\t").encode(),
            )
        )()

    found = {}
    for name, data in files.items():
        is_csv = name.endswith(".csv")
        with contextlib.suppress(UnicodeDecodeError):
            data = again(data) if is_csv else data
        found[name] = data
    return found


def squeeze(files: Files, draw: random.Random) -> Files:
    return {
        (f"{name}.gz" if name.endswith(".csv") else name): (
            gzip.compress(data) if name.endswith(".csv") else data
        )
        for name, data in files.items()
    }


HARMLESS = (litter, nest, twice, pack, capitals, recode, squeeze)
"""After these, every face must be there, once, in its split and class."""


# --- trials -------------------------------------------------------------------------------------


class Bench:
    """What trials are made of, made once."""

    def __init__(self, folder: Path) -> None:
        import fercourse
        from fercourse.datasets.load import load
        from fercourse.weights import FOLDER

        self.folder = folder
        self.sets = sets()
        self.weights = (FOLDER / "synthetic-model1.safetensors").read_bytes()
        faces = fercourse.load("synthetic", count=70).train.images[:3].numpy()
        self.pictures = {
            f"face.{kind.lower()}": made.png(np.asarray(face), kind)
            for face, kind in zip(faces, ("PNG", "JPEG", "BMP"), strict=True)
        }
        lines = (made_ledger() * 3).encode()
        self.ledger = {"ledger.jsonl": lines}
        whole = made.write(folder / "whole", self.sets["csv"])
        self.fingerprint = load(whole / "fer2013.csv").fingerprint

    def trial(self, number: int) -> dict:
        """What was tried, and what was wrong with the answer: "fault", "" where nothing was."""
        draw = random.Random(number)
        kind = draw.choice(("csv", "zip", "folder", "parquet", "picture", "weights", "ledger"))
        if kind in self.sets:
            files = self.sets[kind]
            damages = draw.sample(HARMLESS, draw.choice((0, 1, 1, 2)))
        else:
            files, damages = self._single(kind, draw), []
        spoiled = [draw.choice(SPOILING)] if kind not in self.sets or draw.random() < 0.6 else []
        for damage in (*damages, *spoiled):
            files = damage(files, draw)
        there = self.folder / f"trial{number}"
        inputs = made.write(there / "in", files)
        before = pictured(there)
        alone = len(files) == 1 and "/" not in next(iter(files))
        path = inputs / next(iter(files)) if alone else inputs
        words = self._command(kind, path, inputs)
        started = time.monotonic()
        code, out, err = typed(words, there)
        seconds = time.monotonic() - started
        fault = judged(code, err, seconds)
        if not fault and pictured(there) != before:
            fault = "an input was changed, or a file was left"
        if not fault and kind in self.sets and not spoiled:
            fault = self._wrong(code, out, err)
        elif not fault and kind in self.sets and code == 0:
            fault = counted(out, lost=kind == "csv")
        for name in sorted(there.rglob("*"), reverse=True):
            name.rmdir() if name.is_dir() and not name.is_symlink() else name.unlink()
        there.rmdir()
        return {
            "number": number,
            "kind": kind,
            "damages": [d.__name__ for d in (*damages, *spoiled)],
            "code": code,
            "said": (err or out).strip().splitlines()[-1:],
            "seconds": round(seconds, 2),
            "fault": fault,
        }

    def _single(self, kind: str, draw: random.Random) -> Files:
        if kind == "picture":
            name = draw.choice(list(self.pictures))
            return {name: self.pictures[name]}
        return {"model.safetensors": self.weights} if kind == "weights" else self.ledger

    def _command(self, kind: str, path: Path, inputs: Path) -> list[str]:
        face = self.folder / "whole.png"
        if not face.exists():
            face.write_bytes(self.pictures["face.png"])
        small = ["-w", "synthetic-model1", "--device", "cpu"]
        return {
            "picture": ["predict", str(path), "--cropped", "--json", *small],
            "weights": ["predict", str(face), "--cropped", "--csv", "-w", str(path)],
            "ledger": ["ledger", "list", "--ledger", str(path)],
        }.get(kind, ["data", "check", str(path)])

    def _wrong(self, code: int, out: str, err: str) -> str:
        if code:
            return f"nothing was lost, and it is refused: {err.strip()}"
        return "" if self.fingerprint in out else "faces are missing, or there twice"


def made_ledger() -> str:
    from dataclasses import asdict

    from made_rows import made_row

    return "".join(json.dumps(asdict(made_row(seed=seed))) + "\n" for seed in range(3))


def judged(code: int, err: str, seconds: float) -> str:
    """What is wrong with an answer, whatever was asked."""
    lines = err.splitlines()
    if code not in (0, 1):
        return f"exit code {code}: {err[-300:]}"
    if "Traceback" in err or "Error:" in err:
        return f"a traceback: {err[-300:]}"
    if code == 1 and not (lines and all(line.startswith("fercourse: ") for line in lines)):
        return f"no sentence: {err[-300:]!r}"
    return f"{seconds:.0f} s" if seconds > SECONDS else ""


def counted(out: str, lost: bool) -> str:
    """Of files of which some may be bad: none is there twice, and none is gone without a word.

    Args:
        out: What ``data check`` printed.
        lost: Nobody can know what stood behind the end of a csv that was cut.
    """
    found = re.search(r"read +([\d,]+) images, ([\d,]+) skipped", out)
    if not found:
        return f"it does not say how many were read: {out[-200:]}"
    read, skipped = (int(number.replace(",", "")) for number in found.groups())
    total = 21 * EACH
    if read > total:
        return f"{read} of {total} images were read"
    return (
        ""
        if lost or read + skipped >= total - 1
        else f"{total - read} are gone, {skipped} of them said"
    )


def pictured(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def typed(words: list[str], where: Path) -> tuple[int, str, str]:
    """Run a command in this process; (exit code, stdout, stderr). 70 is an exception."""
    from fercourse.cli import main

    argv, here = sys.argv, os.getcwd()
    sys.argv = ["fercourse", *words]
    out, err = io.StringIO(), io.StringIO()
    os.chdir(where)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc(file=err)
        code = 70
    finally:
        sys.argv = argv
        os.chdir(here)
    return code, out.getvalue(), err.getvalue()


def work(first: int) -> None:
    """Trials one after another, a line each, until killed."""
    os.environ["COLUMNS"] = "250"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FERCOURSE_CACHE"] = str(Path(folder) / "cache")
        bench, number = Bench(Path(folder)), first
        print(json.dumps({"ready": True}), flush=True)
        while True:
            print(json.dumps({"begun": number}), flush=True)
            found = bench.trial(number)
            memory = megabytes()
            if memory > MEGABYTES and not found["fault"]:
                found["fault"] = f"{memory:.0f} MB of memory"
            print(json.dumps(found), flush=True)
            number += 1


def megabytes() -> float:
    """The most memory this process has had."""
    status = Path("/proc/self/status")
    if status.exists():  # what resource says there may be the most of who started this process
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 2**10
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes, on macOS


def trials(seconds: float, first: int = 0) -> Iterator[dict]:
    """Trials for so long, in a process that is killed where it hangs."""
    end, number = time.monotonic() + seconds, first
    while time.monotonic() < end:
        process = subprocess.Popen(
            [sys.executable, __file__, "--work", str(number)], stdout=subprocess.PIPE, text=True
        )
        heard: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_listen, args=(process.stdout, heard), daemon=True).start()
        patience = 180.0  # until all is imported
        try:
            while time.monotonic() < end or patience > 2 * SECONDS:
                try:
                    line = json.loads(heard.get(timeout=patience))
                except queue.Empty:
                    yield {"number": number, "kind": "?", "fault": f"silent for {patience:.0f} s"}
                    number += 1
                    break
                patience = 2.0 * SECONDS
                if "begun" in line:
                    number = line["begun"]
                elif "number" in line:
                    yield line
                    number += 1
                elif "died" in line:
                    yield {"number": number, "kind": "?", "fault": "the process died"}
                    number += 1
                    break
        finally:
            process.kill()
            process.wait()


def _listen(stream: object, heard: queue.Queue[str]) -> None:
    for line in stream:  # type: ignore[attr-defined]
        heard.put(line)
    heard.put(json.dumps({"died": True}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--only", type=int, help="repeat one trial")
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    typed_ = parser.parse_args()
    if typed_.work is not None:
        work(typed_.work)
    if typed_.only is not None:
        os.environ["COLUMNS"] = "250"
        with tempfile.TemporaryDirectory() as folder:
            os.environ["FERCOURSE_CACHE"] = str(Path(folder) / "cache")
            print(json.dumps(Bench(Path(folder)).trial(typed_.only), indent=1))
        return
    kinds: Counter[str] = Counter()
    codes: Counter[int] = Counter()
    faults = []
    for found in trials(60 * typed_.minutes, typed_.first):
        kinds[found["kind"]] += 1
        codes[found.get("code", -1)] += 1
        if found["fault"]:
            faults.append(found)
            print(json.dumps(found), flush=True)
    print(f"{sum(kinds.values())} inputs tried ({dict(kinds)}), exit codes {dict(codes)}, "
          f"{len(faults)} faults.")  # fmt: skip


if __name__ == "__main__":
    main()
