"""Figures of attention: channels, the reverse-attention cascade, maps over faces."""
