"""The loop, its optimizer and its files."""
