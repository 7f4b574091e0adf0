"""What the notebooks are made with: modes, the opening cell, building, running, the site."""

from fercourse.course.lesson import Lesson, begin
from fercourse.course.mode import MODES, mode

__all__ = ["MODES", "Lesson", "begin", "mode"]
