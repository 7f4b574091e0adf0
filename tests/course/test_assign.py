"""Homework has hints and no solutions, and the form that nbgrader asks for."""

import re
import textwrap

import nbformat
import pytest

from fercourse.course import assign, build
from fercourse.errors import FercourseError
from fercourse.exercises.exercise import find


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """All lessons' homework, by number, and its folder."""
    out = tmp_path_factory.mktemp("assignments")
    paths = assign.assign((), out)
    return {int(p.stem[:2]): nbformat.read(p, as_version=4) for p in paths}, out


def names(number):
    path = next(p for p in build.sources() if p.name.startswith(f"{number:02}"))
    return [c.metadata["exercise"] for c in build.read(path).cells if "exercise" in c.metadata]


def body(exercise):
    """The solution's lines that its stub does not have, as one text without indentation."""
    kept = exercise.stub().splitlines()[:-1]
    return textwrap.dedent("\n".join(exercise.source().splitlines()[len(kept) :]))


def bare(text):
    return re.sub(r"\s+", " ", text)


def test_every_lesson_is_there_without_outputs(course):
    notebooks, out = course
    assert sorted(notebooks) == list(range(21))
    for notebook in notebooks.values():
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
        imports, note = (
            next(k for k, cell in enumerate(notebook.cells) if start in cell.source)
            for start in (build.IMPORTS, "This notebook is homework")
        )
        assert note == imports + 1
    assert "c.ClearSolutions.enabled = False" in (out / "nbgrader_config.py").read_text()


@pytest.mark.parametrize("number", range(21))
def test_hints_stay_and_solutions_do_not(course, number):
    cells = course[0][number].cells
    # A lesson may show a line like it in a cell of its own, for something else.
    told = bare("\n".join(c.source for c in cells if c.cell_type == "markdown"))
    homework = bare("\n".join(c.source for c in cells if "nbgrader" in c.metadata))
    for name in names(number):
        exercise, _ = find(name)
        assert all(bare(hint) in told for hint in exercise.hints)
        assert bare(body(exercise)) not in told
        assert bare(body(exercise)) not in homework
        assert bare(exercise.stub()) in homework
    assert "<summary>Solution" not in told


@pytest.mark.parametrize("number", range(21))
def test_no_code_cell_holds_a_whole_solution(course, number):
    code = [c.source for c in course[0][number].cells if c.cell_type == "code"]
    for name in names(number):
        exercise, _ = find(name)
        if name != "reverse.what_is_left":  # a product, which the lesson computes on its way
            assert not any(bare(body(exercise)) in bare(source) for source in code), name
        assert not any(exercise.source() in source for source in code)


@pytest.mark.parametrize("number", range(21))
def test_cells_are_as_nbgrader_asks(course, number):
    """Its validator of schema version 3, written down; ids as its form accepts them."""
    marked = [cell for cell in course[0][number].cells if "nbgrader" in cell.metadata]
    keys = {"schema_version", "grade_id", "grade", "solution", "locked", "task"}
    for cell in marked:
        marks = cell.metadata["nbgrader"]
        assert set(marks) - {"points"} == keys
        assert marks["schema_version"] == 3
        assert re.fullmatch(r"[A-Za-z0-9_-]+", marks["grade_id"])
        assert marks["task"] is False
        assert cell.cell_type == "code"
        assert marks["solution"] is not marks["grade"]  # autograded: one cell writes, one judges
        assert marks["locked"] is marks["grade"]
        assert ("points" in marks) is marks["grade"]
        assert marks.get("points", 1) in (1, 2, 3)
    ids = [cell.metadata["nbgrader"]["grade_id"] for cell in marked]
    mine = [assign.grade_id(name) for name in names(number)]
    assert ids == [one for name in mine for one in (name, f"check-{name}")]


def test_a_check_cell_raises_the_diagnosis_and_shows_praise(course):
    cells = {
        c.metadata["nbgrader"]["grade_id"]: c.source
        for c in course[0][8].cells
        if "nbgrader" in c.metadata
    }
    space = {}
    exec(build.IMPORTS, space)
    exec(cells["decoder-resize_like"], space)
    with pytest.raises(AssertionError, match="it is your turn"):
        exec(cells["check-decoder-resize_like"], space)
    exec(find("decoder.resize_like")[0].source(), space)
    exec(cells["check-decoder-resize_like"], space)
    assert space["said"].passed


def test_a_check_that_goes_on_with_ours_goes_on_and_raises():
    source = (
        "from fercourse.exercises.decoder import check_resize_like\n\n"
        "resize_like = course.yours(check_resize_like, resize_like)"
    )
    assert assign._raising(source, "decoder.resize_like").splitlines()[2:] == [
        "said = check_resize_like(resize_like)",
        "resize_like = course.yours(check_resize_like, resize_like)",
        "assert said, said.message",
        "said",
    ]


def test_some_lessons_only_and_none_that_is_not_there(tmp_path):
    (path,) = assign.assign([8], tmp_path)
    assert path == tmp_path / "source" / "08_partial_decoder" / "08_partial_decoder.ipynb"
    with pytest.raises(FercourseError, match="There is no lesson 77"):
        assign.assign([77], tmp_path)
