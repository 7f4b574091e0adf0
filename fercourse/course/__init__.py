"""What the notebooks are made with: gears, the opening cell, building, running, the site."""

from fercourse.course.gear import GEARS, gear
from fercourse.course.lesson import Lesson, begin

__all__ = ["GEARS", "Lesson", "begin", "gear"]
