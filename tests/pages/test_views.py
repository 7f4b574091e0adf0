"""Several views of a face: a table of what was recorded, and nothing where nothing was."""

from fercourse.pages.views import view_tables

ACCURACY = {
    "PublicTest": {"single": 0.67, "flip": 0.68, "ten": 0.685},
    "PrivateTest, no duplicates": {"single": 0.66, "flip": 0.67, "ten": 0.675},
}


def test_every_split_has_its_three_numbers():
    (text,) = view_tables({"abc-0": {"weights": "fer2013-model1", "accuracy": ACCURACY}})
    assert "| fer2013-model1 (`abc-0`) | PublicTest | 67.00 | 68.00 | 68.50 |" in text
    assert "| PrivateTest, no duplicates | 66.00 | 67.00 | 67.50 |" in text


def test_of_no_record_nothing_is_said():
    assert view_tables({}) == []
