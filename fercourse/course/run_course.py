"""``make course``: run every notebook in a mode, measure what it takes, and make the site."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import nbformat
import psutil
from tqdm.auto import tqdm

from fercourse.course.build import MINUTES, NOTEBOOKS, run, shrink
from fercourse.course.mode import MODES
from fercourse.course.site import write_site
from fercourse.errors import FercourseError
from fercourse.files import atomic_write

LOOK = 0.2
"""Seconds between two looks at a kernel's memory."""


@dataclass(frozen=True)
class RunCost:
    """What running a notebook took.

    Attributes:
        seconds: From starting its kernel to its last cell.
        memory_gb: The most its kernel held at any look, in 2^30 bytes.
        error: Why it stopped; empty where it ran through.
    """

    seconds: float
    memory_gb: float
    error: str = ""


def run_course(
    mode: str,
    out: Path,
    lessons: Sequence[int] = (),
    jobs: int | None = None,
    reference: bool = True,
    pages: bool = True,
) -> dict[str, RunCost]:
    """Run notebooks one kernel a core, then make the site of them; a failure stops no other.

    Args:
        mode: "smoke", "lecture" or "full".
        out: Folder of the site.
        lessons: Numbers; empty means all.
        jobs: Notebooks at a time; None takes one a core, and one in all where there is a GPU to
            share or the full mode needs every core.
        reference: Add the docstrings' pages to the site.
        pages: Let explorers draw what moves on a page; off where learners' minutes are measured.

    Returns:
        By stem, "07_channel_attention".

    Raises:
        FercourseError: There is no such mode or lesson, or no notebook.
    """
    if mode not in MODES:
        raise FercourseError(f"There is no mode {mode!r}; use one of {', '.join(MODES)}.")
    paths = [p for p in notebooks() if not lessons or int(p.name[:2]) in lessons]
    known = {int(p.name[:2]) for p in notebooks()}
    if not paths or set(lessons) - known:
        raise FercourseError(f"There are no such notebooks; lessons go from 0 to {max(known)}.")
    cores = os.cpu_count() or 1
    jobs = jobs or (1 if mode == "full" else min(4, cores))
    taken: dict[str, RunCost] = {}
    pool = ThreadPoolExecutor(jobs)
    threads = str(max(1, cores // jobs))
    waiting = {pool.submit(_one, p, mode, out, threads, pages): p for p in paths}
    try:
        with tqdm(total=len(paths), unit="notebook") as bar:
            for done in as_completed(waiting):
                path = waiting[done]
                taken[path.stem] = done.result()
                bar.set_postfix_str(path.stem)
                bar.update()
    except BaseException:  # Ctrl-C too: what runs is ended with its kernels, not waited for
        pool.shutdown(wait=False, cancel_futures=True)
        for memory in _Memory.alive.copy():
            memory.end()
        raise
    pool.shutdown()
    taken = {p.stem: taken[p.stem] for p in paths}
    kept = out / "minutes.json"
    rows = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    rows |= {k: {"mode": mode} | asdict(v) for k, v in taken.items()}
    with atomic_write(kept) as part:
        part.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    write_site(out, notebooks(), mode, reference)
    return taken


def record(mode: str, taken: dict[str, RunCost], path: Path = MINUTES) -> None:
    """Keep seconds and memory for the notebooks' openings."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    mine = rows.setdefault(mode, {})
    for stem, row in taken.items():
        if not row.error:
            mine[stem[:2]] = {"seconds": round(row.seconds), "memory_gb": round(row.memory_gb, 1)}
    rows = {name: dict(sorted(rows[name].items())) for name in MODES if name in rows}
    with atomic_write(path) as part:
        part.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """The built notebooks, in order.

    Raises:
        FercourseError: There is none.
    """
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise FercourseError(f"There is no notebook in {folder}; make notebooks builds them.")
    return found


def _one(path: Path, mode: str, out: Path, threads: str, pages: bool) -> RunCost:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    start, error = time.monotonic(), ""
    with _watch() as memory:
        try:
            run(
                notebook,
                path.parent,
                mode,
                on_start=memory.follow,
                environment={"OMP_NUM_THREADS": threads}
                | ({"FERCOURSE_PAGES": "1"} if pages else {}),
            )
        except FercourseError as stopped:
            error = str(stopped)
    seconds = time.monotonic() - start
    shrink(notebook)
    out.mkdir(parents=True, exist_ok=True)
    with atomic_write(out / path.name) as part:
        part.write_text(nbformat.writes(notebook), encoding="utf-8")
    return RunCost(seconds, memory.most / 2**30, error)


class _Memory:
    """The most bytes a kernel was seen to hold."""

    alive: ClassVar[set[_Memory]] = set()

    def __init__(self) -> None:
        self.most = 0
        self.process: psutil.Process | None = None

    def follow(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.alive.add(self)

    def end(self) -> None:
        if self.process is not None:
            with suppress(psutil.NoSuchProcess):
                self.process.kill()

    def look(self) -> None:
        if self.process is None:
            return
        try:
            self.most = max(self.most, self.process.memory_info().rss)
        except psutil.NoSuchProcess:
            self.process = None


@contextmanager
def _watch() -> Iterator[_Memory]:
    memory, over = _Memory(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            memory.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()
        memory.alive.discard(memory)
