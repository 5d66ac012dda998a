"""Reusable blocks: preprocessing, outputs, and the pieces that several rungs share."""
