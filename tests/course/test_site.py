"""The pages: formulas, docstrings, and no network."""

import re
from pathlib import Path

import pytest

import fercourse
from fercourse.course import build, site
from fercourse.course.mathml import formula

pytestmark = pytest.mark.slow


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


def test_an_equations_number_stands_apart():
    page = formula(r"x = y \tag{6}", "block")
    assert "tag" not in page
    assert page.index("y") < page.index("6")


def test_the_site_needs_no_network_and_shows_every_docstring_but_the_solutions(
    write, tmp_path, monkeypatch
):
    path = write("00_start", "Start")
    build.build(path, execute=False)
    others = {p.name for p in Path(fercourse.__file__).parent.iterdir() if p.is_dir()} - {"modules"}
    files = {p.stem for p in Path(fercourse.__file__).parent.glob("*.py")}
    monkeypatch.setattr(site, "HIDDEN", (*others, *files))  # the rest takes a minute
    site.write_site(tmp_path, [path.parents[1] / "00_start.ipynb"], "smoke")
    page = (tmp_path / "reference" / "modules.html").read_text(encoding="utf-8")
    assert "fercourse.modules.gcca.GCCA" in page
    for each in tmp_path.rglob("*.html"):
        text = each.read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img)[^>]+(src|href)="(https?:)?//', text), each


def test_solutions_have_no_page():
    assert "exercises" in site.HIDDEN
