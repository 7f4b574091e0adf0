"""What holds of every exercise: its check knows the solution, and the stub that nobody touched."""

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

from fercourse import exercises
from fercourse.course.build import IMPORTS, sources


def found():
    """Checks by the name a lesson calls their exercise by, "gcca.layers"."""
    for module in iter_modules(exercises.__path__):
        for name, value in vars(import_module(f"{exercises.__name__}.{module.name}")).items():
            if name.startswith("check_"):
                yield f"{module.name}.{name.removeprefix('check_')}", value


CHECKS = dict(found())


def written(code, name):
    """What a learner has who runs this code in a lesson."""
    space = {}
    exec(IMPORTS, space)
    exec(code, space)
    return space[name]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_the_solution_passes_copied_or_not_and_the_stub_waits(check):
    exercise = check.solution.exercise
    for solution in (check.solution, written(exercise.source(), exercise.name)):
        assert check(solution), check(solution)
    verdict = check(written(exercise.stub(), exercise.name))
    assert not verdict
    assert "your turn" in verdict.message


def test_every_exercise_is_in_one_lesson():
    text = "".join(path.read_text(encoding="utf-8") for path in sources())
    assert sorted(re.findall(r'exercise="([\w.]+)"', text)) == sorted(CHECKS)
