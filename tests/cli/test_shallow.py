"""fercourse shallow: measures once, says what is undefined, refuses what it does not know."""

import pytest
from typer.testing import CliRunner

from fercourse.cli import app
from fercourse.runs.ledger import Ledger


@pytest.fixture
def call(tmp_path):
    def run(*arguments):
        path = str(tmp_path / "ledger.jsonl")
        return CliRunner().invoke(app, ["shallow", "--ledger", path, *arguments])

    run.ledger = Ledger(tmp_path / "ledger.jsonl")
    return run


def test_eigenfaces_of_drawn_faces_are_measured_once(call):
    arguments = ("--data", "synthetic", "--methods", "pca")
    first, second = call(*arguments), call(*arguments)
    assert first.exit_code == second.exit_code == 0
    assert "1 runs recorded" in first.output
    assert "0 runs recorded" in second.output
    (row,) = call.ledger.shallow()
    assert row.variant == "pca"
    assert 1 / 7 < row.test_accuracy < 0.9


def test_unknown_methods_are_refused_before_anything_is_read(call):
    result = call("--data", "synthetic", "--methods", "pca,sift")
    assert result.exit_code != 0
    assert "no method 'sift'" in str(result.exception) + result.output
    assert not call.ledger.path.exists()
