"""Which mode a notebook runs in."""

import pytest

from fercourse.course.mode import mode
from fercourse.errors import FercourseError

pytestmark = pytest.mark.slow


def test_the_gear_is_picked_and_checked(monkeypatch):
    monkeypatch.delenv("FERCOURSE_MODE", raising=False)
    assert mode() == "smoke"
    monkeypatch.setenv("FERCOURSE_MODE", "Lecture")
    assert mode() == "lecture"
    monkeypatch.setenv("FERCOURSE_MODE", "third")
    with pytest.raises(FercourseError, match="'third'; set it to one of smoke, lecture, full"):
        mode()
