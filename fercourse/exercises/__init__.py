"""Exercises with checks that diagnose: one module a lesson, see :mod:`fercourse.exercises.base`."""
