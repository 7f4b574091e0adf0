"""The check-up of lesson 00."""

import pandas as pd
import pytest

from fercourse.course import checkup
from fercourse.doctor import Check


def test_checkup_says_state_and_what_to_do(monkeypatch):
    found = [
        Check("one", True, "here"),
        Check("two", False, "missing", "Run: make setup"),
        Check("three", None, "5 faces in /home/anna/data/fer2013.zip, good", "see /a/b/c, /d/e"),
    ]
    monkeypatch.setattr(checkup, "examine", lambda: found)
    table = checkup.checkup()
    assert isinstance(table, pd.DataFrame)
    assert list(table["state"]) == ["OK", "FAIL", "optional"]
    assert table.loc["two", "what to do"] == "Run: make setup"
    assert table.loc["three", "found"] == "5 faces in …/data/fer2013.zip, good"
    assert table.loc["three", "what to do"] == "see …/b/c, /d/e"


@pytest.mark.parametrize("path", [r"C:\Users\anna\data\fer2013.zip", "/home/anna/x/data/y.csv"])
def test_no_user_name_is_left_in_a_path(path):
    assert "anna" not in checkup._short(f"read {path}; done")
