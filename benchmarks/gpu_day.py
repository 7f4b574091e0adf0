"""What to do with some minutes of a rented GPU: the most valuable first, nothing finished is lost.

    benchmarks/gpu_day.sh BUDGET_SECONDS OUT [STAGE ...]

Needs this checkout, FER2013 in ``data`` (or where ``FERCOURSE_DATA`` says), the packages of a bare
PyTorch machine, and a few more as wheels in ``build/wheels`` (``gpu_wheels.txt``); no network. The
stages, all of them unless some are named, each in what time is left:

check    the tests of the GPU
measure  runs an hour by how many go at a time, and images a second; two minutes at most
table1   models 1 and 6 of Table 1 at full width, seed after seed; the same at a width whose weights
         fit into one file; the other models; more seeds of all

OUT gets, and has after every finished run, at most 8 files of at most 16 MB: ``log.txt``,
``runs_per_hour.json``, ``throughput.json``, ``rows.zip`` with rows and histories, and the weights
that fit. Here afterwards::

    fercourse ledger merge OUT/rows.zip
    unzip OUT/weights-1.zip && fercourse ledger bundle KEY.safetensors

Without CUDA it rehearses all stages with a tiny net on drawn faces. Choices, as variables:

EPOCHS  of every run; else as many as fit
JOBS    runs at a time; else one or two, by what was measured
SHIP    width of the runs whose weights are to be shipped, 0.5; an empty one leaves them out
DATA    the data set, fer2013
WORK    folder of the runs: named again, it goes on with them
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WHEELS = ROOT / "build" / "wheels"

STAGES = ("check", "measure", "table1")
PACKAGES = (
    *("torch", "torchvision", "numpy", "pandas", "sklearn", "scipy", "safetensors", "PIL"),
    *("filelock", "lightning_fabric", "lightning_utilities", "packaging", "lazy_loader", "tqdm"),
)
"""Modules without which nothing goes; pytest is for the tests alone."""

SPARE = 10.0
"""Seconds at the end for stopping what runs, and packing."""

STOPPING = 4.0
"""Seconds that workers may take to end."""

LEAST = 5.0
"""A step that would have less is left out."""

PAIR, SEEDS = (1, 6), 2
"""What the schedule is made to fit: these models, so many seeds of them."""

ENOUGH, LONGEST, UNKNOWN = 60, 150, 30
"""Epochs: with so many all six models come before longer runs of two; those of the preset; those
of a machine that was not measured."""

OVERHEAD = 1.3
"""Of a run over its training alone: starting, validating, judging."""

LOG = 8 * 2**20
"""Characters of the log, after which it only goes to the terminal."""

DRAWN = 70
"""Faces of a rehearsal."""


class Day:
    """A budget of seconds, and where what comes of it goes."""

    def __init__(
        self, budget: float, out: Path, work: Path, log: IO[str], began: float | None = None
    ) -> None:
        self.began = time.monotonic() if began is None else began
        self.budget, self.out, self.work, self.log = budget, out, work, log
        self.ledger = work / "ledger.jsonl"
        self.failed: list[str] = []
        self.rehearsal = False
        self.width = 1.0
        self.data = os.environ.get("DATA") or "fer2013"
        self.faces = 0

    def prepare(self) -> None:
        """Look at the device and for the faces; without CUDA, make everything small."""
        others = [p.name for p in sorted(self.out.iterdir()) if not is_ours(p)]
        if others:
            self.say(f"{self.out} already has {', '.join(others)}: they stay, and count as files")
        if not self._cuda():
            self.say("no CUDA here: a rehearsal with a tiny net on drawn faces")
            self.rehearsal, self.width = True, 0.0625
            self.data = os.environ.get("DATA") or "synthetic"
            # A machine that is busy with something else has threads wait for one another.
            os.environ["OMP_NUM_THREADS"] = "1"
        self.loading = threading.Thread(target=self._load, daemon=True)
        self.loading.start()

    def _cuda(self) -> bool:
        """Whether a GPU computes here; says what this machine is."""
        import torch

        from fercourse.device import cuda_works

        python = ".".join(map(str, sys.version_info[:3]))
        self.say(f"Python {python}, torch {torch.__version__}, CUDA {torch.version.cuda}")
        try:
            works = cuda_works()
            for k in range(torch.cuda.device_count() if works else 0):
                card = torch.cuda.get_device_properties(k)
                size = f"{card.total_memory / 2**30:.0f} GiB, {card.multi_processor_count} SMs"
                self.say(f"{card.name}, {size}")
        except RuntimeError as error:
            refuse(f"CUDA does not work here: {str(error).splitlines()[0]}")
        return works

    def _load(self) -> None:
        """Decode and cache the faces, beside the tests; say so where there are none."""
        from fercourse.datasets.load import load

        try:
            self.faces = len(load(self.data, count=DRAWN).train)
            self.say(f"{self.data}: {self.faces} faces to train on")
        except Exception as error:  # whatever it is, the rest of the day needs no faces
            self.say(f"Table 1 will be left out: {error}")
            self.failed.append(self.data)

    def check(self) -> None:
        """The tests of the GPU."""
        if importlib.util.find_spec("pytest") is None:
            self.say("tests of the GPU: left out, for pytest is missing (see gpu_wheels.txt)")
            return
        options = ("-o", "addopts=", "-q", "--tb=short", "--noconftest", "-p", "no:cacheprovider")
        most = min(240.0, max(20.0, self.budget / 4))
        test = str(ROOT / "tests" / "test_gpu.py")
        # Interrupted, pytest still tells which tests failed.
        self.step("tests of the GPU", most, "-m", "pytest", *options, test, ask=signal.SIGINT)

    def measure(self) -> None:
        """Runs an hour and images a second, two minutes at most."""
        self.loading.join()
        total = min(120.0, 0.4 * self.budget)
        ends = self.left() - total
        jobs = ["1", "2", "4", "8"]
        runs, steps = ["--seconds", "5"], ["--seconds", "1", "--batches", "128", "256"]
        if self.rehearsal:
            jobs = ["1", "2"]
            runs = ["--seconds", "0.5", "--width", str(self.width), "--count", "64"]
            steps = ["--seconds", "0.1", "--width", str(self.width), "--batches", "16"]
            steps += ["--no-compile"]
        share = 0.6 * total
        self.script(
            "runs at a time",
            share,
            "runs_per_hour.py",
            *("--no-compile", "--jobs", *jobs, *runs, "--until", self.clock(share)),
            *("--json", str(self.out / "runs_per_hour.json")),
        )
        # Compiling may take longer than there is; so this comes second, and gets what is left.
        self.script(
            "images a second",
            self.left() - ends,
            "throughput.py",
            *("--models", *map(str, PAIR), *steps, "--json", str(self.out / "throughput.json")),
        )

    def table1(self) -> None:
        """The runs that are not done yet, as many as there is time for."""
        self.loading.join()
        if not self.faces:
            self.say("Table 1: left out, for there are no faces")
            return
        epochs, jobs, left = self.epochs(), self.jobs(), self.left() - SPARE
        drawn = self.data == "synthetic"
        size = ["--seeds", "2", "--count", str(DRAWN)] if drawn else ["--seeds", "10"]
        self.script(
            f"Table 1, {epochs} epochs a run, {jobs} at a time",
            left,
            "table1.py",
            *(str(self.ledger), str(self.work / "runs"), "--data", self.data),
            *("--width", str(self.width), "--ship", str(self.ship_width())),
            *("--epochs", str(epochs), "--jobs", str(jobs)),
            *("--until", self.clock(left), *size),
        )

    def ship_width(self) -> float:
        """Of the runs whose weights are to be shipped; 0 for none."""
        return float(os.environ.get("SHIP", "0.125" if self.rehearsal else "0.5") or 0)

    def jobs(self) -> int:
        """Runs at a time: both models of a seed, if that is quicker than one after the other."""
        rates = {n: rate for n, rate in self._rates_by_jobs().items() if n <= len(PAIR)}
        return int(os.environ.get("JOBS") or best_jobs(rates))

    def epochs(self) -> int:
        """Of every run: chosen once, for all stages and for calls that go on with this one."""
        if chosen := os.environ.get("EPOCHS"):
            return int(chosen)
        kept = self.work / "epochs"
        if not kept.is_file():
            by_jobs = self._rates_by_jobs()
            gain = by_jobs[self.jobs()] / by_jobs[1] if {1, self.jobs()} <= by_jobs.keys() else 1
            rates = {model: gain * rate for model, rate in self._rates_by_model().items()}
            ship = self.ship_width() / self.width
            found = epochs_that_fit(rates, self.faces, self.left() - SPARE, ship)
            found = min(2, found) if self.rehearsal else found
            kept.write_text(str(found))
        return int(kept.read_text())

    def _rates_by_jobs(self) -> dict[int, float]:
        """Images a second of all runs together, by how many go at a time."""
        rows = self._measured("runs_per_hour.json")
        return {row["jobs"]: row["images_per_second"] for row in rows}

    def _rates_by_model(self) -> dict[int, float]:
        """Images a second of steps as training takes them, of the smallest batch measured."""
        rows = [r for r in self._measured("throughput.json") if "compiled" not in r["way"]]
        rows = [r for r in rows if r["batch"] == min(row["batch"] for row in rows)]
        rows.sort(key=lambda row: row["way"])  # "recorded" after "eager", which it replaces
        return {row["model"]: row["images_per_second"] for row in rows}

    def _measured(self, name: str) -> list[dict[str, Any]]:
        path = self.out / name
        return json.loads(path.read_text())["rows"] if path.is_file() else []

    def left(self) -> float:
        """Seconds of the budget."""
        return self.budget - (time.monotonic() - self.began)

    def clock(self, seconds: float) -> str:
        """When a step that has so many seconds must end by itself."""
        return f"{time.time() + seconds - STOPPING:.0f}"

    def script(self, what: str, seconds: float, name: str, *words: str) -> None:
        """:meth:`step` of a script beside this one."""
        self.step(what, seconds, str(HERE / name), *words)

    def step(self, what: str, seconds: float, *words: str, ask: int = signal.SIGTERM) -> None:
        """Have Python do something for at most so long; ``ask`` is how it is told to end."""
        seconds = min(seconds, self.left() - SPARE)
        if seconds < LEAST:
            self.say(f"{what}: left out, no time is left for it")
            return
        self.say(f"{what} (at most {seconds:.0f} s)")
        process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        copier = threading.Thread(target=self._copy, args=(process.stdout,), daemon=True)
        copier.start()
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            try:
                code = process.wait(seconds)
            finally:
                end(process, ask)
        copier.join(5)
        if code is None:
            self.say(f"{what}: broken off; what it had finished is kept")
        elif code:
            self.say(f"{what}: ended with status {code}; the next step goes on")
            self.failed.append(what)

    def say(self, text: str) -> None:
        """A line of the log."""
        self._write(f"== {time.monotonic() - self.began:.0f} s: {text}\n")

    def _copy(self, stream: IO[str]) -> None:
        for line in stream:
            self._write(line)

    def _write(self, text: str) -> None:
        room = self.log.tell() + len(text) < LOG
        for file in (self.log, sys.stdout) if room else (sys.stdout,):
            with contextlib.suppress(OSError):  # a full disk, a closed terminal: go on
                file.write(text)
                file.flush()

    @contextlib.contextmanager
    def packing(self) -> Iterator[None]:
        """Pack whenever a run was recorded, so that a machine taken away takes little along."""
        from pack import pack  # here, for it needs what bring() brought

        over = threading.Event()

        def watch() -> None:
            seen, last = 0, False
            while not last:
                last = over.wait(1)
                now = self.ledger.stat().st_mtime_ns if self.ledger.is_file() else 0
                if now == seen and not last:
                    continue
                seen = now
                try:
                    self.say(pack(self.ledger, self.work / "runs", self.out))
                except Exception as error:  # nobody would see a thread die; the end tries again
                    self.say(f"packing failed: {type(error).__name__}: {error}")

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def best_jobs(rates: dict[int, float]) -> int:
    """The fewest runs at a time that do at least 95 % of what the best number does.

    Args:
        rates: Images a second, all runs together, by how many went at a time.
    """
    good = [jobs for jobs, rate in rates.items() if rate >= 0.95 * max(rates.values())]
    return min(good, default=1)


def epochs_that_fit(rates: dict[int, float], faces: int, seconds: float, ship: float = 0.0) -> int:
    """Epochs of a run: two seeds of models 1 and 6, and the pair to ship, must fit.

    So must one seed of the other models, where that leaves enough epochs.

    Args:
        rates: Images a second by model; the slowest stands for those that are not there.
        faces: Of an epoch.
        seconds: For all of it.
        ship: What a pair to ship costs, in pairs of full width.
    """
    if not set(PAIR) <= rates.keys():
        return UNKNOWN
    slowest = min(rates.values())
    cost = {m: OVERHEAD * faces / rates.get(m, slowest) for m in (1, 2, 3, 4, 5, 6)}
    first = (SEEDS + ship) * sum(cost[m] for m in PAIR)
    others = sum(cost[m] for m in cost if m not in PAIR)
    for total, least in ((first + others, ENOUGH), (first, 5)):
        if (found := int(seconds / total)) >= least:
            return min(LONGEST, found)
    return 5


def is_ours(path: Path) -> bool:
    """Whether a file in OUT is one that this script writes."""
    names = ("log.txt", "runs_per_hour.json", "throughput.json", "rows.zip", "weights-*.zip")
    return any(path.match(name) for name in names)


def end(process: subprocess.Popen[str], ask: int) -> None:
    """End a step and all that it started."""
    for number, patience in ((ask, 4), (signal.SIGKILL, 4)):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    with contextlib.suppress(ProcessLookupError):  # workers it left behind
        os.killpg(process.pid, signal.SIGKILL)


def refuse(sentence: str) -> NoReturn:
    print(f"gpu_day: {sentence}", file=sys.stderr)
    sys.exit(2)


def arguments(words: list[str]) -> tuple[int, Path, list[str]]:
    """Seconds, folder and stages; anything else is refused before it costs a minute."""
    if len(words) < 2:
        refuse("it takes seconds and a folder: gpu_day.sh BUDGET_SECONDS OUT [STAGE ...].")
    budget, out, *stages = words
    if not (budget.isascii() and budget.isdecimal() and int(budget) > 0):
        refuse(f"BUDGET_SECONDS is a whole number such as 600, not {budget!r}.")
    for stage in stages:
        if stage not in STAGES:
            refuse(f"there is no stage {stage!r}; use {', '.join(STAGES)}.")
    for name, kind in (("EPOCHS", int), ("JOBS", int), ("SHIP", float)):
        value = os.environ.get(name)
        try:
            if value and not kind(value) > 0:
                raise ValueError
        except ValueError:
            refuse(f"{name} must be a positive number, not {value!r}.")
    return int(budget), Path(out).resolve(), stages or [*STAGES]


def bring(work: Path) -> None:
    """Take what packages are missing from the wheels that were brought along."""
    site = work / "site"
    if lacking((*PACKAGES, "pytest")) and WHEELS.is_dir():
        for wheel in sorted(WHEELS.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
    added = [str(ROOT), *([str(site)] if site.is_dir() else [])]
    sys.path[1:1] = added
    importlib.invalidate_caches()
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*added, *([before] if before else [])])
    if missing := lacking(PACKAGES):
        refuse(
            f"{sys.executable} has no {', '.join(missing)}: install what is missing, or bring it "
            f"as wheels in {WHEELS} by the command in benchmarks/gpu_wheels.txt."
        )
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        refuse(f"PyTorch cannot be imported in {sys.executable}: {error}")


def lacking(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name) is None]


def main() -> None:
    began = time.monotonic()
    budget, out, stages = arguments(sys.argv[1:])
    chosen = os.environ.get("WORK")
    work = Path(chosen).resolve() if chosen else Path(tempfile.mkdtemp(prefix="gpu_day-"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        log = (out / "log.txt").open("a", encoding="utf-8")
        (work / "begun").touch()  # refused now, not after the first run
    except OSError as error:
        refuse(f"{error.filename} cannot be written ({error.strerror}): name another folder.")
    bring(work)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # whatever else is installed there
    # SIGTERM ends it as Ctrl-C does: what runs is stopped, and what is finished is packed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    day = Day(budget, out, work, log, began)
    try:
        with day.packing():
            day.prepare()
            for stage in stages:
                getattr(day, stage)()
    except KeyboardInterrupt:
        day.say("stopped; what was finished is packed")
        sys.exit(130)
    sizes = [(p.name, p.stat().st_size / 2**20) for p in sorted(out.iterdir())]
    told = ", ".join(f"{name} {size:.1f} MB" for name, size in sizes)
    day.say(f"done in {budget - day.left():.0f} s of {budget}; {out} has {told}")
    if day.failed:
        day.say(f"not well: {', '.join(dict.fromkeys(day.failed))}")
        sys.exit(1)


if __name__ == "__main__":
    main()
