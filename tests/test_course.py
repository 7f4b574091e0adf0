"""The notebooks are what their sources say, ran through, and stay small."""

import ast
import base64
import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

import fercourse
from fercourse.course import build, site
from fercourse.course import run_course as runner
from fercourse.course.mathml import formula
from fercourse.course.mode import mode
from fercourse.errors import FercourseError

pytestmark = pytest.mark.slow

SOURCES = build.sources()
MEGABYTE = 2**20

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


def test_the_course_has_eighteen_lessons():
    assert [int(p.name[:2]) for p in SOURCES] == list(range(18))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_a_notebook_is_what_its_source_says(path):
    lesson = build.read(path)
    stored = nbformat.read(lesson.target, as_version=4)
    nbformat.validate(stored)
    assert build.same(build.assemble(lesson), stored), f"make notebooks: {path.name} has changed"
    for cell in stored.cells:
        if cell.cell_type == "code":
            assert cell.execution_count, f"{path.stem} was not run: make notebooks"
    assert lesson.target.stat().st_size < MEGABYTE


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_a_lesson_has_exercises_and_compared_cells_and_needs_earlier_ones(path):
    lesson = build.read(path)
    exercises = [c for c in lesson.cells if "exercise" in c.metadata]
    assert 2 <= len(exercises) <= (5 if lesson.number == 17 else 4)  # the clinic has five patients
    compared = [c for c in lesson.cells if "nbval-check-output" in c.metadata.get("tags", [])]
    assert compared
    assert all(0 <= n < lesson.number for n in lesson.needs)
    assert 3 <= len(lesson.learn) <= 6


def test_stored_outputs_show_no_path_of_a_machine():
    for path in SOURCES:
        text = build.read(path).target.read_text(encoding="utf-8")
        assert str(Path.home()) not in text
        assert str(build.ROOT) not in text


def test_cells_are_short():
    lengths = [
        len(cell.source.splitlines())
        for path in SOURCES
        for cell in build.read(path).cells
        if cell.cell_type == "code"
    ]
    assert np.median(lengths) <= 9
    assert np.quantile(lengths, 0.95) <= 18


def test_opening_exercise_and_links(write):
    first, second = write("00_start", "Start"), write("01_next", "Next: more")
    second.write_text(second.read_text() + '\n# %% [markdown] exercise="start.nothing"\n# Do it.\n')
    with pytest.raises(FercourseError, match=r"01_next.py: there is no exercise start.nothing"):
        build.assemble(build.read(second))
    cells = build.assemble(build.read(first)).cells
    assert cells[0].source.startswith("# 00 · Start")
    assert "course.begin(0)" in cells[1].source
    assert cells[-1].source.endswith("[01 Next: more](01_next.ipynb) →")
    assert cells[3].metadata == {"paper": "eq. 8"}


def test_a_header_must_be_whole(write):
    path = write("03_x")
    path.write_text(path.read_text().replace("#     needs: [0]\n", ""))
    with pytest.raises(FercourseError, match=r"03_x.py: its header has no needs"):
        build.read(path)
    path.write_text(path.read_text().replace('"A lesson"', "a: b"))
    with pytest.raises(FercourseError, match=r"03_x.py: its header is not YAML.*line 3"):
        build.read(path)


def test_build_runs_once_and_names_a_cell_that_fails(write, monkeypatch):
    path = write("00_x", code="6 * 7")
    assert build.build(path)
    made = nbformat.read(path.parents[1] / "00_x.ipynb", as_version=4)
    assert any("42" in str(c.get("outputs")) for c in made.cells)
    assert not build.build(path)
    path.write_text(path.read_text().replace("The mean", "The true mean"))
    with monkeypatch.context() as patch:
        patch.setattr(build, "run", None)  # prose alone has changed: nothing runs
        assert build.build(path)
    made = nbformat.read(path.parents[1] / "00_x.ipynb", as_version=4)
    assert any("42" in str(c.get("outputs")) for c in made.cells)
    assert any("true mean" in c.source for c in made.cells)
    path.write_text(path.read_text().replace("6 * 7", "6 / 0"))
    with pytest.raises(FercourseError, match=r"(?s)Notebook 00 stopped.*ZeroDivisionError"):
        build.build(path)
    after = nbformat.read(path.parents[1] / "00_x.ipynb", as_version=4)
    assert build.same(made, after)  # the last good one is kept


def test_run_course_measures_goes_on_after_a_failure_and_makes_pages(write, tmp_path, monkeypatch):
    good, bad = write("00_good", "Good", "6 * 7"), write("01_bad", "Bad", "6 * 7")
    for path in (good, bad):
        build.build(path, execute=False)
    broken = path.parents[1] / "01_bad.ipynb"
    broken.write_text(broken.read_text().replace("6 * 7", "undefined"))
    built = sorted((tmp_path / "notebooks").glob("*.ipynb"))
    monkeypatch.setattr(runner, "notebooks", lambda: built)
    out = tmp_path / "site"
    taken = runner.run_course("lecture", out, reference=False)
    assert taken["00_good"].error == ""
    assert "undefined" in taken["01_bad"].error
    assert taken["00_good"].memory_gb > 0.05
    page = (out / "notebooks" / "00_good.html").read_text(encoding="utf-8")
    assert "42" in page
    assert "<math" in page
    assert 'href="01_bad.html"' in page
    index = (out / "index.html").read_text(encoding="utf-8")
    assert 'href="notebooks/01_bad.html"' in index
    assert "stopped" in index
    assert "one thing" in index
    assert 'href="docs/design.html"' in index
    assert (out / "search.html").is_file()
    runner.run_course("smoke", out, [0], reference=False)
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "(lecture)" in index  # the other page is as it was
    with pytest.raises(FercourseError, match="no such notebooks; lessons go from 0 to 1"):
        runner.run_course("smoke", out, [7])
    with pytest.raises(FercourseError, match="no mode 'fast'"):
        runner.run_course("fast", out)

    runner.record("lecture", taken, tmp_path / "minutes.json")
    assert set(json.loads((tmp_path / "minutes.json").read_text())["lecture"]) == {"00"}


def test_the_gear_is_picked_and_checked(monkeypatch):
    monkeypatch.delenv("FERCOURSE_MODE", raising=False)
    assert mode() == "smoke"
    monkeypatch.setenv("FERCOURSE_MODE", "Lecture")
    assert mode() == "lecture"
    monkeypatch.setenv("FERCOURSE_MODE", "third")
    with pytest.raises(FercourseError, match="'third'; set it to one of smoke, lecture, full"):
        mode()


def test_pictures_shrink_and_look_the_same():
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 255, (20, 20, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    pixels = np.clip(pixels + rng.integers(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    cell = new_code_cell("x")
    before = base64.b64encode(buffer.getvalue()).decode()
    cell.outputs = [new_output("display_data", {"image/png": before})]
    notebook = new_notebook(cells=[new_markdown_cell("y"), cell])
    build.shrink(notebook)
    after = cell.outputs[0].data["image/png"]
    assert len(after) < 0.75 * len(before)
    shrunk = np.asarray(Image.open(io.BytesIO(base64.b64decode(after))).convert("RGB"))
    assert np.abs(shrunk.astype(int) - pixels).mean() < 12


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


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_a_stub_hides_nothing_the_lesson_uses(path):
    """Else a cell above, run again after the stub, would say that it is your turn."""
    cells = build.read(path).cells
    exercises = {c.metadata["exercise"].split(".")[1] for c in cells if "exercise" in c.metadata}
    for cell in cells:
        if cell.cell_type == "code":
            names = [
                node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)
            ]
            made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
            used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            assert not (used - made) & exercises, cell.source
