"""The pages: formulas, docstrings, and no network."""

import re
from pathlib import Path

import pytest

import fercourse
from fercourse.course import build, site
from fercourse.course.alternatives import alternatives
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


PICTURES = """
    *(
        display(plots.pictures({"a line": 255 * np.eye(48, dtype=np.uint8)[::step]}, finding))
        for step, finding in ((1, "One line, which falls"), (-1, "One line, which rises"))
    )
"""


def test_every_picture_of_a_page_says_what_it_shows(write, tmp_path, monkeypatch):
    path = write("00_start", "Start", PICTURES)
    build.build(path)
    monkeypatch.setattr(site, "DOCUMENTS", ("README.md",))
    notebook = path.parents[1] / "00_start.ipynb"
    assert len(alternatives(notebook)) == 2
    site.write_site(tmp_path / "site", [notebook], "smoke", reference=False)
    said = []
    for each in (tmp_path / "site").rglob("*.html"):
        for image in re.findall(r"<img\b[^>]*>", each.read_text(encoding="utf-8")):
            words = re.search(r'alt="([^"]{8,})"', image)
            assert words, f"{each.name}: {image[:200]}"
            assert not words[1].endswith(".png"), f"{each.name}: a file's name says nothing"
            said.append(words[1])
    assert "One line, which falls. Pictures: a line." in said
    assert "One line, which rises. Pictures: a line." in said


def test_solutions_have_no_page(tmp_path):
    pages = site._reference(tmp_path)
    assert "reference/modules" in pages
    written = "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "reference").iterdir())
    assert "fercourse.modules.gcca" in written
    assert "fercourse.exercises" not in written
