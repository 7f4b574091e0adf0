"""Exercises with checks that diagnose: a module a lesson; see :mod:`.exercise`."""
