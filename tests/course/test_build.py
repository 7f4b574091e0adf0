"""The notebooks are what their sources say, ran through, and stay small."""

import ast
import base64
import io
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from fercourse.course import build
from fercourse.errors import FercourseError

pytestmark = pytest.mark.slow


SOURCES = build.sources()


MEGABYTE = 2**20


def test_the_course_has_twenty_one_lessons():
    assert [int(p.name[:2]) for p in SOURCES] == list(range(21))


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
    assert 2 <= len(exercises) <= 4
    compared = [c for c in lesson.cells if build.COMPARED in c.metadata.get("tags", [])]
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


def test_refresh_stores_what_recorded_numbers_show_now_and_nothing_else(write, tmp_path):
    record = tmp_path / "record"
    read = f"open({str(record)!r}).read()"
    path = write("00_x", code=f'{read} + " untagged"')
    tagged = f'\n# %% tags=["{build.COMPARED}"]\n{read}\n'
    path.write_text(path.read_text() + tagged)
    target = path.parents[1] / "00_x.ipynb"
    with pytest.raises(FercourseError, match=r"00_x.ipynb is older than its source"):
        build.refresh(path)
    record.write_text("old")
    build.build(path)
    before = target.read_bytes()
    assert build.refresh(path) == []
    assert target.read_bytes() == before
    record.write_text("new")
    assert build.refresh(path) == [("'old'", "'new'")]
    shown = [str(c.get("outputs")) for c in nbformat.read(target, as_version=4).cells]
    assert any("old untagged" in outputs for outputs in shown)
    assert any("'new'" in outputs for outputs in shown)
    assert not any("'old'" in outputs for outputs in shown)
    assert build.refresh(path) == []


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


def names_of(cell, context):
    """Names that a cell's code loads, or stores and defines."""
    nodes = list(ast.walk(ast.parse(cell.source)))
    found = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
    if context is ast.Store:
        found |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_each_lesson_has_one_open_experiment_predicted_before_it_is_measured(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("guess = course.predict(") == text.count("guess.beside(") == 1
    assert "pen experiment" in text
    assert text.index("guess = course.predict(") < text.index("guess.beside(")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_what_is_written_in_a_lesson_is_used_below_it_and_nowhere_else(path):
    """Above, or under the heading Exercises, a stub would hide something the lesson has."""
    cells = build.read(path).cells
    at_end = [i for i, c in enumerate(cells) if "## Exercises" in c.source.splitlines()]
    for place, cell in enumerate(cells):
        if "exercise" not in cell.metadata:
            continue
        name = cell.metadata["exercise"].split(".")[1]
        code = [(i, c) for i, c in enumerate(cells) if c.cell_type == "code"]
        made = [i for i, c in code if name in names_of(c, ast.Store)]
        used = [i for i, c in code if name in names_of(c, ast.Load) and i not in made]
        if at_end and place > at_end[0]:
            assert not used, f"{name} is used, and written at the end"
        else:
            assert not made, f"{name} is written by the learner and by the lesson"
            assert used, f"{name} is written in the lesson, and nothing runs on it"
            assert min(used) > place, f"{name} is used before it is written"
