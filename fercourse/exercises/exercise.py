"""Exercises: a solution, the stub made from it, hints, and a check that says what went wrong.

A solution is a plain function with a line ``# your turn``; what stands below that line is left out
of the stub. So stub and solution cannot drift::

    @exercise("Squeeze", difficulty=1, minutes=5, hints=["Which axes are places?"])
    def squeeze(x: Tensor) -> Tensor:
        \"\"\"(B, C, H, W) -> (B, C): the mean over all places.\"\"\"
        # your turn
        return x.mean(dim=(2, 3))

    @check(squeeze)
    def check_squeeze(attempt):
        x = torch.rand(2, 3, 4, 5)
        out = attempt(x)
        if out.shape == (2, 4, 5):
            raise Wrong("You averaged over channels; which axes are places?")
        ...
"""

from __future__ import annotations

import functools
import inspect
import textwrap
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

MARK = "# your turn"


class Wrong(Exception):
    """An attempt is wrong, and this is what to look at."""


@dataclass(frozen=True)
class Verdict:
    """What a check says.

    Attributes:
        passed: The attempt does what was asked.
        message: One or two sentences: the diagnosis, or what is right now.
    """

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        # Folded here, for JupyterLab breaks a long line in the middle of a word.
        said = ("✓ " if self.passed else "✗ ") + self.message
        return textwrap.fill(said, 100, break_on_hyphens=False)


@dataclass(frozen=True)
class Exercise:
    """What a notebook shows of an exercise.

    Attributes:
        title: A few words.
        difficulty: 1 to 3.
        minutes: For somebody who followed the lesson.
        hints: From a nudge to nearly there.
        solution: The function.
    """

    title: str
    difficulty: int
    minutes: int
    hints: Sequence[str]
    solution: Callable[..., Any]

    @property
    def name(self) -> str:
        """Of the function to write."""
        return self.solution.__name__

    def source(self) -> str:
        """The solution as code, without its decorator and marker."""
        return "\n".join(line for line in self._lines() if line.strip() != MARK)

    def stub(self) -> str:
        """The solution down to its marker, then an invitation."""
        lines = self._lines()
        cut = next(i for i, line in enumerate(lines) if line.strip() == MARK)
        indent = lines[cut][: len(lines[cut]) - len(lines[cut].lstrip())]
        return "\n".join([*lines[:cut], f'{indent}raise NotImplementedError("{MARK[2:]}")'])

    def _lines(self) -> list[str]:
        text = textwrap.dedent(inspect.getsource(self.solution))
        return text[text.index(f"def {self.name}") :].rstrip().splitlines()


def exercise(
    title: str, difficulty: int, minutes: int, hints: Sequence[str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as the solution of an exercise; it stays an ordinary function."""

    def mark(solution: Callable[..., Any]) -> Callable[..., Any]:
        solution.exercise = Exercise(title, difficulty, minutes, tuple(hints), solution)
        return solution

    return mark


def check(
    solution: Callable[..., Any], praise: str = "That is it."
) -> Callable[[Callable[..., None]], Callable[[Any], Verdict]]:
    """Turn a function that raises :class:`Wrong` into one that returns a :class:`Verdict`.

    It runs with a fixed seed and leaves the notebook's random numbers as they were. A stub that was
    not touched, and an attempt that stops with an error, get a sentence too.

    Args:
        solution: The exercise's solution.
        praise: What a right attempt has shown.
    """

    def mark(examine: Callable[..., None]) -> Callable[[Any], Verdict]:
        @functools.wraps(examine)
        def checked(attempt: Any) -> Verdict:
            try:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    examine(attempt)
            except Wrong as wrong:
                nothing = "NoneType came back" in str(wrong)
                return Verdict(False, _nothing(attempt) if nothing else str(wrong))
            except Exception as error:  # the learner's code may raise anything
                if isinstance(error, NotImplementedError) and str(error) == MARK[2:]:
                    turn = f"{solution.__name__} is not written yet: it is your turn."
                    return Verdict(False, turn)  # torch raises this type too, with its own words
                return Verdict(False, _stopped(attempt, error))
            return Verdict(True, praise)

        checked.solution = solution  # pyright: ignore[reportAttributeAccessIssue]
        return checked

    return mark


def find(name: str) -> tuple[Exercise, Callable[[Any], Verdict]]:
    """An exercise as a lesson calls it, "decoder.resize_like", and its check."""
    module, _, function = name.partition(".")
    home = import_module(f"fercourse.exercises.{module}")
    return getattr(home, function).exercise, getattr(home, f"check_{function}")


def expect_shape(out: Any, shape: Sequence[int], otherwise: str = "") -> None:
    """Raise :class:`Wrong` unless ``out`` is a tensor of this shape."""
    if not isinstance(out, torch.Tensor):
        raise Wrong(
            f"A tensor is asked for, and {type(out).__name__} came back. {otherwise}".strip()
        )
    if tuple(out.shape) != tuple(shape):
        raise Wrong(
            f"The shape is {tuple(out.shape)} where {tuple(shape)} is needed. {otherwise}".strip()
        )


def several(value: Any, count: int, otherwise: str) -> list[float]:
    """That many numbers out of a tuple, list, array or tensor, or :class:`Wrong`."""
    try:
        found = [float(number) for number in value]
    except (TypeError, ValueError):
        raise Wrong(otherwise) from None
    if len(found) != count:
        raise Wrong(otherwise)
    return found


def close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-4) -> bool:
    """Whether two tensors agree in shape and, up to rounding, in value."""
    return a.shape == b.shape and torch.allclose(
        a.float(), b.float(), rtol=tolerance, atol=tolerance
    )


def _nothing(attempt: Any) -> str:
    return f"{_name(attempt)} gave nothing back: is its `return` missing?"


def _name(attempt: Any) -> str:
    return getattr(attempt, "__name__", type(attempt).__name__)


def _stopped(attempt: Any, error: Exception) -> str:
    name = _name(attempt)
    code = getattr(attempt, "__code__", None)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if code and frame.filename == code.co_filename and frame.name == name
    ]
    where = f" in its line {lines[-1] - code.co_firstlineno + 1}" if code and lines else ""
    why = (str(error) or "no message").splitlines()[0]
    if not lines and "NoneType" in why:
        return _nothing(attempt)
    return f"{name} stopped{where} with {type(error).__name__}: {why}"
