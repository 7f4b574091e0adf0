"""What the notebooks are made with: modes, the opening cell, building, running, the site."""

from fercourse.course.lesson import Lesson, begin
from fercourse.course.mode import MODES, mode
from fercourse.course.predictions import Prediction, predict, predictions
from fercourse.course.yours import yours

__all__ = ["MODES", "Lesson", "Prediction", "begin", "mode", "predict", "predictions", "yours"]
