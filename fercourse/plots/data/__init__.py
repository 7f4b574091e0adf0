"""Figures of faces, of what is done to them, and of what data do to a number."""
