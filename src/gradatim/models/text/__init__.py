"""Rungs that say how a text goes on."""
