"""A lesson runs on what its learner wrote, once that is right, and on ours until then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def yours(check: Callable[[Any], Any], attempt: Callable[..., Any]) -> Callable[..., Any]:
    """The learner's function if it passes its check, else the exercise's solution.

    Says which of the two the cells below run on. A cell that fetched ours leaves it under the
    learner's name; run once more without writing anything anew, it says so rather than to praise
    our own work.

    Args:
        check: An exercise's ``check_...``, see :mod:`fercourse.exercises.exercise`.
        attempt: What was written for it.
    """
    ours = check.solution  # pyright: ignore[reportFunctionMemberAccess]
    if attempt is ours:
        print("This is our function, not yours: run your own cell again, then this one.")
        return ours
    verdict = check(attempt)
    print(verdict)
    if verdict:
        print("From here on, the lesson runs on yours.")
        return attempt
    print("Until it passes, the lesson goes on with ours.")
    return ours
