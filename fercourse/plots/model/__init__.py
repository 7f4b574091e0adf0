"""Figures of the network's parts and of its losses."""
