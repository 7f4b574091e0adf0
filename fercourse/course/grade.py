"""Who passed what: handed-in notebooks through the course's own checks.

Of a notebook that :mod:`fercourse.course.assign` wrote, the solutions' cells are run, each after a
lesson's standard imports and with nothing else, in a process of the notebook's own that may only
compute (:mod:`fercourse.course.sandbox`). The checks are the package's; the cells of checks that
were handed in are not looked at. Python that was handed in never runs in the grader's process,
which takes from the other one lines of JSON and nothing else.

What the other process says is not proof: code that runs beside a check can write the check's answer
(:mod:`fercourse.course.attempts`). The table is for a class, not for a court.
"""

from __future__ import annotations

import csv
import json
import queue
import secrets
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercourse.course import handed_in, sandbox
from fercourse.course.build import IMPORTS
from fercourse.errors import FercourseError
from fercourse.exercises.exercise import find
from fercourse.files import atomic_write

START = 180
"""Seconds in which torch must be loaded, on a machine however busy."""
LINE = 20_000
"""Bytes of an answer."""
MESSAGE = 400
"""Letters of a message that are shown."""


@dataclass(frozen=True)
class Limits:
    """What each exercise, and each process, may take.

    Attributes:
        seconds: For a cell and its check.
        memory: Bytes on top of what torch takes (not held on macOS and Windows).
    """

    seconds: float = 20
    memory: int = 2 * 2**30


@dataclass(frozen=True)
class Result:
    """A line of the table.

    Attributes:
        notebook: The file.
        lesson: Its number; None where that could not be told.
        exercise: "decoder.resize_like"; empty where the whole notebook could not be graded.
        points: Reached: all or none.
        out_of: That can be reached.
        message: The diagnosis, or what is right now.
    """

    notebook: Path
    lesson: int | None
    exercise: str
    points: int
    out_of: int
    message: str

    @property
    def passed(self) -> bool:
        """The exercise is done."""
        return bool(self.exercise) and self.points == self.out_of


def notebooks(paths: Sequence[Path]) -> list[Path]:
    """The files named, and the notebooks anywhere in the folders named, in order."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        found += inside if path.is_dir() else [path]
    return found


def grade(
    paths: Iterable[Path],
    limits: Limits | None = None,
    sandboxed: bool = True,
    lesson: int | None = None,
) -> Iterator[Result]:
    """Grade notebooks, one after the other; what is wrong with one stops no other.

    Args:
        paths: The files.
        limits: Of time and memory.
        sandboxed: False runs them with all rights of the caller.
        lesson: The only one that is graded; all by default.

    Yields:
        A result an exercise of the lesson, in its order, or one for a file that is not gradable.

    Raises:
        FercourseError: There is no sandbox here, or no lessons' sources.
    """
    limits = limits or Limits()
    known = handed_in.exercises()
    if not known:
        raise FercourseError(
            "Which exercises a lesson has stands in notebooks/source: grade in a checkout."
        )
    for path in paths:
        try:
            work = handed_in.read(path, known)
            if lesson is not None and work.lesson != lesson:
                raise FercourseError(f"It is of lesson {work.lesson:02}, not of {lesson:02}.")
        except FercourseError as error:
            yield Result(path, None, "", 0, 0, plain(str(error)))
            continue
        except OSError as error:
            yield Result(path, None, "", 0, 0, f"It cannot be read: {error.strerror}.")
            continue
        said = examine(work.code, limits, sandboxed)
        for name in known[work.lesson]:
            passed, message = said.get(name) or (False, work.lacking[name])
            worth = find(name)[0].difficulty
            points = worth if passed else 0
            yield Result(path, work.lesson, name, points, worth, plain(message))


def examine(code: dict[str, str], limits: Limits, sandboxed: bool) -> dict[str, tuple[bool, str]]:
    """Whether each cell passes the check of its exercise, and what is said of it.

    An exercise that ends its process, or must be ended, costs no other: those after it get a new
    process.

    Raises:
        FercourseError: There is no sandbox here.
    """
    said: dict[str, tuple[bool, str]] = {}
    while left := {name: text for name, text in code.items() if name not in said}:
        with Process(left, limits, sandboxed) as process:
            for name in left:
                passed, message, goes_on = process.ask(name)
                said[name] = (passed, message)
                if not goes_on:
                    break
    return said


class Process:
    """The process of a notebook, from its start to its end."""

    def __init__(self, code: dict[str, str], limits: Limits, sandboxed: bool) -> None:
        self.limits = limits
        self._places = tempfile.TemporaryDirectory(prefix="fercourse-", ignore_cleanup_errors=True)
        root = Path(self._places.name).resolve()
        folder, outside = root / "mine", root / "outside"
        folder.mkdir()
        outside.mkdir()
        (outside / "secret").write_text("Nobody in the sandbox reads this.", encoding="utf-8")
        job = {
            "code": code,
            "imports": IMPORTS,
            "outside": str(outside),
            "sandboxed": sandboxed,
            "memory": limits.memory,
            "seconds": int(limits.seconds + 1) * len(code),
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        arguments = ["-m", "fercourse.course.attempts"]
        self._complaints = (root / "complaints").open("w+b")
        try:
            self._process = subprocess.Popen(
                sandbox.command(arguments, folder, sandboxed),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                cwd=folder,
                env=sandbox.environment(folder),
                start_new_session=True,
            )
        except BaseException:
            self._complaints.close()
            self._places.cleanup()
            raise
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=4)
        self._closed = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Process:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        sandbox.stop(self._process)
        self._closed.set()
        assert self._process.stdin
        with suppress(OSError):  # what was not sent goes nowhere
            self._process.stdin.close()
        self._complaints.close()
        self._places.cleanup()

    def ask(self, name: str) -> tuple[bool, str, bool]:
        """Passed or not, what is said, and whether this process is fit for another exercise."""
        token = secrets.token_hex(16)
        assert self._process.stdin
        try:
            request = json.dumps({"token": token, "exercise": name})
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=self.limits.seconds)
        except queue.Empty:
            return False, f"It was stopped: it ran for {self.limits.seconds:g} s.", False
        except OSError:
            line = b""
        if not line:
            return False, f"It {self._ended()} before there was a verdict.", False
        answer = _answer(line, token)
        if answer is None:
            return False, "It wrote where the verdict belongs, which is then none.", False
        return answer["passed"], answer["message"], answer["clean"]

    def _begin(self) -> None:
        try:
            line = self._lines.get(timeout=START)
        except queue.Empty:
            raise FercourseError(f"Grading did not start within {START} s; try again.") from None
        first = _object(line)
        if first == {"ready": True}:
            return
        if first and isinstance(first.get("refused"), str):
            raise FercourseError(
                f"There is no sandbox for handed-in code here: {first['refused']}. "
                f"{sandbox.ELSEWHERE}"
            )
        sandbox.stop(self._process)
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        raise FercourseError(f"Grading did not start: {plain(lines[-1] if lines else 'no word')}")

    def _listen(self) -> None:
        """Pass lines on, as long as somebody takes them; an empty one is the end."""
        assert self._process.stdout
        with self._process.stdout as stream:
            while not self._closed.is_set():
                try:
                    line = stream.readline(LINE)
                except (OSError, ValueError):
                    line = b""
                while not self._closed.is_set():
                    try:
                        self._lines.put(line, timeout=1)
                        break
                    except queue.Full:
                        continue
                if not line:
                    return

    def _ended(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"was ended by signal {-code}" if code < 0 else f"ended its process (exit {code})"


def write_csv(results: Sequence[Result], path: Path) -> None:
    """A row an exercise; columns that nbgrader's export has too have its names."""
    with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["assignment", "notebook", "exercise", "score", "max_score", "message"])
        for row in results:
            lesson = "" if row.lesson is None else f"{row.lesson:02}"
            texts = [cell(plain(str(row.notebook))), row.exercise]
            table.writerow([lesson, *texts, row.points, row.out_of, cell(row.message)])


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def plain(text: str) -> str:
    """Foreign text for a terminal: one line, no control codes, not too long."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= MESSAGE else shown[: MESSAGE - 1] + "…"


def _answer(line: bytes, token: str) -> dict[str, Any] | None:
    """An answer of exactly the form that is asked for, or None."""
    found = _object(line)
    types = {"token": str, "passed": bool, "message": str, "clean": bool}
    if found is None or {name: type(value) for name, value in found.items()} != types:
        return None
    return found if found["token"] == token else None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
