"""Runs recorded, planned and compared: every number in prose comes from here."""
