"""The pages: formulas, docstrings, and no network."""

import re
from pathlib import Path

import pytest

import fercourse
from fercourse.course import build, site
from fercourse.course.mathml import formula

pytestmark = pytest.mark.slow


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


def test_solutions_have_no_page(tmp_path):
    pages = site._reference(tmp_path)
    assert "reference/modules" in pages
    written = "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "reference").iterdir())
    assert "fercourse.modules.gcca" in written
    assert "fercourse.exercises" not in written
