"""Recognisers whose features nobody learned: what came before deep learning, and two rivals."""

from fercourse.shallow.features import Features
from fercourse.shallow.fit import STRENGTHS, Fitted, fit
from fercourse.shallow.method import CLASSICS, METHODS, Method

__all__ = ["CLASSICS", "METHODS", "STRENGTHS", "Features", "Fitted", "Method", "fit"]
