"""Shared fixtures: where the real data lies, if it lies anywhere."""

import os
from pathlib import Path

# Tests run in as many processes as there are cores: one thread each, or they would wait for each
# other. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Notebooks run under nbval in this mode, whichever one is set outside.
os.environ["FERCOURSE_MODE"] = "smoke"

import hypothesis
import pytest

# A busy machine is no fault of the code's.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parents[1]


def _real(name: str) -> Path:
    from fercourse.datasets.load import folders

    for folder in folders():
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is in none of {', '.join(map(str, folders()))}; set FERCOURSE_DATA to it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.suffix == ".ipynb":  # collected by nbval
            item.add_marker(pytest.mark.notebook)


@pytest.fixture(scope="session")
def fer2013_zip() -> Path:
    """The real FER2013, as the zip of its folder layout."""
    return _real("fer2013.zip")


@pytest.fixture(scope="session")
def ckplus_zip() -> Path:
    """The real CK+48, as a zip."""
    return _real("ckplus48.zip")


LESSON = """\
# ---
# jupyter:
#   fercourse:
#     title: "{title}"
#     learn:
#       - one thing
#     needs: [0]
# ---

# %% [markdown]
# The mean is $\\bar x$.

# %% paper="eq. 8"
print({code})
"""


@pytest.fixture
def write(tmp_path):
    """Write a source and give its path."""
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)

    def one(name, title="A lesson", code="1 + 1"):
        path = folder / f"{name}.py"
        path.write_text(LESSON.format(title=title, code=code), encoding="utf-8")
        return path

    return one


@pytest.fixture(autouse=True)
def readable_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """After each test of plots: its figures say their finding in words, and not by hue alone."""
    if request.path.parent.name != "plots" or request.path.name == "test_digest.py":
        yield
        return
    from readable import alike_but_for_colour, unsaid

    from fercourse.plots.style import CourseFigure

    drawn, make = [], CourseFigure.__init__

    def watched(self: CourseFigure, *args: object, **settings: object) -> None:
        make(self, *args, **settings)
        drawn.append(self)

    monkeypatch.setattr(CourseFigure, "__init__", watched)
    yield
    whole = [figure for figure in drawn if figure.get_suptitle()]  # the last a function adds
    assert [fault for figure in whole for fault in unsaid(figure)] == []
    assert [pair for figure in whole for pair in alike_but_for_colour(figure)] == []
