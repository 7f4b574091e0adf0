"""What a lesson trains is recorded, and recalled."""

import re

import pytest
import torch
from tolerances import HALF

from fercourse.course import lesson as lessons
from fercourse.course.build import SOURCE
from fercourse.errors import FercourseError


def test_a_lesson_recalls_what_its_own_network_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "RECORDS", tmp_path)
    smoke, lecture = (lessons.Lesson(9, mode, torch.device("cpu")) for mode in ("smoke", "lecture"))
    made = {"points": torch.rand(3, 2), "labels": torch.tensor([0, 1, 2])}
    assert smoke.recall("toy", lambda: made)["points"].equal(made["points"])
    with pytest.raises(FercourseError, match="Nothing is recorded as 'toy' for lesson 9"):
        lecture.recall("toy", lambda: made)
    monkeypatch.setenv("FERCOURSE_RECORD", "1")
    smoke.recall("toy", lambda: made)
    again = lecture.recall("toy", lambda: pytest.fail("the lecture mode trained"))
    torch.testing.assert_close(again["points"], made["points"], **HALF)
    assert again["labels"].tolist() == [0, 1, 2]


def test_the_lecture_mode_finds_what_every_lesson_trains():
    trained = {
        f"{path.name[:2]}-{name}"
        for path in SOURCE.glob("*.py")
        for name in re.findall(r'lesson\.(?:fit|recall)\(\s*"(.+?)"', path.read_text("utf-8"))
    }
    assert trained <= {path.stem for path in lessons.RECORDS.glob("*.safetensors")}
