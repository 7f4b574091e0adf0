"""Figures of a run: how it went, how fast, and what a recipe gained."""
