"""What runs in the sandbox: a learner's functions, and the course's checks of them.

``python -m fercourse.course.attempts``, in a folder with a ``job.json``. It loads torch, the course
and the checks, gives its rights up, tries that they are gone, and says so. Then it answers each
line on its input, ``{"token": ..., "exercise": ...}``, with one on its output.

The learner's code runs in the same process as the check, so it could find the way to the answer and
write its own. What comes easily to mind is noticed: functions of torch or of the checks that were
replaced, a check that now passes everything. An answer is still only what that process says.
"""

from __future__ import annotations

import json
import os
import tempfile
from importlib import import_module
from inspect import unwrap
from pathlib import Path
from types import ModuleType
from typing import Any

from fercourse.course import sandbox
from fercourse.exercises import exercise as exercises
from fercourse.exercises.exercise import MARK, Verdict, find

CELL = "<cell>"


def main() -> None:
    """Answer until the input ends."""
    job = json.loads(Path("job.json").read_text(encoding="utf-8"))
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(job["imports"], space)
    checks = {name: find(name) for name in job["code"]}
    answers, asked = os.dup(1), os.fdopen(os.dup(0), "rb")
    # What would write if it were loaded late: torch's compiler, by some contexts, makes a folder.
    tempfile.tempdir = os.getcwd()
    import_module("torch._dynamo")
    guard = Guard([import_module(check.__module__) for _, check in checks.values()])
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    try:
        sandbox.limit(job["memory"], job["seconds"])
        open_doors = _lock(Path(job["outside"])) if job["sandboxed"] else []
    except OSError as error:
        _say(answers, {"refused": str(error)})
        return
    if open_doors:
        _say(answers, {"refused": f"it could still {' and '.join(open_doors)}"})
        return
    _say(answers, {"ready": True})
    while line := asked.readline():
        wanted = json.loads(line)
        name = wanted["exercise"]
        verdict, clean = judge(job["code"][name], *checks[name], dict(space), guard)
        said = {"passed": verdict.passed, "message": verdict.message[:1000], "clean": clean}
        _say(answers, {"token": wanted["token"], **said})


def _lock(outside: Path) -> list[str]:
    sandbox.lock()
    return sandbox.probe(outside)


def judge(
    code: str, exercise: exercises.Exercise, check: Any, space: dict[str, Any], guard: Guard
) -> tuple[Verdict, bool]:
    """Run a cell and the check of what it defines.

    Args:
        code: Of the cell.
        exercise: What it is an answer to.
        check: Of the exercise.
        space: Names the cell finds; it adds its own.
        guard: Knows what the modules were before.

    Returns:
        The verdict, and whether this process is as it was before.
    """
    try:
        exec(compile(code, CELL, "exec", dont_inherit=True), space)
        if exercise.name not in space:
            verdict = Verdict(False, f"Its cell defines no {exercise.name}.")
        elif unwrap(space[exercise.name]) is check.solution:
            verdict = Verdict(False, "This is the course's own function, fetched from the package.")
        else:
            verdict = check(space[exercise.name])
    except SyntaxError as error:
        verdict = Verdict(False, f"Its cell is no Python: line {error.lineno}: {error.msg}.")
    except BaseException as error:  # sys.exit, too
        why = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
        verdict = Verdict(False, f"Its cell, or its function, stopped with {why}.")
    replaced = guard.replaced()
    if replaced:
        return Verdict(False, f"It replaced {replaced[0]}, which the check relies on."), False
    if verdict.passed and check(_not_written).passed:
        return Verdict(False, "After it, the check passes a function that does nothing."), False
    return verdict, True


class Guard:
    """Remembers what some modules and classes hold."""

    def __init__(self, modules: list[ModuleType]) -> None:
        torch = import_module("torch")
        named = ("builtins", "math", "json", "numpy", "torch", "torch.nn.functional")
        holders = [*map(import_module, named), exercises, *modules, torch.Tensor, Verdict]
        self.before = [(holder, dict(vars(holder))) for holder in holders]
        functions = [
            f for m in (exercises, *modules) for f in vars(m).values() if hasattr(f, "__code__")
        ]
        self.code = [(function, function.__code__) for function in functions]

    def replaced(self) -> list[str]:
        """Names that hold something else now."""
        found = [
            f"{holder.__name__}.{name}"
            for holder, content in self.before
            for name, value in content.items()
            if vars(holder).get(name, self) is not value
        ]
        return found + [f.__qualname__ for f, code in self.code if f.__code__ is not code]


def _not_written(*given: Any, **named: Any) -> None:
    raise NotImplementedError(MARK[2:])


def _say(answers: int, what: dict[str, Any]) -> None:
    os.write(answers, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
