"""Measured numbers are printed by code: prose may only quote the paper, or cite others by name."""

import re
from pathlib import Path

import jupytext
import pytest

from fercourse.course.build import sources
from fercourse.markdown import fill
from fercourse.pages.front import ANSWER, ATTENTION, FINDING, RESULTS
from fercourse.runs.ledger import Ledger

ROOT = Path(__file__).resolve().parents[1]
SHARE = re.compile(r"(\d+\.\d+)\s?(?:%|per cent|points)")

CITED = {
    "55.98": "section 3.5 of the paper, recall of sad",
    "61.01": "section 3.5 of the paper, recall of fear",
    "34.7": "Buolamwini and Gebru 2018, error on darker-skinned women",
    "0.8": "Buolamwini and Gebru 2018, error on lighter-skinned men",
    "0.42": "a made-up difference, the example in experiments.statistics",
    "0.73": "binomial error of the paper's own number on PrivateTest, sqrt(p (1 - p) / n)",
}


@pytest.fixture(scope="module")
def claimed():
    """The paper's numbers, as it prints them."""
    rows = Ledger().claims()
    numbers = [row.test_accuracy for row in rows] + [row.stability for row in rows]
    return {f"{100 * number:.2f}" for number in numbers if number is not None}


def unfounded(text, claimed):
    return [n for n in SHARE.findall(text) if n not in claimed and n not in CITED]


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.stem)
def test_a_lesson_types_no_result(path, claimed):
    cells = jupytext.read(path, fmt="py:percent").cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert unfounded(prose, claimed) == []


@pytest.mark.parametrize(
    ("page", "markers"),
    [("README.md", (ANSWER, ATTENTION, FINDING)), ("docs/results.md", (RESULTS,))],
)
def test_pages_type_no_result(page, markers, claimed):
    text = (ROOT / page).read_text(encoding="utf-8")
    for begin, end in markers:
        text = fill(text, begin, end, "", page)
    assert unfounded(text, claimed) == []


def test_docstrings_and_plots_type_no_result(claimed):
    for path in (ROOT / "fercourse").rglob("*.py"):
        if "exercises" in path.parts:
            continue  # made-up numbers to reckon with
        assert unfounded(path.read_text(encoding="utf-8"), claimed) == [], path


def test_the_search_finds_what_it_should(claimed):
    assert unfounded("we reach 71.30 % here", claimed) == ["71.30"]
    assert unfounded("the paper claims 74.08 %", claimed) == []
