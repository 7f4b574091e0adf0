"""Figures of explanations: maps side by side, their scores, and how far to trust an answer."""
