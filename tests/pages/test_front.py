"""README's answer and docs/results.md are the ledger's."""

import numpy as np
import pytest
from conftest import ROOT
from made_rows import made_row

from fercourse import FercourseError
from fercourse.pages.front import (
    ANSWER,
    ATTENTION,
    DOOR,
    FINDING,
    RESULTS,
    WEATHER,
    finding,
    page_contents,
    write,
)
from fercourse.runs.ledger import Ledger
from fercourse.runs.paper import record_paper


def test_readme_and_results_say_what_the_ledger_says():
    for page, places in page_contents(Ledger(ROOT / "results" / "ledger.jsonl")).items():
        text = (ROOT / page).read_text(encoding="utf-8")
        for (begin, end), content in places.items():
            written = text.split(begin)[1].split(end)[0].strip()
            assert written == content, "run: fercourse ledger report"


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "docs").mkdir()
    for name, markers in (
        ("README.md", (DOOR, ANSWER, ATTENTION, WEATHER, FINDING)),
        ("docs/results.md", (RESULTS,)),
    ):
        places = "\n".join(f"{begin}\nold\n{end}" for begin, end in markers)
        (tmp_path / name).write_text(f"before\n{places}\nafter\n", encoding="utf-8")
    return tmp_path


def measured(path):
    book = Ledger(path / "ledger.jsonl")
    record_paper(book)
    for model, accuracies in ((1, (0.66, 0.67)), (6, (0.67, 0.675))):
        for seed, accuracy in enumerate(accuracies):
            book.append(made_row(model, seed, accuracy))
    return book


def test_pages_and_pictures_are_written_once_and_only_between_the_markers(checkout):
    book = measured(checkout)
    changed = {path.relative_to(checkout).as_posix() for path in write(checkout, book)}
    assert changed == {
        "README.md",
        "docs/results.md",
        "docs/pictures/claimed-against-measured.png",
        "docs/pictures/confusion-fer2013.png",
    }
    text = (checkout / "README.md").read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| all components: model 6 minus 1 | FER2013 | +4.29 |" in text
    assert "**Do these components help? Not in our runs:**" in text
    assert "1 of 1 claims lie outside our intervals" in text
    assert write(checkout, book) == []


def test_an_empty_ledger_says_that_nothing_is_measured(checkout):
    write(checkout, Ledger(checkout / "none.jsonl"))
    assert "Nothing is measured yet" in (checkout / "README.md").read_text(encoding="utf-8")
    assert "No run on real faces" in (checkout / "docs/results.md").read_text(encoding="utf-8")


def test_a_page_without_markers_is_left_alone(checkout):
    (checkout / "README.md").write_text("nothing here", encoding="utf-8")
    with pytest.raises(FercourseError, match="has no place for results"):
        write(checkout, measured(checkout))
    assert (checkout / "README.md").read_text(encoding="utf-8") == "nothing here"


def test_the_cuts_of_ckplus_are_told_where_two_were_run(tmp_path):
    book = measured(tmp_path)
    assert "folds are cut" not in finding(book)
    for by, accuracy in (("subject", 0.9), ("random", 0.98)):
        for fold in range(3):
            place = {"data.name": "ckplus", "data.by": by, "data.fold": fold, "data.folds": 3}
            counts = np.diag([round(100 * accuracy), 0, 0, 0, 0, 0, 0])
            counts[0, 1] = 100 - counts[0, 0]
            book.append(made_row(1, confusion=counts, **place))
    assert "90.00 % by person, 98.00 % at random" in finding(book)
