"""README's numbers are the ledger's."""

import pytest
from conftest import ROOT
from made_rows import made_row

from fercourse import FercourseError
from fercourse.experiments.ledger import Ledger
from fercourse.experiments.report import BEGIN, END, report, write


def test_readme_says_what_the_ledger_says():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    written = text.split(BEGIN)[1].split(END)[0].strip()
    assert written == report(Ledger(ROOT / "results" / "ledger.jsonl")), (
        "run: fercourse ledger report"
    )


def test_a_page_is_written_once_and_only_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    book = Ledger(tmp_path / "none.jsonl")
    assert write(page, book)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "No run on real faces" in text
    assert not write(page, book)


def test_a_page_without_markers_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing here", encoding="utf-8")
    with pytest.raises(FercourseError, match="has no place for results"):
        write(page, Ledger(tmp_path / "none.jsonl"))
    assert page.read_text(encoding="utf-8") == "nothing here"


def test_models_of_the_same_seeds_are_compared_in_pairs(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for model, accuracies in ((1, (0.66, 0.67)), (6, (0.67, 0.69))):
        for seed, accuracy in enumerate(accuracies):
            book.append(made_row(model, seed, accuracy))
    text = report(book)
    assert "Missing of the paper's 10 runs a model: model1 8, model2 10," in text
    assert "model6 minus model1 +1.49 points" in text  # 1 and 2 points, in whole faces
    assert "n = 2" in text


def test_single_runs_are_not_compared(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for model in (1, 6):
        book.append(made_row(model, 0, 0.66))
    assert "minus" not in report(book)


def test_one_model_is_not_compared_with_itself(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    for seed in (0, 1):
        book.append(made_row(6, seed, 0.66))
    assert "minus" not in report(book)
