"""Readers, built-in faces, and what is known of a copy."""
